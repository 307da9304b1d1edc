//! Whether a function is running whose data Lua is about to finalise.
//!
//! It happens in Lua 5.1 alone, when a state is closed: a finaliser calls a function that makes much, the
//! collector goes on in the middle of that call, and runs the finalisers that are left, also those of what is
//! running and referred to. Then what they would drop is left alone: the process or the state is about to end.
//! (LuaJIT, too, runs what is built for Lua 5.1; there it finds nothing.)

use std::ffi::{CStr, c_int, c_void};
use std::mem;
use std::ptr;

use mlua::ffi::{self, lua_Debug, lua_State};

use crate::errors;

/// Threads on which functions run while other threads wait for them: where the loader keeps the main thread,
/// and the one that mlua is entered on.
const THREADS: [&CStr; 2] = [c"cygnixy.main", c"cygnixy.thread"];

/// How many functions of a stack are looked at. Lua counts levels from the top each time, so the cost grows with
/// the square.
const FRAMES: c_int = 200;

/// Whether a function of this library is running.
///
/// # Safety
///
/// - `state` runs a finaliser, with room for three values.
pub(super) unsafe fn is_any(state: *mut lua_State) -> bool {
    // SAFETY: as the caller promises.
    unsafe { is_on_a_stack(state, ptr::null()) }
}

/// Whether a function of this library is running that has a userdata as its first upvalue.
///
/// # Safety
///
/// - As for [`is_any`].
pub(crate) unsafe fn is_with(state: *mut lua_State, userdata: *const c_void) -> bool {
    // SAFETY: as the caller promises.
    unsafe { is_on_a_stack(state, userdata) }
}

/// With null for any userdata.
unsafe fn is_on_a_stack(state: *mut lua_State, userdata: *const c_void) -> bool {
    if cfg!(not(feature = "lua51")) {
        return false;
    }
    // SAFETY: as the caller promises. The registry keeps the threads, and has these names already, so that
    // reading them makes nothing.
    unsafe {
        // At level 0 is the finaliser itself.
        if is_on(state, 1, userdata) {
            return true;
        }
        THREADS.iter().any(|name| {
            ffi::lua_getfield(state, ffi::LUA_REGISTRYINDEX, name.as_ptr());
            let other = ffi::lua_tothread(state, -1);
            ffi::lua_pop(state, 1);
            !other.is_null()
                && other != state
                && ffi::lua_checkstack(other, 2) != 0
                && is_on(other, 0, userdata)
        })
    }
}

unsafe fn is_on(state: *mut lua_State, from: c_int, userdata: *const c_void) -> bool {
    // SAFETY: `lua_Debug` is a C structure of integers, pointers and arrays, for which zero is a value. At most
    // two values are pushed at a time, and nothing raises.
    unsafe {
        let mut frame: lua_Debug = mem::zeroed();
        for level in from..FRAMES {
            if ffi::lua_getstack(state, level, &raw mut frame) == 0 {
                return false;
            }
            ffi::lua_getinfo(state, c"f".as_ptr(), &raw mut frame);
            let code = ffi::lua_tocfunction(state, -1);
            let mut is_it = code.is_some_and(|code| errors::is_own(code as *const c_void));
            if is_it && !userdata.is_null() {
                is_it = !ffi::lua_getupvalue(state, -1, 1).is_null();
                if is_it {
                    is_it = ffi::lua_topointer(state, -1) == userdata;
                    ffi::lua_pop(state, 1);
                }
            }
            ffi::lua_pop(state, 1);
            if is_it {
                return true;
            }
        }
    }
    false
}
