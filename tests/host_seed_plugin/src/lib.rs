//! The seed's plugin: a unit struct, an unwrapped function, printing at each end of its life.

use mlua::{Function, Lua};
use plugin_interface::{export_plugin, PluginLua};
use std::collections::HashMap;

pub struct MyPlugin;

impl PluginLua for MyPlugin {
    fn name(&self) -> &str {
        "my_plugin"
    }

    fn on_load(&mut self) -> Result<(), Box<dyn std::error::Error>> {
        println!("MyPlugin loaded!");
        Ok(())
    }

    fn on_unload(&mut self) -> Result<(), Box<dyn std::error::Error>> {
        println!("MyPlugin unloaded!");
        Ok(())
    }

    fn get_lua_functions(&self, lua: &Lua) -> HashMap<String, Function> {
        let hello = lua.create_function(|_, name: String| {
            println!("Hello, {}!", name);
            Ok(())
        });
        let mut functions = HashMap::new();
        functions.insert("hello".to_string(), hello.unwrap());
        functions
    }
}

export_plugin!(MyPlugin);
