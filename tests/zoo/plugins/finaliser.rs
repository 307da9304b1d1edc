//! An object whose destructor calls back into Lua, from inside the collector.
#![forbid(unsafe_code)]

use cygnixy_test_zoo::{Functions, Parts, with_ping};
use plugin_interface::export_plugin;
use plugin_interface::mlua::{self, Function, Lua, UserData};

struct OnDrop(Function);

impl Drop for OnDrop {
    fn drop(&mut self) {
        // A destructor has nobody to tell.
        let _ = self.0.call::<()>(());
    }
}

impl UserData for OnDrop {}

/// `on_drop(f)` returns an object that calls `f` when it is collected.
fn functions(lua: &Lua) -> mlua::Result<Functions> {
    let on_drop = lua.create_function(|lua, f: Function| lua.create_userdata(OnDrop(f)))?;
    with_ping(lua, [("on_drop", on_drop)])
}

export_plugin!(Parts {
    name: || "finaliser",
    functions,
    ..Parts::default()
});
