//! A C function that yields: a suspended coroutine will continue inside the library.

use std::ffi::c_int;
use std::sync::atomic::{AtomicU32, Ordering};

use cygnixy_test_zoo::{Functions, Parts, with_ping};
use plugin_interface::export_plugin;
use plugin_interface::mlua::{self, Function, Lua, ffi, lua_State};

/// How often the continuation ran. Lua 5.1 and LuaJIT have none: there the coroutine returns
/// from the C function without running it again.
static CONTINUED: AtomicU32 = AtomicU32::new(0);

/// Yields its arguments, and returns what it is resumed with.
unsafe extern "C-unwind" fn pause(state: *mut lua_State) -> c_int {
    // SAFETY: Lua calls this with its state; nothing here has a destructor that a jump would skip.
    unsafe {
        let count = ffi::lua_gettop(state);
        #[cfg(any(feature = "lua51", feature = "luajit"))]
        return ffi::lua_yield(state, count);
        #[cfg(not(any(feature = "lua51", feature = "luajit")))]
        return ffi::lua_yieldk(state, count, 0, Some(continuation));
    }
}

#[cfg(feature = "lua52")]
unsafe extern "C-unwind" fn continuation(state: *mut lua_State) -> c_int {
    CONTINUED.fetch_add(1, Ordering::Relaxed);
    // SAFETY: as in `pause`.
    unsafe { ffi::lua_gettop(state) }
}

#[cfg(any(feature = "lua53", feature = "lua54", feature = "lua55"))]
unsafe extern "C-unwind" fn continuation(
    state: *mut lua_State,
    _status: c_int,
    _context: ffi::lua_KContext,
) -> c_int {
    CONTINUED.fetch_add(1, Ordering::Relaxed);
    // SAFETY: as in `pause`.
    unsafe { ffi::lua_gettop(state) }
}

/// - `bare()` returns the C function, which yields its arguments;
/// - `pause(...)` calls it: a function written in Lua, since the loader's wrapper for a C function
///   in the table cannot be yielded across;
/// - `continued()`: how often a coroutine went on inside the library.
fn functions(lua: &Lua) -> mlua::Result<Functions> {
    // SAFETY: `pause` keeps to the rules for C functions.
    let c_function = unsafe { lua.create_c_function(pause) }?;
    let pause: Function = lua
        .load("local pause = ... return function(...) return pause(...) end")
        .set_name("=pause")
        .call(&c_function)?;
    let bare = lua.create_function(move |_, ()| Ok(c_function.clone()))?;
    let continued = lua.create_function(|_, ()| Ok(CONTINUED.load(Ordering::Relaxed)))?;
    with_ping(
        lua,
        [("bare", bare), ("pause", pause), ("continued", continued)],
    )
}

export_plugin!(Parts {
    name: || "yielding",
    functions,
    ..Parts::default()
});
