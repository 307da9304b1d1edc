//! What stands in the slot of `lua_cpcall`, for Lua 5.1.
//!
//! mlua lets `lua_cpcall` put the function that it is going to call into the registry, under a key of its own, and
//! takes it from there when that call has returned. At the end of the call the collector may go on and run
//! finalisers; if one of them calls a function of the same library, which does the same, another function is in
//! the registry then, and mlua would call the wrong one. The collector does not go on where a function raises an
//! error. So what is called raises one when it is done, which is taken off again.
//!
//! It concerns Lua 5.1 alone: LuaJIT's collector does not go on there, and for other Luas mlua has another way.

use std::ffi::{c_int, c_void};
use std::mem;
use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering};

use mlua::ffi::{self, lua_CFunction, lua_State};

use super::real_lua_error;

/// The name of the slot.
const NAME: &str = "lua_cpcall";

type Cpcall = unsafe extern "C-unwind" fn(*mut lua_State, lua_CFunction, *mut c_void) -> c_int;

static REAL: AtomicPtr<()> = AtomicPtr::new(ptr::null_mut());

/// What to put into a slot in the place of the runtime's function, if it is this one.
pub(super) fn in_place_of(name: &str, address: *mut ()) -> Option<*mut ()> {
    if cfg!(not(feature = "lua51")) || name != NAME {
        return None;
    }
    REAL.store(address, Ordering::Relaxed);
    let ours: Cpcall = lua_cpcall;
    Some(ours as *mut ())
}

/// The runtime's function, if another stands in for it.
pub(super) fn real_address(name: &str) -> Option<*const c_void> {
    let real = REAL.load(Ordering::Relaxed);
    (name == NAME && !real.is_null()).then(|| real.cast_const().cast())
}

/// Calls the runtime's own function.
///
/// # Safety
///
/// - It has a stand-in.
/// - The rules of `lua_cpcall`.
#[inline(always)]
unsafe fn real(state: *mut lua_State, function: lua_CFunction, argument: *mut c_void) -> c_int {
    // SAFETY: the runtime's function of that name has this type; the caller keeps its rules.
    unsafe {
        let real = mem::transmute::<*mut (), Cpcall>(REAL.load(Ordering::Relaxed));
        real(state, function, argument)
    }
}

/// Makes a call as the runtime does, at the end of which the collector may go on.
///
/// # Safety
///
/// - The rules of `lua_cpcall`.
#[cfg(any(feature = "lua51", feature = "luajit"))]
pub(crate) unsafe fn call_plainly(
    state: *mut lua_State,
    function: lua_CFunction,
    argument: *mut c_void,
) -> c_int {
    // SAFETY: as the caller promises.
    unsafe {
        if REAL.load(Ordering::Relaxed).is_null() {
            ffi::lua_cpcall(state, function, argument)
        } else {
            real(state, function, argument)
        }
    }
}

/// What is to be called.
struct Job {
    function: lua_CFunction,
    argument: *mut c_void,
    is_done: bool,
}

/// Stands in for `lua_cpcall`.
unsafe extern "C-unwind" fn lua_cpcall(
    state: *mut lua_State,
    function: lua_CFunction,
    argument: *mut c_void,
) -> c_int {
    let mut job = Job {
        function,
        argument,
        is_done: false,
    };
    // SAFETY: the caller keeps the rules of `lua_cpcall`; the job outlives the call. If it is done, what is on top
    // is the error that `call` has raised.
    unsafe {
        let status = real(state, call, (&raw mut job).cast());
        if !job.is_done {
            return status;
        }
        ffi::lua_pop(state, 1);
        ffi::LUA_OK
    }
}

unsafe extern "C-unwind" fn call(state: *mut lua_State) -> c_int {
    // SAFETY: `lua_cpcall` passes the job, and a new function has room. Nothing is owned here.
    unsafe {
        let job = ffi::lua_touserdata(state, 1).cast::<Job>();
        ffi::lua_pushlightuserdata(state, (*job).argument);
        ffi::lua_replace(state, 1);
        ((*job).function)(state);
        ffi::lua_settop(state, 0);
        ffi::lua_pushnil(state);
        (*job).is_done = true;
        real_lua_error(state)
    }
}
