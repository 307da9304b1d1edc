//! The end of mlua's own data for a state.
//!
//! mlua keeps it in the registry, under an address in this library, as the only full userdata that
//! is kept so; its finaliser runs when the state is closed.

use std::ffi::{c_int, c_void};
use std::sync::atomic::{AtomicBool, Ordering};

use mlua::ffi::{self, lua_State};

use super::running;
use crate::errors;
use crate::residence;

/// The key, in the registry, for whether the end has come.
static OVER_KEY: u8 = 0;

fn key() -> *const c_void {
    (&raw const OVER_KEY).cast()
}

/// Whether mlua's data was finalised in any state.
static IS_OVER_SOMEWHERE: AtomicBool = AtomicBool::new(false);

/// As [`is_over`], at no cost before the first end of a state.
///
/// # Safety
///
/// - As for [`is_over`].
#[inline(always)]
pub(crate) unsafe fn is_surely_over(state: *mut lua_State) -> bool {
    // SAFETY: as the caller promises.
    IS_OVER_SOMEWHERE.load(Ordering::Relaxed) && unsafe { is_over(state) }
}

/// Whether mlua's data for the state was finalised, so that mlua must not be entered there.
///
/// # Safety
///
/// - `state` is valid, with room for two values.
pub(crate) unsafe fn is_over(state: *mut lua_State) -> bool {
    // SAFETY: the caller's `state` has room; reading the registry does not raise.
    unsafe {
        ffi::lua_rawgetp(state, ffi::LUA_REGISTRYINDEX, key());
        let over = ffi::lua_toboolean(state, -1) != 0;
        ffi::lua_pop(state, 1);
        over
    }
}

/// Makes [`is_over`] know of the end. May raise for lack of memory.
///
/// # Safety
///
/// - `state` is running a protected call, and mlua has made its data for the state.
pub(super) unsafe fn watch(state: *mut lua_State) {
    // SAFETY: room for eight values is asked for. The registry is not changed while it is
    // traversed.
    unsafe {
        ffi::luaL_checkstack(state, 8, c"cygnixy".as_ptr());
        let top = ffi::lua_gettop(state);
        if push_own_data(state) && ffi::lua_getmetatable(state, -1) != 0 {
            // Above `top`: the key, the userdata, its metatable.
            ffi::lua_getfield(state, -1, c"__gc".as_ptr());
            // This object is the last of the library to go from a state, so neither function of its
            // finaliser counts as something of the library that is still there.
            if let Some(original) = ffi::lua_tocfunction(state, -1) {
                residence::push_unanchored(state, original, 0);
            }
            ffi::lua_pushvalue(state, top + 1);
            residence::push_unanchored(state, finalise, 2);
            ffi::lua_setfield(state, top + 3, c"__gc".as_ptr());
            // Now, while there is memory for it.
            ffi::lua_pushboolean(state, 0);
            ffi::lua_rawsetp(state, ffi::LUA_REGISTRYINDEX, key());
        }
        ffi::lua_settop(state, top);
    }
}

/// Pushes the registry key and the userdata of this library's mlua, if they are found.
unsafe fn push_own_data(state: *mut lua_State) -> bool {
    let key = residence::data_key();
    // SAFETY: as in `watch`.
    unsafe {
        if !key.is_null() {
            ffi::lua_pushlightuserdata(state, key.cast_mut());
            ffi::lua_rawgetp(state, ffi::LUA_REGISTRYINDEX, key);
            if ffi::lua_type(state, -1) == ffi::LUA_TUSERDATA {
                return true;
            }
            ffi::lua_pop(state, 2);
        }
        // Where nothing was watched: in the loader's own module.
        ffi::lua_pushnil(state);
        while ffi::lua_next(state, ffi::LUA_REGISTRYINDEX) != 0 {
            if ffi::lua_type(state, -2) == ffi::LUA_TLIGHTUSERDATA
                && ffi::lua_type(state, -1) == ffi::LUA_TUSERDATA
                && errors::is_own(ffi::lua_touserdata(state, -2))
            {
                return true;
            }
            ffi::lua_pop(state, 1);
        }
        false
    }
}

/// Upvalues: mlua's own finaliser, and the key of its data in the registry.
unsafe extern "C-unwind" fn finalise(state: *mut lua_State) -> c_int {
    residence::forget(state);
    IS_OVER_SOMEWHERE.store(true, Ordering::Relaxed);
    // SAFETY: Lua calls this with the userdata that it was installed for. mlua's finaliser neither
    // raises nor unwinds. The keys are in the registry, so giving them new values needs no memory.
    unsafe {
        ffi::lua_pushboolean(state, 1);
        ffi::lua_rawsetp(state, ffi::LUA_REGISTRYINDEX, key());
        if running::is_any(state) {
            // It goes on with mlua's data, which is left where it is.
            return 0;
        }
        if let Some(original) = ffi::lua_tocfunction(state, ffi::lua_upvalueindex(1)) {
            original(state);
        }
        ffi::lua_pushvalue(state, ffi::lua_upvalueindex(2));
        ffi::lua_pushnil(state);
        ffi::lua_rawset(state, ffi::LUA_REGISTRYINDEX);
    }
    0
}
