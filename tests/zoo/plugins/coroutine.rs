//! Coroutines that the plugin made, resumes, or is the body of: a suspended one may be anywhere.
#![forbid(unsafe_code)]

use cygnixy_test_zoo::{Functions, Parts, with_ping};
use plugin_interface::export_plugin;
use plugin_interface::mlua::{self, Function, Lua, MultiValue, Thread};

/// - `make(f)` returns a coroutine with the body `f`;
/// - `resume(co, ...)` resumes one, and returns what it yields or returns, without a status;
/// - `inside(f)` returns a coroutine whose body is a function of the plugin, which calls `f`;
/// - `generator(n)` is written in Lua and yields 1 to `n`.
fn functions(lua: &Lua) -> mlua::Result<Functions> {
    let make = lua.create_function(|lua, f: Function| lua.create_thread(f))?;
    let resume = lua.create_function(|_, (thread, arguments): (Thread, MultiValue)| {
        thread.resume::<MultiValue>(arguments)
    })?;
    let inside = lua.create_function(|lua, f: Function| {
        let body =
            lua.create_function(move |_, arguments: MultiValue| f.call::<MultiValue>(arguments))?;
        lua.create_thread(body)
    })?;
    let generator = lua
        .load("local yield = coroutine.yield return function(n) for i = 1, n do yield(i) end end")
        .set_name("=generator")
        .eval()?;
    with_ping(
        lua,
        [
            ("make", make),
            ("resume", resume),
            ("inside", inside),
            ("generator", generator),
        ],
    )
}

export_plugin!(Parts {
    name: || "coroutine",
    functions,
    ..Parts::default()
});
