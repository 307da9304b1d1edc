//! The benchmark's functions as a Lua module written with mlua alone: what a Rust author would
//! write without cygnixy.

use mlua::{self, Lua, Result, Table};

#[path = "../../functions.rs"]
mod functions;

#[mlua::lua_module]
fn bench_plain(lua: &Lua) -> Result<Table> {
    lua.create_table_from(functions::functions(lua)?)
}
