//! A thread that nobody joins: it runs the library's code for a while after the unload.
#![forbid(unsafe_code)]

use std::thread;
use std::time::Duration;

use cygnixy_test_zoo::{Functions, Parts, with_ping};
use plugin_interface::export_plugin;
use plugin_interface::mlua::{self, Lua};

/// `start(ms)` starts a thread that ends after so many milliseconds.
fn functions(lua: &Lua) -> mlua::Result<Functions> {
    let start = lua.create_function(|_, ms: u64| {
        let sleep = move || thread::sleep(Duration::from_millis(ms));
        thread::Builder::new()
            .name("zoo-detached".to_owned())
            .spawn(sleep)?;
        Ok(())
    })?;
    with_ping(lua, [("start", start)])
}

export_plugin!(Parts {
    name: || "detached",
    functions,
    ..Parts::default()
});
