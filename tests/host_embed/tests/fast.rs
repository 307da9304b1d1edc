//! Fast functions in programs: of plugins from files and of those that are part of the program, in
//! several states, and their direct calls where the program's Lua is LuaJIT.
#![expect(clippy::unwrap_used, reason = "a failure is a failed test")]

use std::collections::HashMap;
use std::error::Error;
use std::sync::Arc;

use cygnixy::plugin_api::{FunctionDoc, LuaExt, PluginLua};
use cygnixy::{Error as LoaderError, PluginManager};
use cygnixy_host_embed::own_copy;
use mlua::{Function, Lua, Table};

/// A plugin of the program.
struct Sums;

impl PluginLua for Sums {
    fn name(&self) -> &str {
        "sums"
    }

    fn on_load(&mut self) -> Result<(), Box<dyn Error>> {
        Ok(())
    }

    fn on_unload(&mut self) -> Result<(), Box<dyn Error>> {
        Ok(())
    }

    fn get_lua_functions(&self, lua: &Lua) -> HashMap<String, Function> {
        let base = 10.0;
        let add = lua.create_fast_function(|a: f64, b: f64| a + b).unwrap();
        let more = lua.create_fast_function(move |a: f64| base + a).unwrap();
        // SAFETY: it uses no Lua state.
        let twice = unsafe { lua.create_ffi_function(|a: f64| 2.0 * a) }.unwrap();
        HashMap::from([
            ("add".to_owned(), add),
            ("more".to_owned(), more),
            ("twice".to_owned(), twice),
        ])
    }

    fn docs(&self) -> Vec<FunctionDoc> {
        let add = FunctionDoc::new("add").parameters(["a", "b"]);
        vec![add.text("Adds two numbers.")]
    }
}

/// The value of an expression. It is no tail call: an error is to have its position.
fn call(lua: &Lua, expression: &str) -> mlua::Result<f64> {
    let code = format!("local value = {expression} return value");
    lua.load(code).set_name("=code").eval()
}

/// A state with all libraries, LuaJIT's FFI among them.
fn with_all_libraries() -> Lua {
    // SAFETY: the scripts of these tests use none of them.
    unsafe { Lua::unsafe_new() }
}

#[test]
fn functions_of_the_program_are_fast_too() {
    let (lua, mut manager) = (Lua::new(), PluginManager::new());
    manager.register_plugin_instance(Box::new(Sums)).unwrap();
    manager.register_all_plugins(&lua).unwrap();
    assert_eq!(call(&lua, "sums.add(1, '2') + sums.more(3)").unwrap(), 16.0);
    let error = call(&lua, "sums.add(1, {})").unwrap_err().to_string();
    let expected = "code:1: bad argument #2 to 'add' (number expected, got table)";
    assert!(error.contains(expected), "{error}");
    assert_eq!(
        manager.help("sums").unwrap(),
        "sums.add(a: number, b: number) -> number\n    Adds two numbers.\n\
         sums.more(number) -> number\nsums.twice(number) -> number"
    );
    let info = manager.plugins().next().unwrap();
    assert_eq!(info.docs["add"], "Adds two numbers.");
    assert_eq!(info.docs.len(), 1);
    assert_eq!(info.signatures["add"], "(a: number, b: number) -> number");
    let add: Function = lua.load("return sums.add").eval().unwrap();
    manager.unload_plugin("sums").unwrap();
    for code in ["sums.add(1, 2)", "sums.more(1)"] {
        let error = call(&lua, code).unwrap_err().to_string();
        assert!(error.contains("plugin 'sums' has been unloaded"), "{error}");
    }
    let error = add.call::<f64>((1, 2)).unwrap_err().to_string();
    assert!(error.contains("plugin 'sums' has been unloaded"), "{error}");
    assert!(matches!(
        manager.help("sums"),
        Err(LoaderError::NotLoaded { .. })
    ));
}

#[test]
fn one_state_is_not_revoked_with_another() {
    let path = own_copy("fixtures", "fast");
    let (first, second) = (Lua::new(), Lua::new());
    let mut one = PluginManager::new();
    let mut other = PluginManager::new();
    let of_first = one.load_plugin_into(&path, &first).unwrap();
    let of_second = other.load_plugin_into(&path, &second).unwrap();
    let add = |table: &Table| table.get::<Function>("add")?.call::<f64>((1, 2));
    let count = |table: &Table| table.get::<Function>("count")?.call::<i64>(());
    let held: Function = of_first.get("add").unwrap();
    one.unload_plugin("fast").unwrap();
    assert!(add(&of_first).is_err());
    assert!(held.call::<f64>((1, 2)).is_err());
    assert_eq!(add(&of_second).unwrap(), 3.0);
    assert_eq!(
        (count(&of_second).unwrap(), count(&of_second).unwrap()),
        (1, 2)
    );
    drop((held, of_first));
    assert_eq!(add(&of_second).unwrap(), 3.0);
    drop(of_second);
    other.unload_plugin("fast").unwrap();
}

#[test]
fn direct_calls_are_those_of_the_ordinary_functions() {
    let (lua, mut manager) = (with_all_libraries(), PluginManager::new());
    manager.register_plugin_instance(Box::new(Sums)).unwrap();
    manager.register_all_plugins(&lua).unwrap();
    let direct = manager.ffi_functions("sums", &lua).unwrap();
    lua.globals().set("direct", direct).unwrap();
    let sum = "(function() local sum = 0 \
        for i = 1, 1000 do sum = sum + direct.twice(i) + direct.add(i, '1') end return sum end)()";
    assert_eq!(call(&lua, sum).unwrap(), 1_502_500.0);
    let is_direct: bool = lua
        .load("return direct.twice ~= sums.twice")
        .eval()
        .unwrap();
    assert_eq!(is_direct, cfg!(feature = "luajit"));
    manager.unload_plugin("sums").unwrap();
    let error = call(&lua, "direct.twice(1)").unwrap_err().to_string();
    assert!(error.contains("plugin 'sums' has been unloaded"), "{error}");
}

#[test]
fn what_a_function_captured_goes_with_its_state() {
    let shared = Arc::new(());
    let lua = Lua::new();
    let held = Arc::clone(&shared);
    let function = lua
        .create_fast_function(move || Arc::strong_count(&held) as i64)
        .unwrap();
    assert_eq!(function.call::<i64>(()).unwrap(), 2);
    drop((function, lua));
    assert_eq!(Arc::strong_count(&shared), 1);
}
