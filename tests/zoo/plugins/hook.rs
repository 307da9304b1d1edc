//! A debug hook: Lua calls into the library at every so many instructions.
#![forbid(unsafe_code)]

use std::sync::atomic::{AtomicU32, Ordering};

use cygnixy_test_zoo::{Functions, Parts, with_ping};
use plugin_interface::export_plugin;
use plugin_interface::mlua::{self, HookTriggers, Lua, VmState};

static COUNT: AtomicU32 = AtomicU32::new(0);

/// - `install()` sets a hook in the calling coroutine, `remove()` removes it;
/// - `count()`: how often it ran.
fn functions(lua: &Lua) -> mlua::Result<Functions> {
    let install = lua.create_function(|lua, ()| {
        let triggers = HookTriggers::new().every_nth_instruction(1000);
        lua.set_hook(triggers, |_, _| {
            COUNT.fetch_add(1, Ordering::Relaxed);
            Ok(VmState::Continue)
        })
    })?;
    let remove = lua.create_function(|lua, ()| {
        lua.remove_hook();
        Ok(())
    })?;
    let count = lua.create_function(|_, ()| Ok(COUNT.load(Ordering::Relaxed)))?;
    with_ping(
        lua,
        [("install", install), ("remove", remove), ("count", count)],
    )
}

export_plugin!(Parts {
    name: || "hook",
    functions,
    ..Parts::default()
});
