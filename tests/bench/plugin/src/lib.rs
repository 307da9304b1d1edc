//! The benchmark's functions as a cygnixy plugin, in each way that a plugin can make them. Their
//! names in the plugin's table begin with the way: `create_add`, `fast_add`, `ffi_add`.

use std::collections::HashMap;
use std::error::Error;

use plugin_api::mlua::{self, Function, Lua};
use plugin_api::{PluginLua, export_plugin};

mod events;
mod fast;
mod ffi;
#[path = "../../functions.rs"]
mod functions;

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
        all(lua).unwrap_or_else(|error| panic!("cannot make the functions: {error}"))
    }
}

fn all(lua: &Lua) -> mlua::Result<HashMap<String, Function>> {
    let groups = [
        ("create", functions::functions(lua)?),
        ("fast", fast::functions(lua)?),
        ("ffi", ffi::functions(lua)?),
        ("events", events::functions(lua)?),
    ];
    let named = groups.into_iter().flat_map(|(group, functions)| {
        functions
            .into_iter()
            .map(move |(name, function)| (format!("{group}_{name}"), function))
    });
    Ok(named.collect())
}

export_plugin!(Bench);
