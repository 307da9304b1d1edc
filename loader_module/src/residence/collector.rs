//! Full collections, where they are possible.

use std::cell::Cell;
use std::ffi::c_int;

use plugin_api::mlua::Lua;
use plugin_api::mlua::ffi::{self, lua_State};
use plugin_api::protected::{self, try_again};

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

/// Keeps the collector from running by itself, until dropped. In Lua 5.1 one cannot stop it without
/// losing whether the script did; there it is made to wait for long after each collection.
pub(super) struct Rest<'a> {
    #[cfg(not(feature = "lua51"))]
    _pause: plugin_api::protected::CollectorPause,
    #[cfg(feature = "lua51")]
    pause: c_int,
    lua: &'a Lua,
}

impl<'a> Rest<'a> {
    /// Begins with a full collection; `None` if that is not possible.
    pub(super) fn begin(lua: &'a Lua) -> Option<Self> {
        let rest = Self {
            // SAFETY: the state is valid for as long as the handle.
            #[cfg(not(feature = "lua51"))]
            _pause: lua.exec_raw_lua(|raw| unsafe {
                plugin_api::protected::CollectorPause::new(raw.state())
            }),
            // In percent: the next collection begins when the heap is ten times as large.
            #[cfg(feature = "lua51")]
            pause: set_pause(lua, 1000),
            lua,
        };
        collect(rest.lua).then_some(rest)
    }
}

#[cfg(feature = "lua51")]
impl Drop for Rest<'_> {
    fn drop(&mut self) {
        set_pause(self.lua, self.pause);
        // The next collection is due when the script would have it.
        collect(self.lua);
    }
}

#[cfg(feature = "lua51")]
fn set_pause(lua: &Lua, pause: c_int) -> c_int {
    // SAFETY: this request neither raises nor allocates.
    lua.exec_raw_lua(|raw| unsafe { ffi::lua_gc(raw.state(), ffi::LUA_GCSETPAUSE, pause) })
}

/// Whether a collection is possible now. Inside a finaliser it is not: newer Lua refuses, older may
/// be in the middle of closing the state.
pub(super) fn is_possible(lua: &Lua) -> bool {
    // SAFETY: `state` is running, and has room for two values.
    lua.exec_raw_lua(|raw| unsafe { !is_in_finaliser(raw.state()) })
}

/// Whether a finaliser is running: the collector is stopped then, and Lua calls no hook. Lua 5.4, from
/// its fourth release, and 5.5 refuse any request to the collector instead.
unsafe fn is_in_finaliser(state: *mut lua_State) -> bool {
    const IS_RUNNING: c_int = 9;
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
