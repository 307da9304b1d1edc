//! Statics: a library that was closed and opened again begins anew, one that stayed goes on.
#![forbid(unsafe_code)]

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};

use cygnixy_test_zoo::{Functions, Parts, with_ping};
use plugin_interface::export_plugin;
use plugin_interface::mlua::{self, Lua};

static COUNT: AtomicU32 = AtomicU32::new(0);
static LIST: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// - `next()` returns 1, 2, 3…, as long as the same image is mapped;
/// - `list()`: what it returned so far, as strings.
fn functions(lua: &Lua) -> mlua::Result<Functions> {
    let next = lua.create_function(|_, ()| {
        let count = COUNT.fetch_add(1, Ordering::Relaxed) + 1;
        let mut list = LIST.lock().unwrap_or_else(PoisonError::into_inner);
        list.push(count.to_string());
        Ok(count)
    })?;
    let list = lua.create_function(|_, ()| {
        let list = LIST.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(list.clone())
    })?;
    with_ping(lua, [("next", next), ("list", list)])
}

export_plugin!(Parts {
    name: || "statics",
    functions,
    ..Parts::default()
});
