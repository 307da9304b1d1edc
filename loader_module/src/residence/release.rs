//! Taking the last of a library out of a Lua state, once nothing else of it is there.

use std::ffi::c_int;

use plugin_api::mlua::ffi::{self, lua_State};
use plugin_api::mlua::{self, Lua};
use plugin_api::protected::try_again;

use super::probe::Candidate;

/// Ends what mlua has for the state, and empties the registry of everything of the library.
pub(super) fn release(lua: &Lua, candidate: &Candidate<'_>) -> mlua::Result<()> {
    try_again(|| {
        // SAFETY: `candidate` outlives the call; nothing needs a destructor if it raises, and it can
        // be done again.
        unsafe { lua.exec_raw::<()>((), |state| empty(state, candidate)) }
    })
}

unsafe fn empty(state: *mut lua_State, candidate: &Candidate<'_>) {
    // SAFETY: room is asked for. The library is still mapped, and nobody uses mlua's data for the
    // state any more: nothing of the library is left that could.
    unsafe {
        ffi::luaL_checkstack(state, 8, c"cygnixy".as_ptr());
        while push_own_object(state, candidate) {
            // Above: the key, the object. Its finaliser runs here and not again.
            if ffi::lua_getmetatable(state, -1) != 0 {
                ffi::lua_pushstring(state, c"__gc".as_ptr());
                ffi::lua_rawget(state, -2);
                ffi::lua_pushnil(state);
                ffi::lua_setmetatable(state, -4);
                if ffi::lua_type(state, -1) == ffi::LUA_TFUNCTION {
                    ffi::lua_pushvalue(state, -3);
                    ffi::lua_call(state, 1, 0);
                } else {
                    ffi::lua_pop(state, 1);
                }
                ffi::lua_pop(state, 1);
            }
            ffi::lua_pop(state, 1);
            ffi::lua_pushnil(state);
            ffi::lua_rawset(state, ffi::LUA_REGISTRYINDEX);
        }
        // A field that exists may be emptied while the table is traversed.
        ffi::lua_pushnil(state);
        while ffi::lua_next(state, ffi::LUA_REGISTRYINDEX) != 0 {
            ffi::lua_pop(state, 1);
            if is_own(state, candidate, -1) {
                ffi::lua_pushvalue(state, -1);
                ffi::lua_pushnil(state);
                ffi::lua_rawset(state, ffi::LUA_REGISTRYINDEX);
            }
        }
        for reference in &candidate.left.references {
            ffi::lua_rawgeti(state, ffi::LUA_REGISTRYINDEX, (*reference).into());
            // A number that was given back already has another number for a value.
            let is_free = ffi::lua_type(state, -1) == ffi::LUA_TNUMBER;
            ffi::lua_pop(state, 1);
            if !is_free {
                ffi::luaL_unref(state, ffi::LUA_REGISTRYINDEX, *reference);
            }
        }
    }
}

/// Pushes a key of the registry that is an address in the library, and its value, if there is one that
/// is an object.
unsafe fn push_own_object(state: *mut lua_State, candidate: &Candidate<'_>) -> bool {
    // SAFETY: as in `empty`. The registry is not changed while it is traversed.
    unsafe {
        ffi::lua_pushnil(state);
        while ffi::lua_next(state, ffi::LUA_REGISTRYINDEX) != 0 {
            if ffi::lua_type(state, -1) == ffi::LUA_TUSERDATA && is_own(state, candidate, -2) {
                return true;
            }
            ffi::lua_pop(state, 1);
        }
        false
    }
}

/// Whether the value at an index is an address in the library.
unsafe fn is_own(state: *mut lua_State, candidate: &Candidate<'_>, index: c_int) -> bool {
    // SAFETY: as in `empty`; there is a value at the index.
    unsafe {
        ffi::lua_type(state, index) == ffi::LUA_TLIGHTUSERDATA
            && candidate
                .addresses
                .contains(ffi::lua_touserdata(state, index))
    }
}
