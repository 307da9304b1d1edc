//! Full collections, where they are possible.

use std::ffi::c_int;

use plugin_api::mlua::Lua;
use plugin_api::mlua::ffi;
use plugin_api::protected::{HookPause, IS_RUNNING, try_again};

use crate::finaliser;
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

/// Whether a collection is possible now. Inside a finaliser it is not: newer Lua refuses, older may
/// be in the middle of closing the state.
pub(super) fn is_possible(lua: &Lua) -> bool {
    // SAFETY: `state` is running, and has room for two values.
    lua.exec_raw_lua(|raw| unsafe { !finaliser::is_running(raw.state()) })
}
