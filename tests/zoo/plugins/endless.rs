//! A thread that never ends: the library is needed for as long as the process lives.
#![forbid(unsafe_code)]

use std::thread;

use cygnixy_test_zoo::{Functions, Parts, with_ping};
use plugin_interface::export_plugin;
use plugin_interface::mlua::{self, Lua};

fn park_forever() {
    loop {
        thread::park();
    }
}

/// `start()` starts a thread that sleeps for ever.
fn functions(lua: &Lua) -> mlua::Result<Functions> {
    let start = lua.create_function(|_, ()| {
        thread::Builder::new()
            .name("zoo-endless".to_owned())
            .spawn(park_forever)?;
        Ok(())
    })?;
    with_ping(lua, [("start", start)])
}

export_plugin!(Parts {
    name: || "endless",
    functions,
    ..Parts::default()
});
