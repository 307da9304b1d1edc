//! Whether Lua is running a finaliser, and keeping it from that.

use std::cell::Cell;
use std::ffi::c_int;

use plugin_api::mlua::ffi::{self, lua_State};
use plugin_api::protected::{self, CollectorPause, IS_RUNNING};

/// Whether a finaliser is running: the collector is stopped then, and Lua calls no hook. Lua 5.4, from
/// its fourth release, and 5.5 refuse any request to the collector instead.
///
/// # Safety
///
/// - `state` is valid and running, with room for two values.
pub(crate) unsafe fn is_running(state: *mut lua_State) -> bool {
    // SAFETY: these requests neither raise nor allocate. Lua 5.1 does not know the second.
    unsafe {
        if ffi::lua_gc(state, ffi::LUA_GCCOUNT, 0) < 0 {
            return true;
        }
        // A script may have stopped it as well.
        ffi::lua_gc(state, IS_RUNNING, 0) != 1 && !calls_hooks(state)
    }
}

/// Keeps finalisers from running, where that is possible, until what it gives is dropped.
///
/// Inside a finaliser of Lua 5.1, and inside a hook, which looks the same, nothing is done: Lua puts the
/// collector off there by itself, and starting it again would finalise what is in use if the state is
/// being closed.
///
/// # Safety
///
/// - As for [`is_running`], until the value is dropped.
pub(crate) unsafe fn put_off(state: *mut lua_State) -> CollectorPause {
    // SAFETY: as the caller promises.
    unsafe {
        if cfg!(feature = "lua51") && calls_hooks(state) {
            CollectorPause::forced(state)
        } else {
            CollectorPause::new(state)
        }
    }
}

/// Whether Lua calls hooks now. It does not inside a finaliser, nor inside a hook.
unsafe fn calls_hooks(state: *mut lua_State) -> bool {
    thread_local! {
        static WAS_CALLED: Cell<bool> = const { Cell::new(false) };
    }
    unsafe extern "C-unwind" fn hook(_state: *mut lua_State, _frame: *mut ffi::lua_Debug) {
        WAS_CALLED.set(true);
    }
    unsafe extern "C-unwind" fn nothing(_state: *mut lua_State) -> c_int {
        0
    }
    WAS_CALLED.set(false);
    // SAFETY: the hook that was there is put back. A protected call of a function that does
    // nothing needs no room but its own.
    unsafe {
        let (present, mask, count) = (
            ffi::lua_gethook(state),
            ffi::lua_gethookmask(state),
            ffi::lua_gethookcount(state),
        );
        ffi::lua_sethook(state, Some(hook), ffi::LUA_MASKCALL, 0);
        let status = protected::call(state, nothing, std::ptr::null_mut());
        ffi::lua_sethook(state, present, mask, count);
        if status != ffi::LUA_OK {
            ffi::lua_pop(state, 1);
            return false;
        }
    }
    WAS_CALLED.get()
}
