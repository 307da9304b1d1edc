//! Who has resumed a coroutine, which Lua does not tell.

use std::mem;
use std::ptr;

use mlua::ffi::{self, lua_State};

/// The coroutine that the last function on the stack of a waiting thread has resumed: that function is
/// `coroutine.resume` with the other as its first value, or one of `coroutine.wrap` with the other as its
/// upvalue. Does not raise.
///
/// # Safety
///
/// - `state` is valid, with room for two values.
#[must_use]
pub unsafe fn resumed_by(state: *mut lua_State) -> Option<*mut lua_State> {
    // SAFETY: `lua_Debug` is a C structure of integers, pointers and arrays, for which zero is a value. A name
    // that is not null comes with a pushed value.
    unsafe {
        let mut frame: ffi::lua_Debug = mem::zeroed();
        if ffi::lua_getstack(state, 0, &raw mut frame) == 0 {
            return None;
        }
        let mut found = ptr::null_mut();
        ffi::lua_getinfo(state, c"f".as_ptr(), &raw mut frame);
        if !ffi::lua_getupvalue(state, -1, 1).is_null() {
            found = ffi::lua_tothread(state, -1);
            ffi::lua_pop(state, 1);
        }
        ffi::lua_pop(state, 1);
        if found.is_null() && !ffi::lua_getlocal(state, &raw const frame, 1).is_null() {
            found = ffi::lua_tothread(state, -1);
            ffi::lua_pop(state, 1);
        }
        (!found.is_null()).then_some(found)
    }
}
