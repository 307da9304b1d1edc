//! The module's functions about plugin files, which load nothing.

use std::sync::Arc;

use plugin_api::manifest::Manifest;
use plugin_api::mlua::{self, Error, Lua, MultiValue, Table};

use super::arguments::{bad_argument, text_argument};
use super::text_field;
use crate::Error as LoaderError;
use crate::loaded::LoadedPlugins;
use crate::logs::call;
use crate::paths::to_path;
use crate::search::found::{self, Found};
use crate::{Trusted, plugin_file, search};

/// Adds the functions to the module's table.
pub(super) fn add(lua: &Lua, module: &Table, plugins: &Arc<LoadedPlugins>) -> mlua::Result<()> {
    let inspect = |lua: &Lua, arguments: MultiValue| {
        let path = text_argument(arguments.front(), "inspect")?;
        let manifest = plugin_file::inspect(to_path(&path)).map_err(Error::external)?;
        manifest_table(lua, manifest)
    };
    module.raw_set("inspect", lua.create_function(call(inspect))?)?;

    let (loaded, holder) = (Arc::clone(plugins), module.clone());
    let check = move |lua: &Lua, arguments: MultiValue| {
        let text = text_argument(arguments.front(), "check")?;
        if text.is_empty() {
            return Err(bad_argument("check", "the name is empty"));
        }
        let checked = if search::is_path(&text) {
            loaded.check(&to_path(&text), None, lua)
        } else {
            let trusted = trusted(&holder)?;
            let found = search::search(&text, &text_field(&holder, "path")?);
            found.and_then(|path| loaded.check(&path, Some(&trusted), lua))
        };
        Ok(match checked {
            Ok(()) => (Some(true), None),
            Err(error) => (None, Some(error.report())),
        })
    };
    module.raw_set("check", lua.create_function(call(check))?)?;

    let (loaded, holder) = (Arc::clone(plugins), module.clone());
    let available = move |lua: &Lua, _: MultiValue| {
        let trusted = trusted(&holder)?;
        let found = found::all(&text_field(&holder, "path")?);
        let tables = found.into_iter().map(|one| {
            let problem = loaded.check(&one.path, Some(&trusted), lua).err();
            found_table(lua, one, problem)
        });
        lua.create_sequence_from(tables.collect::<mlua::Result<Vec<_>>>()?)
    };
    module.raw_set("available", lua.create_function(call(available))?)
}

/// What the script has listed as trusted.
fn trusted(module: &Table) -> mlua::Result<Trusted> {
    Ok(Trusted::parse(to_path(&text_field(module, "trusted")?)))
}

fn found_table(lua: &Lua, found: Found, problem: Option<LoaderError>) -> mlua::Result<Table> {
    let table = lua.create_table()?;
    if let Ok(manifest) = plugin_file::inspect(&found.path) {
        table.raw_set("manifest", manifest_table(lua, manifest)?)?;
    }
    table.raw_set("problem", problem.map(|error| error.report()))?;
    table.raw_set("name", lua.create_string(found.name)?)?;
    table.raw_set("path", found.path)?;
    table.raw_set("hidden_by", found.hidden_by)?;
    Ok(table)
}

fn manifest_table(lua: &Lua, manifest: Manifest) -> mlua::Result<Table> {
    let table = lua.create_table()?;
    table.raw_set("name", manifest.name)?;
    table.raw_set("version", manifest.version)?;
    table.raw_set("authors", manifest.authors)?;
    table.raw_set("description", manifest.description)?;
    table.raw_set("abi", manifest.lua_abi)?;
    table.raw_set("api_version", manifest.api_version)?;
    table.raw_set("mlua", manifest.mlua)?;
    table.raw_set("rustc", manifest.rustc)?;
    table.raw_set("target", manifest.target)?;
    Ok(table)
}
