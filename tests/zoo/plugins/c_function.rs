//! A bare C function: Lua holds the library's address, and nothing says whose it is.

use std::ffi::c_int;

use cygnixy_test_zoo::{Functions, Parts, with_ping};
use plugin_interface::export_plugin;
use plugin_interface::mlua::{self, Lua, ffi, lua_State};

unsafe extern "C-unwind" fn answer(state: *mut lua_State) -> c_int {
    // SAFETY: Lua calls this with its state, and with room for 20 values.
    unsafe { ffi::lua_pushinteger(state, 42) };
    1
}

/// - `bare()` returns a C function that returns 42;
/// - `bare_in_table()` is that function, which the loader wraps.
fn functions(lua: &Lua) -> mlua::Result<Functions> {
    // SAFETY: `answer` keeps to the rules for C functions.
    let answer = unsafe { lua.create_c_function(answer) }?;
    let in_table = answer.clone();
    let bare = lua.create_function(move |_, ()| Ok(answer.clone()))?;
    with_ping(lua, [("bare", bare), ("bare_in_table", in_table)])
}

export_plugin!(Parts {
    name: || "c_function",
    functions,
    ..Parts::default()
});
