//! The Lua face of the loader: the table that `require "cygnixy"` returns.

use std::sync::Arc;

use plugin_api::lua_abi::LUA_ABI;
use plugin_api::mlua::{self, Error, Lua, MultiValue, Table, Value};
use tracing::debug;

use crate::loaded::{Entry, LoadedPlugins};
use crate::logs;
use crate::logs::call;
use crate::lua_state::StateId;
use crate::paths::to_path;
use crate::plugin_info::PluginInfo;
use crate::{LoadOptions, Trusted, VERSION, runtime, seal, search, trust};

mod arguments;
mod entry;
mod files;
mod found;
mod lock_files;
mod pin;
mod reports;

use arguments::{
    bad_argument, bad_argument_at, check_options, collect_option, filter_argument,
    function_argument, optional_text_argument, plugin_argument, quiet_option, sha256_option,
    text_argument, text_argument_at, trusted_option,
};
use reports::{poll_result, report};

/// Makes the module's table in a Lua state.
fn table(lua: &Lua) -> mlua::Result<Table> {
    debug!(
        abi = runtime::lua_abi(),
        build = LUA_ABI,
        "the module is loaded"
    );
    plugin_api::late::make_late_calls_safe(lua)?;
    logs::open(lua)?;
    let plugins = Arc::new(LoadedPlugins::default());
    let module = lua.create_table()?;
    module.raw_set("_VERSION", format!("cygnixy {VERSION}"))?;
    module.raw_set("abi", runtime::lua_abi())?;
    let path = search::initial_path(runtime::lua_abi(), pin::module_file().as_deref());
    module.raw_set("path", lua.create_string(path)?)?;

    let trusted = trust::initial_list().into_encoded_bytes();
    module.raw_set("trusted", lua.create_string(trusted)?)?;

    let (loaded, holder) = (Arc::clone(&plugins), module.clone());
    let load = move |lua: &Lua, arguments: MultiValue| {
        let path = text_argument(arguments.front(), "load")?;
        if path.is_empty() {
            return Err(bad_argument("load", "the name is empty"));
        }
        check_options(arguments.get(1), &["sha256", "trusted"], "load")?;
        let sha256 = sha256_option(arguments.get(1), "load")?;
        let is_trusted = trusted_option(arguments.get(1), "load")?;
        let (path, is_named) = if search::is_path(&path) {
            (to_path(&path), false)
        } else {
            let found = search::search(&path, &text_field(&holder, "path")?);
            (found.map_err(Error::external)?, true)
        };
        let trusted = if is_named || is_trusted {
            let list = to_path(&text_field(&holder, "trusted")?);
            Some(Trusted::parse(list))
        } else {
            None
        };
        let options = LoadOptions { sha256, trusted };
        let loaded = loaded.load_into(&path, &options, lua);
        loaded.map_err(Error::external)
    };
    module.raw_set("load", lua.create_function(call(load))?)?;

    let holder = module.clone();
    let searchpath = move |lua: &Lua, arguments: MultiValue| {
        let name = text_argument(arguments.front(), "searchpath")?;
        let path = match arguments.get(1) {
            None | Some(Value::Nil) => text_field(&holder, "path")?,
            path => text_argument_at(2, path, "searchpath")?,
        };
        found::searchpath(lua, &name, &path)
    };
    module.raw_set("searchpath", lua.create_function(call(searchpath))?)?;

    let loaded = Arc::clone(&plugins);
    let unload = move |lua: &Lua, arguments: MultiValue| {
        let name = plugin_argument(lua, &loaded, arguments.front(), "unload")?;
        check_options(arguments.get(1), &["collect"], "unload")?;
        let collect = collect_option(arguments.get(1), "unload")?;
        report(
            lua,
            &loaded.unload(&name, collect).map_err(Error::external)?,
        )
    };
    module.raw_set("unload", lua.create_function(call(unload))?)?;

    let loaded = Arc::clone(&plugins);
    let reload = move |lua: &Lua, arguments: MultiValue| {
        let name = plugin_argument(lua, &loaded, arguments.front(), "reload")?;
        report(lua, &loaded.reload(&name).map_err(Error::external)?)
    };
    module.raw_set("reload", lua.create_function(call(reload))?)?;

    let loaded = Arc::clone(&plugins);
    let watch = move |lua: &Lua, arguments: MultiValue| {
        let name = plugin_argument(lua, &loaded, arguments.front(), "watch")?;
        check_options(arguments.get(1), &["quiet"], "watch")?;
        let quiet = quiet_option(arguments.get(1), "watch")?;
        loaded.watch(&name, quiet).map_err(Error::external)
    };
    module.raw_set("watch", lua.create_function(call(watch))?)?;

    let loaded = Arc::clone(&plugins);
    let unwatch = move |lua: &Lua, arguments: MultiValue| {
        let name = plugin_argument(lua, &loaded, arguments.front(), "unwatch")?;
        Ok(loaded.unwatch(&name))
    };
    module.raw_set("unwatch", lua.create_function(call(unwatch))?)?;

    let loaded = Arc::clone(&plugins);
    let poll = move |lua: &Lua, _: MultiValue| {
        let results = loaded.poll();
        let tables = results.iter().map(|one| poll_result(lua, one));
        lua.create_sequence_from(tables.collect::<mlua::Result<Vec<_>>>()?)
    };
    module.raw_set("poll", lua.create_function(call(poll))?)?;

    let loaded = Arc::clone(&plugins);
    let collect = move |lua: &Lua, _: MultiValue| {
        let reports = loaded.collect();
        let tables = reports.iter().map(|one| report(lua, one));
        lua.create_sequence_from(tables.collect::<mlua::Result<Vec<_>>>()?)
    };
    module.raw_set("collect", lua.create_function(call(collect))?)?;

    let loaded = Arc::clone(&plugins);
    let get = move |lua: &Lua, arguments: MultiValue| {
        let name = text_argument(arguments.front(), "get")?;
        let entry = loaded.get(&String::from_utf8_lossy(&name));
        Ok(entry.and_then(|entry| entry.table(StateId::of(lua))))
    };
    module.raw_set("get", lua.create_function(call(get))?)?;

    let loaded = Arc::clone(&plugins);
    let ffi = move |lua: &Lua, arguments: MultiValue| {
        let name = plugin_argument(lua, &loaded, arguments.front(), "ffi")?;
        let calls = loaded.direct_calls(&name, lua);
        calls.map_err(Error::external)
    };
    module.raw_set("ffi", lua.create_function(call(ffi))?)?;

    let loaded = Arc::clone(&plugins);
    let help = move |lua: &Lua, arguments: MultiValue| {
        let name = plugin_argument(lua, &loaded, arguments.front(), "help")?;
        let function = optional_text_argument(arguments.get(1), 2, "help")?;
        help(&loaded, &name, function.as_deref())
    };
    module.raw_set("help", lua.create_function(call(help))?)?;

    if seal::was_sealed(lua)? {
        // By another copy of this module, or by this one before a script has cleared the registry.
        plugins.seal();
    }
    let loaded = Arc::clone(&plugins);
    let seal_all = move |lua: &Lua, _: MultiValue| {
        loaded.seal();
        seal::seal_state(lua)
    };
    module.raw_set("seal", lua.create_function(call(seal_all))?)?;
    module.raw_set("lock", lock_files::table(lua, &plugins)?)?;

    files::add(lua, &module, &plugins)?;

    let list = move |lua: &Lua, _: MultiValue| {
        let entries = plugins.entries();
        lua.create_sequence_from(
            entries
                .iter()
                .map(|entry| describe(lua, entry))
                .collect::<mlua::Result<Vec<_>>>()?,
        )
    };
    module.raw_set("list", lua.create_function(call(list))?)?;

    module.raw_set("on_log", lua.create_function(call(on_log))?)?;
    // Not a `call`, which would tell once more what has come meanwhile, and not count it.
    let flush_log = |lua: &Lua, _: MultiValue| Ok(logs::flush(lua));
    module.raw_set("flush_log", lua.create_function(flush_log)?)?;
    Ok(module)
}

/// What is known of a plugin's functions, or of one of them.
fn help(loaded: &LoadedPlugins, plugin: &str, function: Option<&[u8]>) -> mlua::Result<String> {
    let Some(function) = function else {
        return loaded.help(plugin).map_err(Error::external);
    };
    let function = String::from_utf8_lossy(function);
    let all = loaded.help_by_function(plugin).map_err(Error::external)?;
    let found = all.into_iter().find(|(name, _)| *name == function);
    found.map(|(_, text)| text).ok_or_else(|| {
        let problem = format!("plugin '{plugin}' has no function '{function}'");
        bad_argument_at(2, "help", &problem)
    })
}

fn on_log(lua: &Lua, arguments: MultiValue) -> mlua::Result<()> {
    let function = function_argument(arguments.front(), "on_log")?;
    let filter = filter_argument(arguments.get(1), "on_log")?;
    logs::set_function(lua, function.as_ref(), filter.as_deref()).map_err(|error| match error {
        logs::SetError::Filter(problem) => bad_argument_at(2, "on_log", &problem),
        logs::SetError::Lua(error) => error,
    })
}

/// A field of the module's table, as the script has set it.
fn text_field(module: &Table, name: &str) -> mlua::Result<Vec<u8>> {
    match module.raw_get(name)? {
        Value::String(text) => Ok(text.as_bytes().to_vec()),
        _ => Err(Error::runtime(format!("'cygnixy.{name}' must be a string"))),
    }
}

fn describe(lua: &Lua, entry: &Entry) -> mlua::Result<Table> {
    let info = PluginInfo::of(entry);
    let table = lua.create_table()?;
    table.raw_set("name", info.name)?;
    table.raw_set("version", info.manifest.map(|manifest| manifest.version))?;
    table.raw_set("path", info.path)?;
    table.raw_set("functions", info.functions)?;
    table.raw_set("signatures", info.signatures)?;
    table.raw_set("docs", info.docs)?;
    Ok(table)
}
