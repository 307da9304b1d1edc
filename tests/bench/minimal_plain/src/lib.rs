//! The smallest Lua module written with mlua alone: one function.

use mlua::{Lua, Result, Table};

#[mlua::lua_module]
fn bench_minimal(lua: &Lua) -> Result<Table> {
    lua.create_table_from([("answer", lua.create_function(|_, ()| Ok("answer 0"))?)])
}
