//! Its functions panic: the error that a script holds may hold the panic's payload.
#![forbid(unsafe_code)]
#![expect(clippy::panic, reason = "the point of this plugin")]

use cygnixy_test_zoo::{Functions, Parts, with_ping};
use plugin_interface::export_plugin;
use plugin_interface::mlua::{self, Lua, UserData, UserDataMethods};

struct Bomb;

impl UserData for Bomb {
    fn add_methods<M: UserDataMethods<Self>>(methods: &mut M) {
        methods.add_method("boom", |_, _, ()| -> mlua::Result<()> {
            panic!("boom in a method")
        });
    }
}

/// - `boom()` panics;
/// - `bomb()` returns an object whose method `b:boom()` panics.
fn functions(lua: &Lua) -> mlua::Result<Functions> {
    let boom = lua.create_function(|_, ()| -> mlua::Result<()> { panic!("boom in a function") })?;
    let bomb = lua.create_function(|lua, ()| lua.create_userdata(Bomb))?;
    with_ping(lua, [("boom", boom), ("bomb", bomb)])
}

export_plugin!(Parts {
    name: || "panic_call",
    functions,
    ..Parts::default()
});
