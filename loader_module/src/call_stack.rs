//! Whether code of a plugin is running further up the call stack.
//!
//! A call may go through coroutines: the running one was resumed by another, and so on up to the
//! main thread. Lua does not say who resumed whom, so they are followed downwards. A plugin that resumes a coroutine itself is on the stack and thus seen. mlua may call
//! on the thread that it was first entered on, from which coroutines are followed in the same way.

use std::ffi::{CStr, c_void};

use plugin_api::coroutines::resumed_by;
use plugin_api::mlua::Lua;
use plugin_api::mlua::ffi::{self, lua_State};

use crate::library::Addresses;
use crate::lua_state;

/// Where the main thread is noted in a state whose Lua does not tell it.
const MAIN_KEY: &CStr = c"cygnixy.main";

/// Whether a function of the library is on the call stack, as far as it can be followed: a C function,
/// or one that `is_it` knows by its address as a Lua value.
pub(crate) fn is_running_code_of(
    lua: &Lua,
    addresses: &Addresses,
    is_it: &dyn Fn(*const c_void) -> bool,
) -> bool {
    let is_of_library =
        |code: *const c_void, function: *const c_void| addresses.contains(code) || is_it(function);
    lua.exec_raw_lua(|raw| {
        let running = raw.state();
        // SAFETY: `running` is valid, and so is every thread found from it: the main thread lives
        // as long as the state, the others are on the stack of the one before.
        unsafe {
            if ffi::lua_checkstack(running, 3) == 0 || has_function(running, &is_of_library) {
                return true;
            }
            // What mlua calls on a thread of its own, a log function say, may go on in coroutines as well.
            let starts = [main_thread(running), lua_state::known_thread(running)];
            starts
                .into_iter()
                .any(|start| is_on_chain(start, running, &is_of_library))
        }
    })
}

/// Whether a function is on the stack of a thread or of those that it has resumed, down to the one that runs.
///
/// # Safety
///
/// - `start` is a thread of the state that `running` runs.
unsafe fn is_on_chain(
    start: Option<*mut lua_State>,
    running: *mut lua_State,
    is_it: &dyn Fn(*const c_void, *const c_void) -> bool,
) -> bool {
    let mut thread = start;
    // No chain of coroutines is as long as this: Lua's own limit is 200 nested C calls.
    for _ in 0..1000 {
        match thread {
            // SAFETY: as the caller promises; the threads after the first are on the stack of the one before.
            Some(next) if next != running => unsafe {
                if ffi::lua_checkstack(next, 3) == 0 || has_function(next, is_it) {
                    return true;
                }
                thread = resumed_by(next);
            },
            _ => break,
        }
    }
    false
}

/// How many levels of a stack are looked at. Lua counts levels from the top each time, so the cost
/// grows with the square.
const LEVELS: i32 = 10_000;

/// Whether a function that the predicate knows, by its code if it is a C function and by its address
/// as a Lua value, is on the stack of a thread. On a stack that is too deep to be looked through, it
/// may be.
///
/// # Safety
///
/// - `state` is valid, with room for one value.
pub(crate) unsafe fn has_function(
    state: *mut lua_State,
    is_it: &dyn Fn(*const c_void, *const c_void) -> bool,
) -> bool {
    // SAFETY: `lua_Debug` is a C structure of integers, pointers and arrays, for which zero is a
    // value. One value is pushed and popped at a time, and none of this raises.
    unsafe {
        let mut frame: ffi::lua_Debug = std::mem::zeroed();
        for level in 0..LEVELS {
            if ffi::lua_getstack(state, level, &raw mut frame) == 0 {
                return false;
            }
            ffi::lua_getinfo(state, c"f".as_ptr(), &raw mut frame);
            let code = ffi::lua_tocfunction(state, -1);
            let code = code.map_or(std::ptr::null(), |f| f as *const c_void);
            let function = ffi::lua_topointer(state, -1);
            ffi::lua_pop(state, 1);
            if is_it(code, function) {
                return true;
            }
        }
    }
    true
}

/// The state's main thread, if it is known.
unsafe fn main_thread(state: *mut lua_State) -> Option<*mut lua_State> {
    // SAFETY: the caller's `state` is valid and has room for a value.
    unsafe {
        push_main_thread(state);
        let main = ffi::lua_tothread(state, -1);
        ffi::lua_pop(state, 1);
        (!main.is_null()).then_some(main)
    }
}

#[cfg(not(any(feature = "lua51", feature = "luajit")))]
unsafe fn push_main_thread(state: *mut lua_State) {
    // SAFETY: the registry always has the main thread at this index.
    unsafe { ffi::lua_rawgeti(state, ffi::LUA_REGISTRYINDEX, ffi::LUA_RIDX_MAINTHREAD) };
}

#[cfg(any(feature = "lua51", feature = "luajit"))]
unsafe fn push_main_thread(state: *mut lua_State) {
    // SAFETY: reading a field of the registry, which has no metatable unless a script that may
    // do anything gave it one.
    unsafe { ffi::lua_getfield(state, ffi::LUA_REGISTRYINDEX, MAIN_KEY.as_ptr()) };
}

/// Notes the main thread if it is the one that runs: Lua 5.1 and LuaJIT do not tell it later. May
/// raise for lack of memory.
///
/// # Safety
///
/// - `state` is valid and running, with room for one value.
pub(crate) unsafe fn note_main_thread(state: *mut lua_State) {
    // SAFETY: the caller's `state` is valid and has room.
    unsafe {
        if ffi::lua_pushthread(state) == 1 {
            ffi::lua_setfield(state, ffi::LUA_REGISTRYINDEX, MAIN_KEY.as_ptr());
        } else {
            ffi::lua_pop(state, 1);
        }
    }
}
