//! The crate `rand`: its generator is a thread local with a destructor.
#![forbid(unsafe_code)]

use cygnixy_test_zoo::{Functions, Parts, with_ping};
use plugin_interface::export_plugin;
use plugin_interface::mlua::{self, Lua};
use rand::RngExt as _;

/// `number()`: at least 0, less than 1.
fn functions(lua: &Lua) -> mlua::Result<Functions> {
    let number = lua.create_function(|_, ()| Ok(rand::rng().random::<f64>()))?;
    with_ping(lua, [("number", number)])
}

export_plugin!(Parts {
    name: || "random",
    functions,
    ..Parts::default()
});
