//! Whether a function is running whose data Lua is about to finalise.
//!
//! It happens in Lua 5.1 alone, when a state is closed: a finaliser calls a function that makes much, the
//! collector goes on in the middle of that call, and runs the finalisers that are left, also those of what is
//! running and referred to. Then what they would drop is left alone: the process or the state is about to end.

use std::ffi::{CStr, c_int, c_void};
use std::mem::{self, offset_of};
use std::ptr;

use mlua::ffi::{self, lua_Debug, lua_State};

use crate::coroutines::resumed_by;
use crate::errors;

/// Threads from which calls begin: where the loader keeps the main thread, and the one that mlua is entered on.
const STARTS: [&CStr; 2] = [c"cygnixy.main", c"cygnixy.thread"];

/// The size of that field of the structure, in all Lua versions.
const SHORT_SOURCE: usize = 60;

/// Whether a function of this library is running.
///
/// # Safety
///
/// - `state` runs a finaliser, with room for three values.
pub(super) unsafe fn is_any(state: *mut lua_State) -> bool {
    // SAFETY: as the caller promises.
    unsafe { is_running(state, ptr::null()) }
}

/// Whether a function of this library is running that has a userdata as its first upvalue.
///
/// # Safety
///
/// - As for [`is_any`].
pub(crate) unsafe fn is_with(state: *mut lua_State, userdata: *const c_void) -> bool {
    // SAFETY: as the caller promises.
    unsafe { is_running(state, userdata) }
}

/// With null for any userdata.
unsafe fn is_running(state: *mut lua_State, userdata: *const c_void) -> bool {
    if cfg!(not(feature = "lua51")) {
        return false;
    }
    // SAFETY: as the caller promises. The registry keeps the threads, and has these names already, so that reading
    // them makes nothing; the other threads are on the stack of the one before.
    unsafe {
        if !is_within_a_call(state) {
            return false;
        }
        if is_on(state, true, userdata) {
            return true;
        }
        for name in STARTS {
            ffi::lua_getfield(state, ffi::LUA_REGISTRYINDEX, name.as_ptr());
            let mut next = ffi::lua_tothread(state, -1);
            ffi::lua_pop(state, 1);
            // Lua allows 200 calls of C within each other, and so no more coroutines.
            for _ in 0..1000 {
                if next.is_null() || next == state || ffi::lua_checkstack(next, 3) == 0 {
                    break;
                }
                if is_on(next, false, userdata) {
                    return true;
                }
                next = resumed_by(next).unwrap_or(ptr::null_mut());
            }
        }
        false
    }
}

/// Where the number of a function is in the structure: it is the last field in Lua 5.1. With the number each function
/// is found at once, and not by counting them from the last.
const NUMBER: usize = offset_of!(lua_Debug, short_src) + SHORT_SOURCE;

/// Whether the finaliser runs in the middle of another function, in Lua 5.1. LuaJIT also runs what is built for it,
/// and has other numbers: of all functions but the last they are larger than any in Lua 5.1, which has no more
/// than 20,000 functions on a stack.
unsafe fn is_within_a_call(state: *mut lua_State) -> bool {
    const LARGE: c_int = 1 << 16;
    // SAFETY: as in `is_on`; the number is read where Lua has written it.
    unsafe {
        let mut frame: lua_Debug = mem::zeroed();
        ffi::lua_getstack(state, 1, &raw mut frame) != 0
            && (&raw const frame).byte_add(NUMBER).cast::<c_int>().read() < LARGE
    }
}

/// Whether such a function is on the stack of a thread, less the last one if that is the finaliser.
unsafe fn is_on(state: *mut lua_State, is_finaliser: bool, userdata: *const c_void) -> bool {
    // SAFETY: `lua_Debug` is a C structure of integers, pointers and arrays, for which zero is a value; the
    // numbers are those of functions on the stack. At most two values are pushed at a time, and nothing raises.
    unsafe {
        let mut frame: lua_Debug = mem::zeroed();
        if ffi::lua_getstack(state, 0, &raw mut frame) == 0 {
            return false;
        }
        let number = (&raw mut frame).byte_add(NUMBER).cast::<c_int>();
        let last = number.read() - c_int::from(is_finaliser);
        (1..=last).rev().any(|one| {
            number.write(one);
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
            is_it
        })
    }
}
