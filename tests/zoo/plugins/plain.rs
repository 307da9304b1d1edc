//! No hazard: nothing outlives the unload but the functions themselves.
#![forbid(unsafe_code)]

use cygnixy_test_zoo::{Functions, Parts, with_ping};
use plugin_interface::export_plugin;
use plugin_interface::mlua::{self, Lua};

/// `add(a, b)`.
fn functions(lua: &Lua) -> mlua::Result<Functions> {
    let add = lua.create_function(|_, (a, b): (f64, f64)| Ok(a + b))?;
    with_ping(lua, [("add", add)])
}

export_plugin!(Parts {
    name: || "plain",
    functions,
    ..Parts::default()
});
