//! A plugin object of a megabyte: what an unload does not drop shows in the process's memory.
#![forbid(unsafe_code)]

use cygnixy_test_zoo::{Functions, HookResult, with_ping};
use plugin_interface::mlua::{self, Lua};
use plugin_interface::{PluginLua, export_plugin};

struct BigState(Vec<u8>);

impl BigState {
    /// `size()`: the object's, in bytes.
    fn functions(&self, lua: &Lua) -> mlua::Result<Functions> {
        let size = self.0.len();
        let size = lua.create_function(move |_, ()| Ok(size))?;
        with_ping(lua, [("size", size)])
    }
}

impl PluginLua for BigState {
    fn name(&self) -> &str {
        "big_state"
    }

    fn on_load(&mut self) -> HookResult {
        // Written to, as memory that is not does not count.
        self.0.resize(1024 * 1024, 1);
        Ok(())
    }

    fn on_unload(&mut self) -> HookResult {
        Ok(())
    }

    fn get_lua_functions(&self, lua: &Lua) -> Functions {
        self.functions(lua).unwrap_or_default()
    }
}

export_plugin!(BigState(Vec::new()));
