//! Several Lua states, on one thread and on several.

use std::sync::Barrier;
use std::sync::atomic::{AtomicUsize, Ordering};

use cygnixy::PluginManager;
use cygnixy_host_embed::{EndLog, build_dir, probe, with_probe};
use mlua::Lua;

#[test]
fn every_plugin_of_this_lua_loads() {
    let folder = build_dir()
        .join(cygnixy::plugin_api::lua_abi::LUA_ABI)
        .join("plugins");
    let mut manager = PluginManager::new();
    let mut loaded = 0;
    for entry in std::fs::read_dir(folder).expect("tests/rust.sh builds the plugins") {
        let path = entry.unwrap().path();
        manager
            .load_plugin(&path)
            .unwrap_or_else(|error| panic!("{}", error.report()));
        loaded += 1;
    }
    assert!(loaded > 0);
    let lua = Lua::new();
    manager.register_all_plugins(&lua).unwrap();
    let greeting: String = lua.load("greet.hello('world')").eval().unwrap();
    assert_eq!(greeting, "Hello, world!");
}

#[test]
fn one_manager_serves_two_states_with_an_object_each() {
    let (first, second) = (Lua::new(), Lua::new());
    let mut manager = PluginManager::new();
    manager.load_plugin(probe()).unwrap();
    let mut logs = Vec::new();
    for lua in [&first, &second] {
        manager.register_all_plugins(lua).unwrap();
        logs.push(EndLog::of(lua));
    }
    for expected in 1..=3 {
        assert_eq!(first.load("probe.count()").eval::<i64>().unwrap(), expected);
    }
    assert_eq!(second.load("probe.count()").eval::<i64>().unwrap(), 1);

    // Closing one state ends its object alone.
    drop(first);
    assert_eq!(logs[0].lines(), ["on_unload", "drop"]);
    assert!(logs[1].lines().is_empty());
    assert_eq!(second.load("probe.count()").eval::<i64>().unwrap(), 2);
    manager.unload_plugin("probe").unwrap();
    assert_eq!(logs[0].lines(), ["on_unload", "drop"]);
    assert_eq!(logs[1].lines(), ["on_unload", "drop"]);
}

/// The example plugin `store` has one file open in one state at a time, whichever thread that is on.
#[test]
fn states_on_threads_have_stores_of_their_own() {
    let folder = tempfile::tempdir().unwrap();
    let plugin = build_dir()
        .join(cygnixy::plugin_api::lua_abi::LUA_ABI)
        .join("plugins/store.so");
    let (turn, opened_by) = (Barrier::new(4), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let (turn, opened_by, plugin, folder) = (&turn, &opened_by, &plugin, folder.path());
            scope.spawn(move || {
                let lua = Lua::new();
                let mut manager = PluginManager::new();
                manager.load_plugin(plugin).unwrap();
                manager.register_all_plugins(&lua).unwrap();
                lua.globals().set("folder", folder.to_str()).unwrap();
                lua.globals().set("thread", thread).unwrap();
                turn.wait();
                let opened: bool = lua
                    .load(
                        "own = store.open(folder .. '/own' .. thread)
                        for i = 1, 20 do own:set('key ' .. i, 'value') end
                        assert(own:count() == 20)
                        local ok, result = pcall(store.open, folder .. '/shared')
                        assert(ok or result:find(folder .. '/shared', 1, true), result)
                        shared = ok and result
                        return ok",
                    )
                    .eval()
                    .unwrap();
                opened_by.fetch_add(usize::from(opened), Ordering::Relaxed);
                turn.wait();
                assert_eq!(opened_by.load(Ordering::Relaxed), 1);
                manager.unload_plugin("store").unwrap();
            });
        }
    });
}

#[test]
fn two_managers_in_one_state_do_not_disturb_each_other() {
    let lua = Lua::new();
    let (mut first, mut second) = (PluginManager::new(), PluginManager::new());
    first.load_plugin(probe()).unwrap();
    second.load_plugin(probe()).unwrap();
    let one = first.register_plugin("probe", &lua).unwrap();
    let two = second.register_plugin("probe", &lua).unwrap();
    let count = |table: &mlua::Table| {
        table
            .get::<mlua::Function>("count")
            .unwrap()
            .call::<i64>(())
    };
    assert_eq!(count(&one).unwrap(), 1);
    assert_eq!(count(&two).unwrap(), 1);
    drop(first);
    assert!(
        count(&one)
            .unwrap_err()
            .to_string()
            .contains("has been unloaded")
    );
    assert_eq!(count(&two).unwrap(), 2);
}

#[test]
fn states_on_threads_do_not_see_each_other() {
    const THREADS: i64 = 4;
    const CALLS: i64 = 200;
    let barrier = Barrier::new(THREADS as usize);
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            let barrier = &barrier;
            scope.spawn(move || {
                // All load at once.
                barrier.wait();
                let (lua, mut manager) = with_probe();
                let log = EndLog::of(&lua);
                lua.globals().set("thread", thread).unwrap();
                for call in 1..=CALLS {
                    let count: i64 = lua.load("probe.count()").eval().unwrap();
                    assert_eq!(count, call);
                    let failed = lua
                        .load("pcall(probe.fail)")
                        .eval::<(bool, String)>()
                        .unwrap();
                    assert!(!failed.0);
                }
                assert_eq!(
                    lua.load("probe.echo(thread)").eval::<i64>().unwrap(),
                    thread
                );
                barrier.wait();
                if thread % 2 == 0 {
                    manager.unload_plugin("probe").unwrap();
                } else {
                    drop(lua);
                }
                assert_eq!(log.lines(), ["on_unload", "drop"]);
            });
        }
    });
}

#[test]
fn states_come_and_go() {
    for round in 0..50 {
        let (lua, manager) = with_probe();
        assert_eq!(
            lua.load("probe.count()").eval::<i64>().unwrap(),
            1,
            "round {round}"
        );
        lua.load("kept = { probe.object(1), probe.add } pcall(probe.fail)")
            .exec()
            .unwrap();
        if round % 2 == 0 {
            drop(manager);
            drop(lua);
        } else {
            drop(lua);
            drop(manager);
        }
    }
}

#[test]
fn a_first_registration_inside_a_coroutine_that_dies() {
    let lua = Lua::new();
    let mut manager = PluginManager::new();
    manager.load_plugin(probe()).unwrap();
    // The host registers on request of a script that runs in a coroutine.
    let shared = std::sync::Arc::new(manager);
    let inner = std::sync::Arc::clone(&shared);
    let register = lua.create_function(move |lua, ()| {
        inner
            .register_all_plugins(lua)
            .map_err(mlua::Error::external)
    });
    lua.globals().set("register", register.unwrap()).unwrap();
    lua.load(
        "coroutine.wrap(function() register() pcall(probe.fail) end)()
         for _ = 1, 5 do collectgarbage() end
         for _ = 1, 100 do assert(not pcall(probe.fail)) assert(not pcall(probe.panic)) end
         assert(probe.add(1, 2) == 3)",
    )
    .exec()
    .unwrap();
}
