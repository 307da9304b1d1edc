//! Telling LuaJIT which thread runs, before an error leaves a C function.
//!
//! LuaJIT notes the thread of the state that runs, and machine code that it has made relies on the note. A
//! call of a function sets it, and so does the return of a C function, but an error does not: if the C
//! function has called something on another thread of the state, as the loader does when it calls a log
//! function, and then raises, the note stays wrong. The next machine code that is left writes to that other
//! thread what belongs to the running one, and the process crashes.

use mlua::ffi::lua_State;

/// Makes a thread the one that LuaJIT takes for running. Does nothing in other Luas. Does not raise.
///
/// # Safety
///
/// - `state` is valid and running, with room for two values.
#[cfg(any(feature = "lua51", feature = "luajit"))]
pub(super) unsafe fn set(state: *mut lua_State) {
    use crate::protected::{self, IS_RUNNING};
    use mlua::ffi;
    use std::ffi::c_int;
    use std::ptr;

    unsafe extern "C-unwind" fn nothing(_: *mut lua_State) -> c_int {
        0
    }
    // SAFETY: as the caller promises. What is built for Lua 5.1 may run in LuaJIT, which unlike Lua 5.1
    // tells whether the collector runs. If there is no memory for the call, there is a text to take off.
    unsafe {
        if cfg!(feature = "lua51") && ffi::lua_gc(state, IS_RUNNING, 0) < 0 {
            return;
        }
        if protected::call(state, nothing, ptr::null_mut()) != ffi::LUA_OK {
            ffi::lua_pop(state, 1);
        }
    }
}

/// Makes a thread the one that LuaJIT takes for running. Does nothing in other Luas.
///
/// # Safety
///
/// - None here.
#[cfg(not(any(feature = "lua51", feature = "luajit")))]
pub(super) unsafe fn set(_: *mut lua_State) {}
