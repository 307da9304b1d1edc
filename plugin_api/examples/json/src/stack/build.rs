//! From a tape to Lua values.

use std::ffi::c_int;
use std::ptr;

use plugin_api::fast::StackResult;
use plugin_api::mlua::ffi::{self, lua_State};

use super::{ARRAYS, push_registered};
use crate::tape::{Node, Tape};

/// How many values a level of nesting needs room for, at most.
const ROOM: c_int = 8;

/// The value of a tape, as the result of a function. Arrays get the metatable in the registry.
pub(crate) fn build(tape: Tape<'_>) -> StackResult<impl Fn(*mut lua_State) -> c_int> {
    let push = move |state| {
        // SAFETY: it is a protected call, with room for some values; what runs owns nothing. The tape is
        // this closure's, and only read.
        unsafe {
            let base = ffi::lua_gettop(state) + 1;
            push_registered(state, &ARRAYS);
            build_next(state, &tape, base, &mut 0);
            ffi::lua_replace(state, base);
        }
        1
    };
    // SAFETY: it owns nothing while it runs, does not panic, and leaves one value.
    unsafe { StackResult::new(push) }
}

/// Pushes the value that begins at the next node.
///
/// # Safety
///
/// - `state` runs a protected C function that owns nothing, with the metatable of arrays at the index
///   `arrays`.
/// - The tape is a whole one.
unsafe fn build_next(state: *mut lua_State, tape: &Tape<'_>, arrays: c_int, next: &mut usize) {
    let Some(node) = tape.nodes.get(*next) else {
        return;
    };
    *next += 1;
    // SAFETY: as the caller promises. Each level asks for the room that it and its members need.
    unsafe {
        match *node {
            Node::Null => ffi::lua_pushlightuserdata(state, ptr::null_mut()),
            Node::Boolean(value) => ffi::lua_pushboolean(state, c_int::from(value)),
            Node::Integer(value) => ffi::lua_pushinteger(state, value as ffi::lua_Integer),
            Node::Number(value) => ffi::lua_pushnumber(state, value),
            Node::Text(text) => push_text(state, text),
            Node::Unescaped(..) => push_text(state, tape.text(*node).unwrap_or_default()),
            Node::Array(extent) => {
                ffi::luaL_checkstack(state, ROOM, c"nested too deeply".as_ptr());
                ffi::lua_createtable(state, extent.count as c_int, 0);
                ffi::lua_pushvalue(state, arrays);
                ffi::lua_setmetatable(state, -2);
                for index in 1..=extent.count {
                    build_next(state, tape, arrays, next);
                    ffi::lua_rawseti(state, -2, ffi::lua_Integer::from(index));
                }
            }
            Node::Object(extent) => {
                ffi::luaL_checkstack(state, ROOM, c"nested too deeply".as_ptr());
                ffi::lua_createtable(state, 0, extent.count as c_int);
                for _ in 0..extent.count {
                    build_next(state, tape, arrays, next);
                    build_next(state, tape, arrays, next);
                    ffi::lua_rawset(state, -3);
                }
            }
        }
    }
}

unsafe fn push_text(state: *mut lua_State, text: &str) {
    // SAFETY: the caller has room, and may be left by a jump.
    unsafe {
        ffi::lua_pushlstring(state, text.as_ptr().cast(), text.len());
    }
}
