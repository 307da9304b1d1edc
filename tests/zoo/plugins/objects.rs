//! Objects: their methods, metatables and destructors are the library's.
#![forbid(unsafe_code)]

use std::sync::atomic::{AtomicU32, Ordering};

use cygnixy_test_zoo::{Functions, Parts, with_ping};
use plugin_interface::export_plugin;
use plugin_interface::mlua::{self, Lua, UserData, UserDataFields, UserDataMethods};

static DROPPED: AtomicU32 = AtomicU32::new(0);

struct Object(i32);

impl Drop for Object {
    fn drop(&mut self) {
        DROPPED.fetch_add(1, Ordering::Relaxed);
    }
}

impl UserData for Object {
    fn add_fields<F: UserDataFields<Self>>(fields: &mut F) {
        fields.add_field_method_get("double", |_, this| Ok(this.0.wrapping_mul(2)));
    }

    fn add_methods<M: UserDataMethods<Self>>(methods: &mut M) {
        methods.add_method("value", |_, this, ()| Ok(this.0));
        methods.add_method_mut("set", |_, this, value: i32| {
            this.0 = value;
            Ok(())
        });
        methods.add_meta_method("__tostring", |_, this, ()| Ok(format!("object {}", this.0)));
    }
}

/// - `object(n)` returns one, with `o:value()`, `o:set(n)`, `o.double` and `tostring(o)`;
/// - `dropped()`: how many are gone.
fn functions(lua: &Lua) -> mlua::Result<Functions> {
    let object = lua.create_function(|lua, n: i32| lua.create_userdata(Object(n)))?;
    let dropped = lua.create_function(|_, ()| Ok(DROPPED.load(Ordering::Relaxed)))?;
    with_ping(lua, [("object", object), ("dropped", dropped)])
}

export_plugin!(Parts {
    name: || "objects",
    functions,
    ..Parts::default()
});
