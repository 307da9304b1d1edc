//! Functions that raise a text, in the place of a plugin's functions.

use std::ffi::c_int;

use plugin_api::mlua::ffi::{self, lua_State};
use plugin_api::mlua::{self, Function, Lua};

/// Makes a function that raises a text with the caller's position: a string, also in programs whose own
/// functions raise mlua's error objects.
pub(super) fn saying(lua: &Lua, text: &str) -> mlua::Result<Function> {
    let text = lua.create_string(text)?;
    // SAFETY: the text is at index 1 and becomes the upvalue. Nothing here needs a destructor.
    unsafe { lua.exec_raw(text, |state| ffi::lua_pushcclosure(state, raise, 1)) }
}

unsafe extern "C-unwind" fn raise(state: *mut lua_State) -> c_int {
    // SAFETY: Lua calls this with room for some values, and the text as its upvalue.
    unsafe {
        ffi::lua_settop(state, 0);
        ffi::luaL_where(state, 1);
        ffi::lua_pushvalue(state, ffi::lua_upvalueindex(1));
        ffi::lua_concat(state, 2);
        ffi::lua_error(state)
    }
}
