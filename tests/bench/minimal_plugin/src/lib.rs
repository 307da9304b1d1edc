//! The smallest plugin: one function.
//!
//! Its name, in the manifest and in `name`, is that of the crate, of fixed width: the benchmark makes
//! many plugins of it by writing another number over the zeros in copies of the file, and versions
//! of one plugin by writing over the answer.
#![forbid(unsafe_code)]

use std::collections::HashMap;
use std::error::Error;

use plugin_api::mlua::{Function, Lua};
use plugin_api::{PluginLua, export_plugin};

struct Minimal;

impl PluginLua for Minimal {
    fn name(&self) -> &str {
        env!("CARGO_PKG_NAME")
    }

    fn on_load(&mut self) -> Result<(), Box<dyn Error>> {
        Ok(())
    }

    fn on_unload(&mut self) -> Result<(), Box<dyn Error>> {
        Ok(())
    }

    #[allow(clippy::unwrap_used)]
    fn get_lua_functions(&self, lua: &Lua) -> HashMap<String, Function> {
        let answer = lua.create_function(|_, ()| Ok("answer 0"));
        HashMap::from([("answer".to_owned(), answer.unwrap())])
    }
}

export_plugin!(Minimal);
