//! The benchmark's functions as a cygnixy plugin.
#![forbid(unsafe_code)]

use std::collections::HashMap;
use std::error::Error;

use plugin_api::mlua::{self, Function, Lua, LuaString};
use plugin_api::{PluginLua, export_plugin};

struct Bench;

impl PluginLua for Bench {
    fn name(&self) -> &str {
        "bench"
    }

    fn on_load(&mut self) -> Result<(), Box<dyn Error>> {
        Ok(())
    }

    fn on_unload(&mut self) -> Result<(), Box<dyn Error>> {
        Ok(())
    }

    #[allow(clippy::panic)]
    fn get_lua_functions(&self, lua: &Lua) -> HashMap<String, Function> {
        // A panic here makes the load fail, and its message is the reason that Lua sees.
        functions(lua).unwrap_or_else(|error| panic!("cannot make the functions: {error}"))
    }
}

fn functions(lua: &Lua) -> mlua::Result<HashMap<String, Function>> {
    Ok(HashMap::from([
        ("noop".to_owned(), lua.create_function(|_, ()| Ok(()))?),
        (
            "add".to_owned(),
            lua.create_function(|_, (a, b): (f64, f64)| Ok(a + b))?,
        ),
        (
            "length".to_owned(),
            lua.create_function(|_, text: LuaString| Ok(text.as_bytes().len()))?,
        ),
        (
            "fail".to_owned(),
            lua.create_function(|_, ()| Err::<(), _>(mlua::Error::runtime("no")))?,
        ),
    ]))
}

export_plugin!(Bench);
