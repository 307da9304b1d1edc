//! Loading, registering and unloading through `PluginManager`, and every order of ending.

use std::sync::{Mutex, PoisonError};

use cygnixy::{Error, Hook, PluginManager};
use cygnixy_host_embed::{EndLog, Local, Trouble, error_of, probe, with_probe};
use mlua::Lua;

fn hooks(list: &Mutex<Vec<&'static str>>) -> Vec<&'static str> {
    list.lock().unwrap_or_else(PoisonError::into_inner).clone()
}

#[test]
fn a_plugin_is_loaded_registered_called_and_unloaded() {
    let lua = Lua::new();
    let mut manager = PluginManager::new();
    let info = manager.load_plugin(probe()).unwrap();
    assert_eq!(info.name, "probe");
    assert_eq!(info.manifest.unwrap().name, "cygnixy-host-probe");
    assert!(info.functions.is_empty());

    manager.register_all_plugins(&lua).unwrap();
    assert_eq!(lua.load("probe.add(40, 2)").eval::<i64>().unwrap(), 42);
    let info = manager.get_plugin("probe").unwrap();
    assert!(info.functions.contains(&"add".to_owned()));
    assert!(info.functions.is_sorted());

    lua.load("held = probe.add").exec().unwrap();
    manager.unload_plugin("probe").unwrap();
    assert!(manager.get_plugin("probe").is_none());
    // To Lua code it is a string, with a position.
    let seen = "select(2, pcall(function() return (probe.add(1, 2)) end))";
    let seen: String = lua.load(seen).set_name("=seen").eval().unwrap();
    assert_eq!(seen, "seen:1: plugin 'probe' has been unloaded");
    for call in ["probe.add(1, 2)", "held(1, 2)"] {
        let error = error_of(&lua, call);
        assert!(
            error.contains("plugin 'probe' has been unloaded"),
            "{error}"
        );
    }
}

#[test]
fn a_plugin_can_be_loaded_again_after_it_was_unloaded() {
    let (lua, mut manager) = with_probe();
    lua.load("probe.count() old = probe.count").exec().unwrap();
    manager.unload_plugin("probe").unwrap();
    manager.load_plugin(probe()).unwrap();
    manager.register_all_plugins(&lua).unwrap();
    // The object is a new one; the old function stays revoked.
    assert_eq!(lua.load("probe.count()").eval::<i64>().unwrap(), 1);
    assert!(error_of(&lua, "old()").contains("has been unloaded"));
}

#[test]
fn loading_a_loaded_file_again_changes_nothing() {
    let (lua, mut manager) = with_probe();
    lua.load("probe.count()").exec().unwrap();
    let before = manager.get_plugin("probe").unwrap();
    assert_eq!(manager.load_plugin(probe()).unwrap(), before);
    manager.register_all_plugins(&lua).unwrap();
    assert_eq!(lua.load("probe.count()").eval::<i64>().unwrap(), 2);
    assert_eq!(manager.plugins().count(), 1);
}

#[test]
fn plugins_are_listed_in_the_order_of_loading() {
    let mut manager = PluginManager::new();
    let (second, _) = Local::new("alpha", Trouble::None);
    manager.load_plugin(probe()).unwrap();
    manager.register_plugin_instance(second).unwrap();
    let names: Vec<_> = manager.plugins().map(|plugin| plugin.name).collect();
    assert_eq!(names, ["probe", "alpha"]);
    let (file, program) = (
        manager.get_plugin("probe").unwrap(),
        manager.get_plugin("alpha").unwrap(),
    );
    assert_eq!(file.path.unwrap(), probe().canonicalize().unwrap());
    assert_eq!(program.path, None);
}

#[test]
fn register_plugin_gives_a_table_without_a_global() {
    let lua = Lua::new();
    let mut manager = PluginManager::new();
    manager.load_plugin(probe()).unwrap();
    let table = manager.register_plugin("probe", &lua).unwrap();
    let add: mlua::Function = table.get("add").unwrap();
    assert_eq!(add.call::<i64>((1, 2)).unwrap(), 3);
    assert!(lua.globals().get::<mlua::Value>("probe").unwrap().is_nil());
}

#[test]
fn a_plugin_of_the_program_runs_the_same_hooks() {
    let lua = Lua::new();
    let mut manager = PluginManager::new();
    let (plugin, ran) = Local::new("inner", Trouble::None);
    manager.register_plugin_instance(plugin).unwrap();
    manager.register_all_plugins(&lua).unwrap();
    assert_eq!(lua.load("inner.count()").eval::<i64>().unwrap(), 1);
    manager.unload_plugin("inner").unwrap();
    assert!(error_of(&lua, "inner.count()").contains("plugin 'inner' has been unloaded"));
    assert_eq!(
        hooks(&ran),
        ["on_load", "get_lua_functions", "on_unload", "drop"]
    );
}

#[test]
fn unload_runs_on_unload_once_and_drops() {
    let (lua, mut manager) = with_probe();
    let log = EndLog::of(&lua);
    manager.unload_plugin("probe").unwrap();
    assert_eq!(log.lines(), ["on_unload", "drop"]);
    drop(manager);
    drop(lua);
    assert_eq!(log.lines(), ["on_unload", "drop"]);
}

#[test]
fn dropping_the_manager_unloads_while_lua_goes_on() {
    let (lua, manager) = with_probe();
    let log = EndLog::of(&lua);
    drop(manager);
    assert_eq!(log.lines(), ["on_unload", "drop"]);
    assert!(error_of(&lua, "probe.add(1, 2)").contains("has been unloaded"));
    lua.gc_collect().unwrap();
    drop(lua);
    assert_eq!(log.lines(), ["on_unload", "drop"]);
}

#[test]
fn closing_the_state_ends_the_plugin_while_the_manager_goes_on() {
    let (lua, mut manager) = with_probe();
    let log = EndLog::of(&lua);
    drop(lua);
    assert_eq!(log.lines(), ["on_unload", "drop"]);

    // The manager still knows the plugin, and another state gets an object of its own.
    let lua = Lua::new();
    manager.register_all_plugins(&lua).unwrap();
    assert_eq!(lua.load("probe.count()").eval::<i64>().unwrap(), 1);
    manager.unload_plugin("probe").unwrap();
    assert_eq!(log.lines(), ["on_unload", "drop"]);
}

#[test]
fn plugins_of_the_program_outlive_a_state_and_end_with_the_manager() {
    let (plugin, ran) = Local::new("inner", Trouble::None);
    let mut manager = PluginManager::new();
    manager.register_plugin_instance(plugin).unwrap();
    for expected in 1..=2 {
        let lua = Lua::new();
        manager.register_all_plugins(&lua).unwrap();
        assert_eq!(lua.load("inner.count()").eval::<i64>().unwrap(), expected);
    }
    assert_eq!(
        hooks(&ran),
        ["on_load", "get_lua_functions", "get_lua_functions"]
    );
    drop(manager);
    assert_eq!(hooks(&ran)[3..], ["on_unload", "drop"]);
}

#[test]
fn the_last_loaded_is_unloaded_first() {
    let order = {
        let mut manager = PluginManager::new();
        let (first, first_ran) = Local::new("first", Trouble::None);
        manager.register_plugin_instance(first).unwrap();
        let lua = Lua::new();
        manager.load_plugin(probe()).unwrap();
        manager.register_all_plugins(&lua).unwrap();
        let log = EndLog::of(&lua);
        drop(manager);
        (hooks(&first_ran), log.lines())
    };
    assert_eq!(
        order.0,
        ["on_load", "get_lua_functions", "on_unload", "drop"]
    );
    assert_eq!(order.1, ["on_unload", "drop"]);
}

#[test]
fn a_plugin_that_was_never_registered_ends_too() {
    let (plugin, ran) = Local::new("idle", Trouble::None);
    let mut manager = PluginManager::new();
    manager.register_plugin_instance(plugin).unwrap();
    manager.load_plugin(probe()).unwrap();
    drop(manager);
    assert_eq!(hooks(&ran), ["on_load", "on_unload", "drop"]);
}

#[test]
fn a_load_that_fails_leaves_nothing() {
    let (plugin, ran) = Local::new("broken", Trouble::LoadFails);
    let mut manager = PluginManager::new();
    let error = manager.register_plugin_instance(plugin).unwrap_err();
    assert!(
        matches!(
            error,
            Error::Hook {
                hook: Hook::OnLoad,
                ..
            }
        ),
        "{error:?}"
    );
    assert_eq!(manager.plugins().count(), 0);
    // `on_load` did not succeed, so there is nothing to unload.
    assert_eq!(hooks(&ran), ["on_load", "drop"]);
}

#[test]
fn a_panic_in_on_unload_is_reported_and_the_plugin_is_gone() {
    let lua = Lua::new();
    let mut manager = PluginManager::new();
    let (plugin, ran) = Local::new("clinging", Trouble::UnloadPanics);
    manager.register_plugin_instance(plugin).unwrap();
    manager.register_all_plugins(&lua).unwrap();
    let error = manager.unload_plugin("clinging").unwrap_err();
    assert!(
        matches!(
            error,
            Error::Hook {
                hook: Hook::OnUnload,
                ..
            }
        ),
        "{error:?}"
    );
    assert!(
        error.report().contains("cannot let go"),
        "{}",
        error.report()
    );
    assert!(manager.get_plugin("clinging").is_none());
    assert!(error_of(&lua, "clinging.count()").contains("has been unloaded"));
    assert_eq!(
        hooks(&ran),
        ["on_load", "get_lua_functions", "on_unload", "drop"]
    );
}
