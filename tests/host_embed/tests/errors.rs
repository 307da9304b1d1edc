//! Errors: the loader's are structured, a plugin's are plain strings for whoever is outside of it.

use std::error::Error as _;

use cygnixy::plugin_api::lua_abi::{LUA_ABI, LUA_ABIS, accepted_by};
use cygnixy::{Error, Failure, Hook, PluginManager};
use cygnixy_host_embed::{Local, Trouble, error_of, probe, probe_for, with_probe};
use mlua::{Lua, Value};

#[test]
fn a_missing_file_has_the_systems_error_as_its_source() {
    let error = PluginManager::new()
        .load_plugin("no/such/plugin.so")
        .unwrap_err();
    let Error::Read { path, source } = &error else {
        panic!("{error:?}");
    };
    assert_eq!(path.to_str(), Some("no/such/plugin.so"));
    assert_eq!(source.kind(), std::io::ErrorKind::NotFound);
    assert!(error.source().unwrap().is::<std::io::Error>());
    assert!(
        !error.to_string().contains(&source.to_string()),
        "the source is told twice"
    );
    assert!(error.report().contains(&source.to_string()));
}

#[test]
fn each_kind_of_wrong_file_has_its_variant() {
    let folder = tempfile::tempdir().unwrap();
    let text = folder.path().join("text.so");
    std::fs::write(&text, "not a library").unwrap();
    let cut = folder.path().join("cut.so");
    let library = std::fs::read(probe()).unwrap();
    std::fs::write(&cut, &library[..library.len() / 2]).unwrap();

    let mut manager = PluginManager::new();
    let error = manager.load_plugin(folder.path()).unwrap_err();
    assert!(
        matches!(
            error,
            Error::NotAFile {
                found: "a directory",
                ..
            }
        ),
        "{error:?}"
    );
    for path in [text, cut] {
        let error = manager.load_plugin(&path).unwrap_err();
        assert!(matches!(error, Error::NotALibrary { .. }), "{error:?}");
        assert!(error.report().contains(path.to_str().unwrap()));
    }
    let error = manager.load_plugin("/proc/self/exe").unwrap_err();
    assert!(matches!(error, Error::NotAPlugin { .. }), "{error:?}");
}

#[test]
fn a_plugin_for_another_lua_is_refused_with_both_names() {
    for other in LUA_ABIS {
        let loaded = PluginManager::new().load_plugin(probe_for(other));
        if accepted_by(LUA_ABI).contains(&other) {
            loaded.unwrap_or_else(|error| panic!("{}", error.report()));
            continue;
        }
        let error = loaded.expect_err(other);
        let Error::WrongLua {
            expected, found, ..
        } = &error
        else {
            panic!("{error:?}");
        };
        assert_eq!((expected.as_str(), found.as_str()), (LUA_ABI, other));
    }
}

#[test]
fn two_files_of_one_name_do_not_meet() {
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("copy.so");
    let content = [std::fs::read(probe()).unwrap(), b"\n".to_vec()].concat();
    std::fs::write(&copy, content).unwrap();
    let (lua, mut manager) = with_probe();
    let error = manager.load_plugin(&copy).unwrap_err();
    let Error::NameTaken { name, path, loaded } = &error else {
        panic!("{error:?}");
    };
    assert_eq!(
        (name.as_str(), path),
        ("probe", &copy.canonicalize().unwrap())
    );
    assert_eq!(
        *loaded,
        probe().canonicalize().unwrap().display().to_string()
    );
    assert_eq!(lua.load("probe.add(1, 2)").eval::<i64>().unwrap(), 3);
}

#[test]
fn a_hook_that_fails_is_the_source() {
    let (plugin, _) = Local::new("broken", Trouble::LoadFails);
    let error = PluginManager::new()
        .register_plugin_instance(plugin)
        .unwrap_err();
    let failure = error.source().unwrap().downcast_ref::<Failure>();
    assert_eq!(failure, Some(&Failure::Error("no licence".to_owned())));

    let (plugin, _) = Local::new("mute", Trouble::FunctionsPanic);
    let mut manager = PluginManager::new();
    manager.register_plugin_instance(plugin).unwrap();
    let error = manager.register_all_plugins(&Lua::new()).unwrap_err();
    assert!(
        matches!(
            error,
            Error::Hook {
                hook: Hook::GetLuaFunctions,
                ..
            }
        ),
        "{error:?}"
    );
    let failure = error.source().unwrap().downcast_ref::<Failure>();
    assert!(matches!(failure, Some(Failure::Panic(text)) if text.contains("no functions today")));
}

#[test]
fn unloading_what_is_not_loaded_tells_what_is() {
    let (_lua, mut manager) = with_probe();
    let error = manager.unload_plugin("prob").unwrap_err();
    assert!(
        matches!(&error, Error::NotLoaded { name, loaded } if name == "prob" && loaded == &["probe"])
    );
    manager.unload_plugin("probe").unwrap();
    let error = manager.unload_plugin("probe").unwrap_err();
    assert!(matches!(error, Error::NotLoaded { .. }), "{error:?}");
}

#[test]
fn a_failing_function_is_a_string_for_lua_code() {
    let (lua, _manager) = with_probe();
    let check = "
        local calls = { probe.fail, function() probe.fail() end, probe.panic,
            coroutine.wrap(function() probe.fail() end), probe.object(1).fail }
        for index, call in ipairs(calls) do
            local ok, message = pcall(call, index == 5 and probe.object(1) or nil)
            assert(not ok and type(message) == 'string', index .. ': ' .. type(message))
            assert(not message:find('traceback'), message)
        end
        local ok, message = pcall(function() probe.fail() end)
        return message";
    let message: String = lua.load(check).set_name("=test").eval().unwrap();
    // With the position of the caller, as the functions of the standard library give it.
    assert_eq!(message, "test:9: the probe failed: no signal");
}

#[test]
fn a_failing_function_is_a_runtime_error_for_the_host() {
    let (lua, _manager) = with_probe();
    let error = lua
        .load("probe.fail()")
        .set_name("=test")
        .exec()
        .unwrap_err();
    let mlua::Error::RuntimeError(text) = &error else {
        panic!("no string arrived: {error:?}");
    };
    assert!(
        text.starts_with("test:1: the probe failed: no signal"),
        "{text}"
    );

    // Called from Rust there is no Lua code whose position could be told.
    let fail: mlua::Function = lua.load("probe.fail").eval().unwrap();
    let error = fail.call::<()>(()).unwrap_err();
    let mlua::Error::RuntimeError(text) = &error else {
        panic!("no string arrived: {error:?}");
    };
    assert!(text.starts_with("the probe failed: no signal"), "{text}");
}

#[test]
fn wrong_arguments_are_told() {
    let (lua, _manager) = with_probe();
    let error = error_of(&lua, "probe.add(1, {})");
    assert!(error.contains("test:1: bad argument #2"), "{error}");
    assert_eq!(lua.load("probe.add(1, 2)").eval::<i64>().unwrap(), 3);
}

#[test]
fn inside_the_plugin_an_error_stays_what_it_was() {
    let (lua, _manager) = with_probe();
    let (inner, outer): (bool, bool) = lua
        .load(
            "local direct = probe.catch(probe.fail)
             local through_lua = probe.catch(function() probe.fail() end)
             return direct.is_probe_error, through_lua.is_probe_error",
        )
        .eval()
        .unwrap();
    assert!(inner && outer, "direct: {inner}, through Lua: {outer}");
}

#[test]
fn an_error_of_the_host_passes_through_a_plugin() {
    let (lua, _manager) = with_probe();
    let refuse = lua.create_function(|_, ()| Err::<(), _>(mlua::Error::runtime("host says no")));
    lua.globals().set("refuse", refuse.unwrap()).unwrap();
    let error = error_of(&lua, "probe.call(refuse)");
    assert!(error.contains("host says no"), "{error}");
    let text: Value = lua.load("probe.catch(refuse).text").eval().unwrap();
    assert!(
        text.to_string().unwrap().contains("host says no"),
        "{text:?}"
    );
}

#[test]
fn a_panic_is_an_error_and_the_plugin_goes_on() {
    let (lua, mut manager) = with_probe();
    for _ in 0..3 {
        let error = error_of(&lua, "probe.panic('no luck')");
        assert!(
            error.contains("test:1:") && error.contains("no luck"),
            "{error}"
        );
        assert_eq!(lua.load("probe.add(1, 2)").eval::<i64>().unwrap(), 3);
    }
    lua.gc_collect().unwrap();
    manager.unload_plugin("probe").unwrap();
}
