//! `thread::current()`: Rust makes a pthread key whose destructor is the library's. It runs when
//! Lua's thread ends, and unlike for other thread locals glibc does not keep the library for it.
#![forbid(unsafe_code)]

use std::thread;

use cygnixy_test_zoo::{Functions, Parts, with_ping};
use plugin_interface::export_plugin;
use plugin_interface::mlua::{self, Lua};

/// `name()`: of Lua's thread as Rust knows it, `"unnamed"` if it has none.
fn functions(lua: &Lua) -> mlua::Result<Functions> {
    let name = lua.create_function(|_, ()| {
        let thread = thread::current();
        Ok(thread.name().unwrap_or("unnamed").to_owned())
    })?;
    with_ping(lua, [("name", name)])
}

export_plugin!(Parts {
    name: || "current_thread",
    functions,
    ..Parts::default()
});
