//! The table that every C function of this library refers to, one for each Lua state.
//!
//! mlua calls protected helpers by pushing two functions without upvalues: its message handler and
//! the helper. They are on the stack for the length of a call of mlua's, so they are left alone:
//! making closures of them would double the cost of many operations. Code that digs such a function
//! out of a running call by the debug library and keeps it is not protected.

use std::cell::Cell;
use std::ffi::{c_int, c_void};
use std::sync::atomic::{AtomicUsize, Ordering};

use mlua::ffi::{self, lua_CFunction, lua_State};

use super::intercept::intercepts;
use super::records;
use crate::lua_api::slots;
use crate::protected::CollectorPause;

/// The key of the anchor in the registry.
static ANCHOR_KEY: u8 = 0;

/// The address of mlua's message handler, once it is known.
static HANDLER: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    /// Whether mlua is making its data for a state: the first function it pushes is the handler.
    static LEARNING: Cell<bool> = const { Cell::new(false) };
}

/// The thread of a Lua state on which the handler was pushed last: the helper follows there. If another
/// state comes in between, on another thread of the process, a helper is taken for an ordinary
/// function, which does no harm.
static HELPER_FOLLOWS: AtomicUsize = AtomicUsize::new(0);

intercepts! {
    lua_pushcclosure as PUSHCCLOSURE: (state: *mut lua_State, f: lua_CFunction, n: c_int);
}

pub(super) unsafe fn install() {
    PUSHCCLOSURE.install(&slots::lua_pushcclosure, lua_pushcclosure as *const ());
}

/// The key of the anchor in a state's registry.
pub(super) fn key() -> *const c_void {
    (&raw const ANCHOR_KEY).cast()
}

/// Makes the anchor of a state, if it has none. May raise.
///
/// # Safety
///
/// - `state` is running a protected call, with room for two values.
pub(crate) unsafe fn begin(state: *mut lua_State) {
    // SAFETY: as the caller promises.
    unsafe {
        ffi::lua_rawgetp(state, ffi::LUA_REGISTRYINDEX, key());
        let is_new = ffi::lua_isnil(state, -1) != 0;
        ffi::lua_pop(state, 1);
        if is_new {
            ffi::lua_createtable(state, 0, 0);
            ffi::lua_rawsetp(state, ffi::LUA_REGISTRYINDEX, key());
            records::begin(state);
        }
    }
}

/// Runs what makes mlua's data for a state.
pub(crate) fn learn<R>(body: impl FnOnce() -> R) -> R {
    struct End;
    impl Drop for End {
        fn drop(&mut self) {
            LEARNING.set(false);
            HELPER_FOLLOWS.store(0, Ordering::Relaxed);
            records::end_learning();
        }
    }
    let _end = End;
    LEARNING.set(true);
    records::begin_learning();
    body()
}

/// Whether mlua is making its data for a state.
pub(super) fn is_learning() -> bool {
    LEARNING.get()
}

/// Pushes a C function that does not refer to the anchor: it does not count as something of the
/// library. Takes its upvalues from the stack. May raise.
///
/// # Safety
///
/// - As for `lua_pushcclosure`.
pub(crate) unsafe fn push_unanchored(state: *mut lua_State, f: lua_CFunction, n: c_int) {
    // SAFETY: as the caller promises. In the loader's own module nothing was put into the slot.
    unsafe {
        if PUSHCCLOSURE.address().is_null() {
            ffi::lua_pushcclosure(state, f, n);
        } else {
            real::lua_pushcclosure(state, f, n);
        }
    }
}

/// The most upvalues that a C function can have.
const MOST_UPVALUES: c_int = 255;

/// Stands in for `lua_pushcclosure`.
unsafe extern "C-unwind" fn lua_pushcclosure(state: *mut lua_State, f: lua_CFunction, n: c_int) {
    // SAFETY: the arguments are those of `lua_pushcclosure`: `n` values are on the stack, and one
    // is going to be.
    unsafe {
        if n == 0 && is_helper(state, f) {
            return real::lua_pushcclosure(state, f, 0);
        }
        if n == MOST_UPVALUES {
            records::flag(state, crate::abi::Inventory::OPAQUE, true);
            return real::lua_pushcclosure(state, f, n);
        }
        if n > 0 {
            ffi::luaL_checkstack(state, 1, c"cygnixy".as_ptr());
        }
        ffi::lua_rawgetp(state, ffi::LUA_REGISTRYINDEX, key());
        if ffi::lua_isnil(state, -1) != 0 {
            // A state of the plugin's own.
            ffi::lua_pop(state, 1);
            return real::lua_pushcclosure(state, f, n);
        }
        // Without upvalues mlua expects this to need no memory in most Lua versions, so at least
        // no finaliser of the script runs here.
        let _pause = (n == 0).then(|| CollectorPause::new(state));
        real::lua_pushcclosure(state, f, n + 1);
    }
}

/// Whether a function without upvalues is one of the two that mlua calls its helpers by.
unsafe fn is_helper(state: *mut lua_State, f: lua_CFunction) -> bool {
    let mut handler = HANDLER.load(Ordering::Relaxed);
    if handler == 0 && LEARNING.get() {
        handler = f as usize;
        HANDLER.store(handler, Ordering::Relaxed);
    }
    let is_handler = f as usize == handler;
    if cfg!(any(feature = "lua51", feature = "luajit")) {
        // There, mlua takes the handler off the stack before it pushes the helper.
        if is_handler {
            HELPER_FOLLOWS.store(state.addr(), Ordering::Relaxed);
            return true;
        }
        let follows = HELPER_FOLLOWS.load(Ordering::Relaxed) == state.addr();
        if follows {
            HELPER_FOLLOWS.store(0, Ordering::Relaxed);
        }
        return follows;
    }
    is_handler
        // SAFETY: the caller's `state` is valid, and index -1 exists.
        || unsafe {
            ffi::lua_gettop(state) > 0
                && ffi::lua_tocfunction(state, -1).is_some_and(|top| top as usize == handler)
        }
}
