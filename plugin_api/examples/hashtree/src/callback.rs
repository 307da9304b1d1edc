//! Calls of functions that a script gave.
//!
//! Rust sees what Lua code raises as a text. So functions of a script are called through Lua's `pcall`; what
//! they raise is handed to Lua as a result, and raised there again as it was (`methods.lua`).

use plugin_api::mlua::{self, Function, IntoLua, IntoLuaMulti, Lua, MultiValue, Value};

/// Why a method that calls back has failed.
pub(crate) enum Failure {
    /// What the script's function has raised.
    Raised(Value),
    Own(mlua::Error),
}

impl From<mlua::Error> for Failure {
    fn from(error: mlua::Error) -> Self {
        Self::Own(error)
    }
}

/// Calls a function of a script.
pub(crate) fn call(
    pcall: &Function,
    function: &Function,
    argument: impl IntoLua,
) -> Result<Value, Failure> {
    match pcall.call((function, argument))? {
        (true, result) => Ok(result),
        (false, problem) => Err(Failure::Raised(problem)),
    }
}

/// The results for Lua: true and what there is, or false and what was raised.
pub(crate) fn outcome(
    lua: &Lua,
    result: Result<impl IntoLuaMulti, Failure>,
) -> mlua::Result<MultiValue> {
    match result {
        Ok(results) => (true, results).into_lua_multi(lua),
        Err(Failure::Raised(problem)) => (false, problem).into_lua_multi(lua),
        Err(Failure::Own(error)) => Err(error),
    }
}
