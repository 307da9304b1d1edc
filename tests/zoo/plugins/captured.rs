//! Closures with captured state: their code and the state's destructors are the library's.
#![forbid(unsafe_code)]

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use cygnixy_test_zoo::{Functions, Parts, with_ping};
use plugin_interface::export_plugin;
use plugin_interface::mlua::{self, Function, Lua};

const SIZE: usize = 64 * 1024;

/// A function that counts its calls, and holds memory.
fn counter(lua: &Lua) -> mlua::Result<Function> {
    let count = Arc::new(AtomicU32::new(0));
    let ballast = vec![1_u8; SIZE];
    lua.create_function(move |_, ()| {
        let step = u32::from(ballast[SIZE - 1]);
        Ok(count.fetch_add(step, Ordering::Relaxed) + step)
    })
}

/// - `counter()` returns a new function that returns 1, 2, 3…;
/// - `held()` is such a function in the plugin's table.
fn functions(lua: &Lua) -> mlua::Result<Functions> {
    let held = counter(lua)?;
    let counter = lua.create_function(|lua, ()| counter(lua))?;
    with_ping(lua, [("counter", counter), ("held", held)])
}

export_plugin!(Parts {
    name: || "captured",
    functions,
    ..Parts::default()
});
