//! Where mlua keeps its data for a state: in the registry, under an address in this library that only
//! mlua knows. It is noted when mlua stores the data for the first time, as looking for it would mean
//! going through the whole registry, which has entries of every plugin of the state.

#[cfg(not(any(feature = "lua51", feature = "luajit")))]
use std::ffi::c_int;
use std::ffi::c_void;
use std::sync::atomic::{AtomicPtr, Ordering};

use mlua::ffi::{self, lua_State};

use super::anchor::is_learning;
#[cfg(not(any(feature = "lua51", feature = "luajit")))]
use super::intercept::intercepts;
#[cfg(not(any(feature = "lua51", feature = "luajit")))]
use crate::lua_api::slots;

/// The key, once it is known.
static KEY: AtomicPtr<c_void> = AtomicPtr::new(std::ptr::null_mut());

/// The key of mlua's data in the registry of every state; null if it is not known.
pub(crate) fn data_key() -> *const c_void {
    KEY.load(Ordering::Relaxed).cast_const()
}

/// Looks at a value that is about to be stored in a table under an address: while mlua makes its data
/// for a state, the only full userdata that is stored so is this data.
///
/// # Safety
///
/// - There is a value on top of the stack of `state`, which is valid.
pub(super) unsafe fn note(state: *mut lua_State, key: *const c_void) {
    // SAFETY: as the caller promises.
    if is_learning() && unsafe { ffi::lua_type(state, -1) } == ffi::LUA_TUSERDATA {
        KEY.store(key.cast_mut(), Ordering::Relaxed);
    }
}

#[cfg(not(any(feature = "lua51", feature = "luajit")))]
intercepts! {
    lua_rawsetp as RAWSETP: (state: *mut lua_State, table: c_int, key: *const c_void);
}

/// Puts the watching function into its slot. Lua 5.1 and LuaJIT have no such function, and mlua uses
/// `lua_rawset` in its place (`records`).
#[cfg(not(any(feature = "lua51", feature = "luajit")))]
pub(super) unsafe fn install() {
    RAWSETP.install(&slots::lua_rawsetp, lua_rawsetp as *const ());
}

/// Stands in for `lua_rawsetp`.
#[cfg(not(any(feature = "lua51", feature = "luajit")))]
unsafe extern "C-unwind" fn lua_rawsetp(state: *mut lua_State, table: c_int, key: *const c_void) {
    // SAFETY: the arguments are those of `lua_rawsetp`: a value is on the stack.
    unsafe {
        note(state, key);
        real::lua_rawsetp(state, table, key);
    }
}
