//! The seed's host: loads a plugin, registers it, unloads it; and calls it before and after.

use mlua::Lua;
use plugin_manager::PluginManager;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let path = std::env::args().nth(1).ok_or("usage: seed-host PLUGIN")?;
    let lua = Lua::new();
    let mut manager = PluginManager::new();

    // Load a plugin from a shared library
    manager.load_plugin(&path)?;

    // Register plugin functions with Lua
    manager.register_all_plugins(&lua)?;
    lua.load("my_plugin.hello('Lua')").exec()?;

    // Unload the plugin
    manager.unload_plugin("my_plugin")?;

    // What is left of it says so
    let refused = lua.load("my_plugin.hello('again')").exec();
    println!("{}", refused.expect_err("the plugin is unloaded"));
    Ok(())
}
