//! The benchmark's functions as a Lua module written with mlua alone: what a Rust author would
//! write without cygnixy.

use mlua::{Error, Lua, LuaString, Result, Table};

#[mlua::lua_module]
fn bench_plain(lua: &Lua) -> Result<Table> {
    let table = lua.create_table()?;
    table.set("noop", lua.create_function(|_, ()| Ok(()))?)?;
    table.set(
        "add",
        lua.create_function(|_, (a, b): (f64, f64)| Ok(a + b))?,
    )?;
    table.set(
        "length",
        lua.create_function(|_, text: LuaString| Ok(text.as_bytes().len()))?,
    )?;
    table.set(
        "fail",
        lua.create_function(|_, ()| Err::<(), _>(Error::runtime("no")))?,
    )?;
    Ok(table)
}
