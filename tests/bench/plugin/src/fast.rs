//! The functions as fast functions, which read their arguments from Lua's stack.

use plugin_api::LuaExt as _;
use plugin_api::fast::Concat;
use plugin_api::mlua::{Function, Lua, Result};

use crate::functions::{Counter, look};

/// Puts the text together where Lua takes it from, as `lua_pushfstring` does for C.
fn hello(name: &str) -> Concat<'_, 3> {
    Concat(["Hello, ", name, "!"])
}

/// The functions by name.
pub(crate) fn functions(lua: &Lua) -> Result<Vec<(&'static str, Function)>> {
    Ok(vec![
        ("noop", lua.create_fast_function(|| ())?),
        ("add", lua.create_fast_function(|a: f64, b: f64| a + b)?),
        ("increment", lua.create_fast_function(|n: i64| n + 1)?),
        (
            "length",
            lua.create_fast_function(|text: &[u8]| text.len())?,
        ),
        (
            "look",
            lua.create_fast_function(|bytes: &[u8]| look(bytes))?,
        ),
        ("hello", lua.create_fast_function(hello)?),
        (
            "sum",
            lua.create_fast_function(|items: Vec<f64>| items.iter().sum::<f64>())?,
        ),
        (
            "get",
            lua.create_fast_function(|counter: &Counter| counter.0)?,
        ),
        ("fail", lua.create_fast_function(|| Err::<(), _>("no"))?),
        (
            "apply",
            lua.create_fast_function(|f: Function, x: f64| f.call::<f64>(x))?,
        ),
    ])
}
