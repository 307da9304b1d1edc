//! The finaliser that leaves zeros, and the check that finds them.

use std::ffi::{c_int, c_void};
use std::ptr;

use mlua::ffi::{self, lua_State};
use mlua::{Lua, MultiValue, Result};

use super::{end, running};
use crate::lua_api::{check_touserdata, real_lua_error, real_touserdata};

/// What a late call raises.
const MESSAGE: &str = "this function was called after it was collected";

/// The key of the callbacks' metatable in the registry.
static METATABLE_KEY: u8 = 0;

/// Makes late calls to the callbacks of this library's mlua in a state raise an error. Does
/// nothing the second time.
///
/// # Errors
///
/// If Lua runs out of memory.
pub fn make_late_calls_safe(lua: &Lua) -> Result<()> {
    if is_installed(lua) {
        return Ok(());
    }
    let probe = lua.create_function(|_, _: MultiValue| Ok(()))?;
    // SAFETY: the function is at index 1, and both may raise: they own nothing.
    unsafe {
        lua.exec_raw::<()>(probe, |state| {
            end::watch(state);
            install(state);
        })
    }
}

fn is_installed(lua: &Lua) -> bool {
    // SAFETY: one value is pushed and popped; mlua's thread has room for it. Nothing raises.
    lua.exec_raw_lua(|raw| unsafe {
        ffi::lua_rawgetp(raw.state(), ffi::LUA_REGISTRYINDEX, key());
        let found = ffi::lua_isnil(raw.state(), -1) == 0;
        ffi::lua_pop(raw.state(), 1);
        found
    })
}

fn key() -> *const c_void {
    (&raw const METATABLE_KEY).cast()
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
            if present.is_some() {
                // The probe ends here and now: its own finaliser would be the first.
                ffi::lua_pushvalue(state, 4);
                ffi::lua_pushvalue(state, 2);
                ffi::lua_call(state, 1, 0);
                ffi::lua_pushnil(state);
                ffi::lua_setmetatable(state, 2);
                ffi::lua_pushcclosure(state, finalise, 1);
                ffi::lua_setfield(state, 3, c"__gc".as_ptr());
                ffi::lua_rawsetp(state, ffi::LUA_REGISTRYINDEX, key());
            }
        }
        ffi::lua_settop(state, 0);
    }
}

/// Upvalue: mlua's own finaliser.
unsafe extern "C-unwind" fn finalise(state: *mut lua_State) -> c_int {
    // SAFETY: Lua calls this with one userdata of the metatable it was installed in. mlua's
    // finaliser drops its content and neither raises nor unwinds; afterwards the memory belongs
    // to the userdata alone, and nothing reads it without the check that is put in place here.
    unsafe {
        if running::is_with(state, real_touserdata(state, 1)) {
            // It is left alone, and so is what mlua has in it.
            return 0;
        }
        check_touserdata(checked_touserdata);
        if let Some(original) = ffi::lua_tocfunction(state, ffi::lua_upvalueindex(1)) {
            original(state);
        }
        let content = real_touserdata(state, 1).cast::<u8>();
        ptr::write_bytes(content, 0, ffi::lua_rawlen(state, 1));
    }
    0
}

/// Stands in for `lua_touserdata` once a callback was finalised: raises an error if a running
/// callback asks for its upvalue and that is one that was finalised.
unsafe extern "C-unwind" fn checked_touserdata(state: *mut lua_State, index: c_int) -> *mut c_void {
    // SAFETY: the arguments are those of `lua_touserdata`. A live callback's upvalue is larger than
    // a pointer and begins with one that is not null, or is being made, and then nobody asks.
    unsafe {
        let content = real_touserdata(state, index);
        if index == ffi::lua_upvalueindex(1)
            && !content.is_null()
            && ffi::lua_rawlen(state, index) >= size_of::<usize>()
            && content.cast::<usize>().read() == 0
            && is_finalised_callback(state, index)
        {
            ffi::luaL_where(state, 1);
            ffi::lua_pushlstring(state, MESSAGE.as_ptr().cast(), MESSAGE.len());
            ffi::lua_concat(state, 2);
            real_lua_error(state);
        }
        content
    }
}

/// Whether the userdata at an index is that of a callback, and all zeros.
#[cold]
unsafe fn is_finalised_callback(state: *mut lua_State, index: c_int) -> bool {
    // SAFETY: a running C function has room for two values. The content is as long as Lua says.
    unsafe {
        if ffi::lua_getmetatable(state, index) == 0 {
            return false;
        }
        ffi::lua_rawgetp(state, ffi::LUA_REGISTRYINDEX, key());
        let is_callback = ffi::lua_rawequal(state, -1, -2) != 0;
        ffi::lua_pop(state, 2);
        let content = real_touserdata(state, index).cast::<u8>();
        let bytes = std::slice::from_raw_parts(content, ffi::lua_rawlen(state, index));
        is_callback && bytes.iter().all(|byte| *byte == 0)
    }
}
