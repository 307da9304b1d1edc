//! A seal ends with its state: another state may get its place in memory. In a process of its own, as
//! other tests leave sealed states open.

use cygnixy::{Error, PluginManager};
use cygnixy_host_embed::own_copy;
use mlua::Lua;

#[test]
fn a_seal_ends_with_its_state() {
    let greet = own_copy("plugins", "greet");
    // States of which many have the place in memory of one before.
    for _ in 0..200 {
        let lua = Lua::new();
        let mut manager = PluginManager::new();
        manager
            .load_plugin_into(&greet, &lua)
            .expect("it is not sealed");
        manager
            .unload_plugin_without_collecting("greet")
            .expect("it is loaded");
        cygnixy::seal_state(&lua).expect("there is memory");
        let refused = manager.load_plugin_into(&greet, &lua);
        assert!(matches!(refused, Err(Error::Sealed { .. })), "{refused:?}");
    }
}
