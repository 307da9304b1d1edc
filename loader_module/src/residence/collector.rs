//! Full collections, where they are possible.

use std::cell::Cell;
use std::ffi::c_int;

use plugin_api::mlua::Lua;
use plugin_api::mlua::ffi::{self, lua_State};
use plugin_api::protected::{self, HookPause, try_again};

use crate::library::Addresses;

/// Runs a full collection, with all finalisers that are due. Those that fail do so in the call that
/// runs them, before Lua 5.4, so that takes patience.
pub(super) fn collect(lua: &Lua) -> bool {
    // SAFETY: nothing here needs a destructor if a finaliser raises.
    let collect = || unsafe {
        lua.exec_raw::<()>((), |state| {
            ffi::lua_gc(state, ffi::LUA_GCCOLLECT, 0);
        })
    };
    try_again(collect).is_ok()
}

/// Keeps code of the script from running by itself, until dropped: finalisers, as the collector is
/// stopped, and debug hooks.
///
/// A full collection starts the collector again in Lua 5.1 and LuaJIT, and so may a finaliser that runs
/// in it; [`stop`](Self::stop) stops it once more. In Lua 5.1 one cannot tell whether the script had
/// stopped it: it runs afterwards, as after any `collectgarbage()`.
pub(super) struct Quiet<'a> {
    lua: &'a Lua,
    was_running: bool,
    hooks: HookPause,
}

impl<'a> Quiet<'a> {
    pub(super) fn begin(lua: &'a Lua) -> Self {
        // SAFETY: the state is valid for as long as the handle, and has room for a value.
        let (was_running, hooks) = lua.exec_raw_lua(|raw| unsafe {
            let state = raw.state();
            (
                ffi::lua_gc(state, IS_RUNNING, 0) != 0,
                HookPause::new(state),
            )
        });
        let quiet = Self {
            lua,
            was_running,
            hooks,
        };
        quiet.stop();
        quiet
    }

    /// Runs a full collection, so that no finaliser is due; false if that is not possible.
    pub(super) fn settle(&self) -> bool {
        let has_run = collect(self.lua);
        self.stop();
        has_run
    }

    /// Whether a hook that was taken off, of the running thread or the main thread, is in a library.
    pub(super) fn has_hook_in(&self, addresses: &Addresses) -> bool {
        self.hooks.has_taken(|hook| addresses.contains(hook))
    }

    /// Stops the collector.
    pub(super) fn stop(&self) {
        self.request(ffi::LUA_GCSTOP);
    }

    fn request(&self, what: c_int) {
        // SAFETY: these requests neither raise nor allocate.
        self.lua
            .exec_raw_lua(|raw| unsafe { ffi::lua_gc(raw.state(), what, 0) });
    }
}

impl Drop for Quiet<'_> {
    fn drop(&mut self) {
        if self.was_running {
            self.request(ffi::LUA_GCRESTART);
        }
    }
}

/// A request that Lua 5.1 does not know and answers with -1.
const IS_RUNNING: c_int = 9;

/// Whether a collection is possible now. Inside a finaliser it is not: newer Lua refuses, older may
/// be in the middle of closing the state.
pub(super) fn is_possible(lua: &Lua) -> bool {
    // SAFETY: `state` is running, and has room for two values.
    lua.exec_raw_lua(|raw| unsafe { !is_in_finaliser(raw.state()) })
}

/// Whether a finaliser is running: the collector is stopped then, and Lua calls no hook. Lua 5.4, from
/// its fourth release, and 5.5 refuse any request to the collector instead.
unsafe fn is_in_finaliser(state: *mut lua_State) -> bool {
    // SAFETY: these requests neither raise nor allocate. Lua 5.1 does not know the second.
    unsafe {
        if ffi::lua_gc(state, ffi::LUA_GCCOUNT, 0) < 0 {
            return true;
        }
        // A script may have stopped it as well.
        ffi::lua_gc(state, IS_RUNNING, 0) != 1 && !calls_hooks(state)
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
