//! `cygnixy.lock`: lock files for Lua programs.

use std::sync::Arc;

use plugin_api::mlua::{self, Error, Lua, MultiValue, Table};

use super::arguments::text_argument;
use crate::loaded::LoadedPlugins;
use crate::logs::call;
use crate::paths::to_path;

/// The table with the functions for lock files.
pub(super) fn table(lua: &Lua, plugins: &Arc<LoadedPlugins>) -> mlua::Result<Table> {
    let table = lua.create_table()?;

    let loaded = Arc::clone(plugins);
    let write = move |_: &Lua, arguments: MultiValue| {
        let path = to_path(&text_argument(arguments.front(), "write")?);
        loaded.write_lock_file(&path).map_err(Error::external)
    };
    table.raw_set("write", lua.create_function(call(write))?)?;

    let loaded = Arc::clone(plugins);
    let use_file = move |_: &Lua, arguments: MultiValue| {
        let path = to_path(&text_argument(arguments.front(), "use")?);
        loaded.use_lock_file(&path).map_err(Error::external)
    };
    table.raw_set("use", lua.create_function(call(use_file))?)?;
    Ok(table)
}
