//! The smallest useful plugin: greets, and shows how an error is returned.
//!
//! ```lua
//! local greet = require "cygnixy".load "greet"
//! print(greet.hello("world"))   --> Hello, world!
//! ```
#![forbid(unsafe_code)]

use std::collections::HashMap;
use std::error::Error;

use plugin_api::mlua::{self, Function, Lua};
use plugin_api::{FunctionDoc, PluginLua, export_plugin};

struct Greet;

impl PluginLua for Greet {
    fn name(&self) -> &str {
        "greet"
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

    fn docs(&self) -> Vec<FunctionDoc> {
        let hello = FunctionDoc::new("hello")
            .text("Greets somebody; an empty name is an error.")
            .parameters(["name"])
            .types(["string"], ["string"]);
        vec![hello]
    }
}

/// `hello(name)` returns a greeting; an empty name is an error.
fn functions(lua: &Lua) -> mlua::Result<HashMap<String, Function>> {
    let hello = lua.create_function(|_, name: String| {
        if name.is_empty() {
            return Err(mlua::Error::runtime("there is nobody to greet"));
        }
        Ok(format!("Hello, {name}!"))
    })?;
    Ok(HashMap::from([("hello".to_owned(), hello)]))
}

export_plugin!(Greet);
