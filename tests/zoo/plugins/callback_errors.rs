//! Calls Lua functions and holds one: errors cross it, and the script's function stays referenced.
#![forbid(unsafe_code)]

use std::sync::{Arc, Mutex, PoisonError};

use cygnixy_test_zoo::{Functions, Parts, with_ping};
use plugin_interface::export_plugin;
use plugin_interface::mlua::{self, Error, Function, Lua, MultiValue};

/// - `call(f, ...)` calls `f` and passes its results or its error on;
/// - `catch(f, ...)` returns `"caught: "` and the message, nothing if there was no error;
/// - `keep(f)` keeps `f`, `keep()` lets go of it; `call_kept(...)` calls it.
fn functions(lua: &Lua) -> mlua::Result<Functions> {
    let call = lua.create_function(|_, (f, arguments): (Function, MultiValue)| {
        f.call::<MultiValue>(arguments)
    })?;
    let catch = lua.create_function(|_, (f, arguments): (Function, MultiValue)| {
        let result = f.call::<MultiValue>(arguments);
        Ok(result.err().map(|error| format!("caught: {error}")))
    })?;
    let kept = Arc::new(Mutex::new(None::<Function>));
    let keeper = Arc::clone(&kept);
    let keep = lua.create_function(move |_, f: Option<Function>| {
        *keeper.lock().unwrap_or_else(PoisonError::into_inner) = f;
        Ok(())
    })?;
    let call_kept = lua.create_function(move |_, arguments: MultiValue| {
        // The lock is released before the call, which may call `keep`.
        let f = kept.lock().unwrap_or_else(PoisonError::into_inner).clone();
        f.ok_or_else(|| Error::runtime("no function is kept"))?
            .call::<MultiValue>(arguments)
    })?;
    with_ping(
        lua,
        [
            ("call", call),
            ("catch", catch),
            ("keep", keep),
            ("call_kept", call_kept),
        ],
    )
}

export_plugin!(Parts {
    name: || "callback_errors",
    functions,
    ..Parts::default()
});
