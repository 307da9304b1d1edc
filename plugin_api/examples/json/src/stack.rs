//! Between a tape and Lua values, by Lua's own C API: most of the time that JSON takes is spent here, and
//! each of mlua's safe calls is protected for itself. Here one protected call makes or reads a whole
//! document.
//!
//! Lua raises errors by a jump over Rust's frames, which runs no destructor. So the functions that run
//! in the protected call own nothing: the tape belongs to their caller, outside of it.
#![allow(unsafe_code)]

use std::ffi::{c_int, c_void};
use std::{fmt, ptr, slice};

use plugin_api::mlua::ffi::{self, lua_State};
use plugin_api::mlua::{self, Lua, LuaString, Table, Value};

use crate::tape::{MOST_LEVELS, Node, Tape};

/// How many values a level of nesting needs room for, at most.
const ROOM: c_int = 8;

/// Makes a Lua value of a tape. Arrays get the metatable that is given.
pub(crate) fn build(lua: &Lua, tape: &Tape<'_>, arrays: &Table) -> mlua::Result<Value> {
    // SAFETY: what runs owns nothing; `tape` is only read, and outlives the call. The metatable is at
    // index 1.
    unsafe {
        lua.exec_raw(arrays, |state| {
            build_next(state, tape, &mut 0);
            ffi::lua_replace(state, 1);
        })
    }
}

/// Pushes the value that begins at the next node.
///
/// # Safety
///
/// - `state` runs a protected C function that owns nothing, with the metatable of arrays at index 1.
/// - The tape is a whole one.
unsafe fn build_next(state: *mut lua_State, tape: &Tape<'_>, next: &mut usize) {
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
                ffi::lua_pushvalue(state, 1);
                ffi::lua_setmetatable(state, -2);
                for index in 1..=extent.count {
                    build_next(state, tape, next);
                    ffi::lua_rawseti(state, -2, ffi::lua_Integer::from(index));
                }
            }
            Node::Object(extent) => {
                ffi::luaL_checkstack(state, ROOM, c"nested too deeply".as_ptr());
                ffi::lua_createtable(state, 0, extent.count as c_int);
                for _ in 0..extent.count {
                    build_next(state, tape, next);
                    build_next(state, tape, next);
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

/// Why a Lua value is no JSON.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Unfit {
    /// A value of this type.
    Type(&'static str),
    /// Not a number, or infinite.
    NotFinite(f64),
    /// A string that is no UTF-8: how many of its bytes are valid.
    NotUtf8(usize),
    /// A table with such a string as a key.
    KeyNotUtf8,
    /// A table with a key of this type.
    Key(&'static str),
    /// A table with these elements, and with more keys than elements.
    Mixed(usize),
    /// An array with no element at this index.
    Hole(usize),
    /// A table that contains itself.
    Cycle,
    /// A table within too many others.
    TooDeep,
    /// A table with too many entries.
    TooLarge,
}

impl fmt::Display for Unfit {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Type(name) => write!(to, "a {name} cannot be written as JSON"),
            Self::NotFinite(number) => write!(to, "the number {number} cannot be written as JSON"),
            Self::NotUtf8(valid) => {
                write!(
                    to,
                    "the string is not valid UTF-8 from its byte {} on",
                    valid + 1
                )
            }
            Self::KeyNotUtf8 => to.write_str("a key that is not valid UTF-8"),
            Self::Key(name) => write!(
                to,
                "a key of type {name}; the keys of an object are strings"
            ),
            Self::Mixed(1) => to.write_str("a table with element 1 and other keys"),
            Self::Mixed(count) => write!(to, "a table with elements 1 to {count} and other keys"),
            Self::Hole(index) => write!(to, "an array without an element {index}"),
            Self::Cycle => to.write_str("the table contains itself"),
            Self::TooDeep => write!(to, "nested deeper than {MOST_LEVELS} levels"),
            Self::TooLarge => to.write_str("the table has too many entries"),
        }
    }
}

/// A value of a tape that is given up: where it is or would be, and why.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Refused {
    pub(crate) at: usize,
    pub(crate) why: Unfit,
}

/// Adds a Lua value to an empty tape, or a part of it and the value that is no JSON.
///
/// # Errors
///
/// If Lua has no room on its stack.
///
/// # Safety
///
/// - While the tape is used, `value` lives and no Lua code runs: the tape borrows the strings in it.
pub(crate) unsafe fn read<'a>(
    lua: &Lua,
    value: &'a Value,
    mark: &LuaString,
    tape: &mut Tape<'a>,
) -> mlua::Result<Result<(), Refused>> {
    let mut outcome = Ok(());
    let target = &mut outcome;
    // SAFETY: what runs owns nothing, and `tape` and `outcome` outlive it. Nothing of it makes Lua values,
    // so the collector does not run, and no Lua code does. The mark is at index 1, the value at 2.
    unsafe {
        lua.exec_raw::<()>((mark, value), |state| {
            *target = read_top(state, tape, 0);
            ffi::lua_settop(state, 0);
        })?;
    }
    Ok(outcome)
}

/// What a table's metatable says that it is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Marked {
    No,
    Array,
    Object,
}

/// Adds the value on top of the stack, which stays there.
///
/// # Safety
///
/// - `state` runs a protected C function that owns nothing, with the mark's key at index 1, and the
///   tables around the value at index 2 and then every second one, `level` of them.
unsafe fn read_top(
    state: *mut lua_State,
    tape: &mut Tape<'_>,
    level: usize,
) -> Result<(), Refused> {
    let at = tape.nodes.len();
    let refused = |why| Refused { at, why };
    // SAFETY: as the caller promises; the types are looked at first.
    unsafe {
        let node = match ffi::lua_type(state, -1) {
            ffi::LUA_TNIL => Node::Null,
            ffi::LUA_TLIGHTUSERDATA if ffi::lua_touserdata(state, -1).is_null() => Node::Null,
            ffi::LUA_TBOOLEAN => Node::Boolean(ffi::lua_toboolean(state, -1) != 0),
            ffi::LUA_TNUMBER => number(state).map_err(refused)?,
            ffi::LUA_TSTRING => Node::Text(text(state).map_err(refused)?),
            ffi::LUA_TTABLE => return read_table(state, tape, level),
            other => return Err(refused(Unfit::Type(type_name(other)))),
        };
        tape.push(node);
    }
    Ok(())
}

unsafe fn number<'a>(state: *mut lua_State) -> Result<Node<'a>, Unfit> {
    // SAFETY: the caller has a number on top of the stack.
    unsafe {
        if ffi::lua_isinteger(state, -1) != 0 {
            #[allow(clippy::unnecessary_cast)]
            return Ok(Node::Integer(ffi::lua_tointeger(state, -1) as i64));
        }
        let number = ffi::lua_tonumber(state, -1);
        if number.is_finite() {
            Ok(Node::Number(number))
        } else {
            Err(Unfit::NotFinite(number))
        }
    }
}

/// The string on top of the stack; the lifetime is the tape's, by the promise to [`read`].
unsafe fn text<'a>(state: *mut lua_State) -> Result<&'a str, Unfit> {
    let mut length = 0;
    // SAFETY: the caller has a string on top of the stack. A table that is not changed holds it.
    let bytes = unsafe {
        let data = ffi::lua_tolstring(state, -1, &raw mut length);
        slice::from_raw_parts(data.cast::<u8>(), length)
    };
    str::from_utf8(bytes).map_err(|error| Unfit::NotUtf8(error.valid_up_to()))
}

/// As [`read_top`], of a table.
unsafe fn read_table(
    state: *mut lua_State,
    tape: &mut Tape<'_>,
    level: usize,
) -> Result<(), Refused> {
    // SAFETY: as the caller promises; room is asked for.
    unsafe {
        if level == MOST_LEVELS {
            let at = tape.nodes.len();
            return Err(Refused {
                at,
                why: too_deep(state, level),
            });
        }
        ffi::luaL_checkstack(state, ROOM, c"nested too deeply".as_ptr());
        let marked = mark_of(state);
        let length = ffi::lua_rawlen(state, -1);
        if marked == Marked::Array || (length > 0 && marked == Marked::No) {
            read_array(state, tape, level, length)
        } else {
            read_object(state, tape, level)
        }
    }
}

/// What the metatable of the table on top of the stack says.
unsafe fn mark_of(state: *mut lua_State) -> Marked {
    // SAFETY: the caller has room. Nothing raises.
    unsafe {
        if ffi::lua_getmetatable(state, -1) == 0 {
            return Marked::No;
        }
        ffi::lua_pushvalue(state, 1);
        ffi::lua_rawget(state, -2);
        let is_text = ffi::lua_type(state, -1) == ffi::LUA_TSTRING;
        let marked = match if is_text { text(state) } else { Ok("") } {
            Ok("array") => Marked::Array,
            Ok("object") => Marked::Object,
            _ => Marked::No,
        };
        ffi::lua_pop(state, 2);
        marked
    }
}

unsafe fn read_array(
    state: *mut lua_State,
    tape: &mut Tape<'_>,
    level: usize,
    length: usize,
) -> Result<(), Refused> {
    let at = tape.open(Node::Array);
    let refused = |why| Err(Refused { at, why });
    // SAFETY: as for `read_table`.
    unsafe {
        let mut entries = 0;
        ffi::lua_pushnil(state);
        while ffi::lua_next(state, -2) != 0 {
            ffi::lua_pop(state, 1);
            entries += 1;
        }
        // In the place of a key.
        ffi::lua_pushnil(state);
        for index in 1..=length {
            ffi::lua_rawgeti(state, -2, index as ffi::lua_Integer);
            if ffi::lua_type(state, -1) == ffi::LUA_TNIL {
                return refused(Unfit::Hole(index));
            }
            read_top(state, tape, level + 1)?;
            ffi::lua_pop(state, 1);
        }
        ffi::lua_pop(state, 1);
        if entries != length {
            return refused(if length == 0 {
                Unfit::Hole(1)
            } else {
                Unfit::Mixed(length)
            });
        }
    }
    if tape.close(at, length) {
        Ok(())
    } else {
        refused(Unfit::TooLarge)
    }
}

unsafe fn read_object(
    state: *mut lua_State,
    tape: &mut Tape<'_>,
    level: usize,
) -> Result<(), Refused> {
    let at = tape.open(Node::Object);
    let refused = |why| Err(Refused { at, why });
    let mut count = 0;
    // SAFETY: as for `read_table`. The table is not changed meanwhile, so `lua_next` does not raise.
    unsafe {
        ffi::lua_pushnil(state);
        while ffi::lua_next(state, -2) != 0 {
            ffi::lua_pushvalue(state, -2);
            let key = match ffi::lua_type(state, -1) {
                ffi::LUA_TSTRING => text(state),
                other => Err(Unfit::Key(type_name(other))),
            };
            let key = match key {
                Ok(key) => key,
                Err(Unfit::NotUtf8(_)) => return refused(Unfit::KeyNotUtf8),
                Err(why) => return refused(why),
            };
            ffi::lua_pop(state, 1);
            tape.push(Node::Text(key));
            read_top(state, tape, level + 1)?;
            ffi::lua_pop(state, 1);
            count += 1;
        }
    }
    if tape.close(at, count) {
        Ok(())
    } else {
        refused(Unfit::TooLarge)
    }
}

/// Whether the table on top of the stack is one of those around it.
#[cold]
unsafe fn too_deep(state: *mut lua_State, level: usize) -> Unfit {
    // SAFETY: the caller's tables are where `read_top` says.
    unsafe {
        let table: *const c_void = ffi::lua_topointer(state, -1);
        let is_around = |level: usize| ffi::lua_topointer(state, 2 + 2 * level as c_int) == table;
        if (0..level).any(is_around) {
            Unfit::Cycle
        } else {
            Unfit::TooDeep
        }
    }
}

fn type_name(of: c_int) -> &'static str {
    match of {
        ffi::LUA_TNIL => "nil",
        ffi::LUA_TBOOLEAN => "boolean",
        ffi::LUA_TLIGHTUSERDATA | ffi::LUA_TUSERDATA => "userdata",
        ffi::LUA_TNUMBER => "number",
        ffi::LUA_TSTRING => "string",
        ffi::LUA_TTABLE => "table",
        ffi::LUA_TFUNCTION => "function",
        ffi::LUA_TTHREAD => "thread",
        _ => "cdata",
    }
}
