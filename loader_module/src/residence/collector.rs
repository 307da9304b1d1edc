//! Full collections, where they are possible.

use plugin_api::mlua::Lua;
use plugin_api::mlua::ffi::{self, lua_State};
use plugin_api::protected::try_again;

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
    pause: std::ffi::c_int,
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
fn set_pause(lua: &Lua, pause: std::ffi::c_int) -> std::ffi::c_int {
    // SAFETY: this request neither raises nor allocates.
    lua.exec_raw_lua(|raw| unsafe { ffi::lua_gc(raw.state(), ffi::LUA_GCSETPAUSE, pause) })
}

/// Whether a collection is possible now. Inside a finaliser it is not: newer Lua refuses, older may
/// be in the middle of closing the state.
pub(super) fn is_possible(lua: &Lua) -> bool {
    // SAFETY: `state` is running, and has room for what is pushed here.
    lua.exec_raw_lua(|raw| unsafe { !is_in_finaliser(raw.state()) })
}

/// Whether a finaliser is running. Lua 5.4 from its fourth release, and 5.5, say so; the others of
/// this group name the finaliser on the stack, and stop the collector.
#[cfg(any(feature = "lua53", feature = "lua54", feature = "lua55"))]
unsafe fn is_in_finaliser(state: *mut lua_State) -> bool {
    const IS_RUNNING: i32 = 9;
    // SAFETY: these requests neither raise nor allocate. `lua_Debug` is a C structure for which
    // zero is a value; the name is a C string or null.
    unsafe {
        if ffi::lua_gc(state, ffi::LUA_GCCOUNT, 0) < 0 {
            return true;
        }
        if ffi::lua_gc(state, IS_RUNNING, 0) != 0 {
            return false;
        }
        let mut frame: ffi::lua_Debug = std::mem::zeroed();
        for level in 0..1000 {
            if ffi::lua_getstack(state, level, &raw mut frame) == 0 {
                return false;
            }
            ffi::lua_getinfo(state, c"n".as_ptr(), &raw mut frame);
            if !frame.name.is_null() && std::ffi::CStr::from_ptr(frame.name) == c"__gc" {
                return true;
            }
        }
        true
    }
}

/// Whether a finaliser may be running: it stops the collector, as a script may do too.
#[cfg(any(feature = "lua52", feature = "luajit"))]
unsafe fn is_in_finaliser(state: *mut lua_State) -> bool {
    const IS_RUNNING: i32 = 9;
    // SAFETY: this request neither raises nor allocates.
    unsafe { ffi::lua_gc(state, IS_RUNNING, 0) == 0 }
}

/// Whether a finaliser is running, or a debug hook: Lua then calls no hook.
#[cfg(feature = "lua51")]
unsafe fn is_in_finaliser(state: *mut lua_State) -> bool {
    use std::cell::Cell;
    use std::ffi::c_int;
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
        let status = ffi::lua_cpcall(state, nothing, std::ptr::null_mut());
        ffi::lua_sethook(state, present, mask, count);
        if status != ffi::LUA_OK {
            ffi::lua_pop(state, 1);
            return true;
        }
    }
    !WAS_CALLED.get()
}
