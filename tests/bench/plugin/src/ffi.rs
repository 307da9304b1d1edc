//! The functions as LuaJIT's FFI can call them.

use plugin_api::LuaExt as _;
use plugin_api::mlua::{Function, Lua, Result};

use crate::functions::look;

/// The functions by name.
pub(crate) fn functions(lua: &Lua) -> Result<Vec<(&'static str, Function)>> {
    // SAFETY: none of them uses the Lua state.
    unsafe {
        Ok(vec![
            ("noop", lua.create_ffi_function(|| ())?),
            ("add", lua.create_ffi_function(|a: f64, b: f64| a + b)?),
            ("increment", lua.create_ffi_function(|n: i64| n + 1)?),
            ("length", lua.create_ffi_function(|text: &[u8]| text.len())?),
            ("look", lua.create_ffi_function(|bytes: &[u8]| look(bytes))?),
        ])
    }
}
