//! What stands in the slot of `lua_cpcall`, for Lua 5.1.
//!
//! mlua lets `lua_cpcall` put the function that it is going to call into the registry, under a key of its own, and
//! takes it from there when that call has returned. At the end of the call the collector may go on and run
//! finalisers; if one of them calls a function of the same library, which does the same, another function is in
//! the registry then, and mlua would call the wrong one. So a call within which another was made is made again.
//!
//! It concerns Lua 5.1 alone: LuaJIT's collector does not go on there, and for other Luas mlua has another way.

use std::ffi::{c_int, c_void};
use std::mem;
use std::ptr;
use std::sync::atomic::{AtomicPtr, AtomicUsize, Ordering};

use mlua::ffi::{self, lua_CFunction, lua_State};

/// The name of the slot.
const NAME: &str = "lua_cpcall";

type Cpcall = unsafe extern "C-unwind" fn(*mut lua_State, lua_CFunction, *mut c_void) -> c_int;

static REAL: AtomicPtr<()> = AtomicPtr::new(ptr::null_mut());

/// How many calls were made, by state. Another state may have the same counter, and then only causes calls to
/// be made once more.
static CALLS: [AtomicUsize; 64] = [const { AtomicUsize::new(0) }; 64];

/// How often a call is made at most.
const ATTEMPTS: usize = 1000;

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

/// Makes a call once, whatever it does.
///
/// # Safety
///
/// - The rules of `lua_cpcall`.
#[cfg(any(feature = "lua51", feature = "luajit"))]
pub(crate) unsafe fn call_once(
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

/// Stands in for `lua_cpcall`, which mlua calls with functions that can be called again if they succeed.
unsafe extern "C-unwind" fn lua_cpcall(
    state: *mut lua_State,
    function: lua_CFunction,
    argument: *mut c_void,
) -> c_int {
    // SAFETY: the arguments are those of the function; every state has a registry, of which only the address is
    // used.
    unsafe {
        let registry = ffi::lua_topointer(state, ffi::LUA_REGISTRYINDEX).addr();
        let calls = &CALLS[(registry >> 5) % CALLS.len()];
        let mut status = ffi::LUA_OK;
        for _ in 0..ATTEMPTS {
            let this = calls.fetch_add(1, Ordering::Relaxed).wrapping_add(1);
            status = real(state, function, argument);
            if status != ffi::LUA_OK || calls.load(Ordering::Relaxed) == this {
                break;
            }
        }
        status
    }
}
