//! Its destructor panics: the plugin object is half gone.
#![forbid(unsafe_code)]
#![expect(clippy::panic, reason = "the point of this plugin")]

use cygnixy_test_zoo::{Functions, HookResult, silence_panics, with_ping};
use plugin_interface::mlua::Lua;
use plugin_interface::{PluginLua, export_plugin};

struct PanicDrop;

impl Drop for PanicDrop {
    fn drop(&mut self) {
        panic!("no panic_drop");
    }
}

impl PluginLua for PanicDrop {
    fn name(&self) -> &str {
        "panic_drop"
    }

    fn on_load(&mut self) -> HookResult {
        silence_panics();
        Ok(())
    }

    fn on_unload(&mut self) -> HookResult {
        Ok(())
    }

    fn get_lua_functions(&self, lua: &Lua) -> Functions {
        with_ping(lua, []).unwrap_or_default()
    }
}

export_plugin!(PanicDrop);
