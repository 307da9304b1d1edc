//! Calls that come too late: from a finaliser that Lua runs after it has finalised the function.
//!
//! When a state is closed, Lua runs the finalisers of all objects in the reverse order of their
//! creation, and a finaliser written in Lua may still call any function. The same happens within
//! one collection when an object and the functions it uses die together. mlua's callbacks keep
//! their Rust closure in a userdata; once that is finalised, mlua would call freed memory.
//!
//! The cure: the callbacks' finaliser drops the closure as before and then leaves, in the same
//! memory, the closure of a function that raises an error. That one is never dropped, so it and
//! mlua's data for the state (about 2 KiB for each state and library) stay allocated when a state
//! is closed.

use std::ffi::c_int;
use std::ptr;

use mlua::ffi::{self, lua_State};
use mlua::{Error, Lua, MultiValue, Result};

/// What a late call raises.
const MESSAGE: &str =
    "this function was called after it was collected, as the Lua state is closing";

/// Makes late calls to the callbacks of this library's mlua in a state raise an error. Does
/// nothing the second time.
///
/// # Errors
///
/// If Lua runs out of memory.
pub fn make_late_calls_safe(lua: &Lua) -> Result<()> {
    let last = lua.create_function(|_, _: MultiValue| -> Result<()> {
        Err(Error::RuntimeError(MESSAGE.to_owned()))
    })?;
    // SAFETY: the function is at index 1, and `install` may raise: it owns nothing.
    unsafe { lua.exec_raw::<()>(last, |state| install(state)) }
}

/// Replaces the finaliser of the callbacks' userdata, given one callback at index 1.
unsafe fn install(state: *mut lua_State) {
    // SAFETY: a callback of mlua has one upvalue, a userdata with a metatable that all callbacks
    // share and that has `__gc`. Room for six values is asked for.
    unsafe {
        ffi::luaL_checkstack(state, 6, c"cygnixy".as_ptr());
        ffi::lua_getupvalue(state, 1, 1);
        if ffi::lua_getmetatable(state, 2) != 0 {
            ffi::lua_getfield(state, 3, c"__gc".as_ptr());
            let present = ffi::lua_tocfunction(state, 4);
            let is_ours = present.is_some_and(|f| ptr::fn_addr_eq(f, FINALISER));
            if present.is_some() && !is_ours {
                // Without a metatable, the upvalue of this one callback is never finalised.
                ffi::lua_pushnil(state);
                ffi::lua_setmetatable(state, 2);
                ffi::lua_pushvalue(state, 2);
                ffi::lua_pushcclosure(state, FINALISER, 2);
                ffi::lua_setfield(state, 3, c"__gc".as_ptr());
            }
        }
        ffi::lua_settop(state, 0);
    }
}

const FINALISER: ffi::lua_CFunction = finalise;

/// Upvalues: mlua's own finaliser, and the userdata whose content is left behind.
unsafe extern "C-unwind" fn finalise(state: *mut lua_State) -> c_int {
    // SAFETY: Lua calls this with one userdata of the metatable it was installed in. mlua's
    // finaliser drops its content and neither raises nor unwinds. The content that takes its
    // place is of the same type, as both userdata had this metatable; it is a copy that is never
    // dropped, of a value that is never dropped, so both may be used but neither frees anything.
    unsafe {
        if let Some(original) = ffi::lua_tocfunction(state, ffi::lua_upvalueindex(1)) {
            original(state);
        }
        let last = ffi::lua_touserdata(state, ffi::lua_upvalueindex(2));
        let this = ffi::lua_touserdata(state, 1);
        let size = ffi::lua_rawlen(state, ffi::lua_upvalueindex(2));
        if this != last && ffi::lua_rawlen(state, 1) == size {
            ptr::copy_nonoverlapping(last.cast::<u8>(), this.cast::<u8>(), size);
        }
    }
    0
}
