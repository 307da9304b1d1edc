//! From Lua values to a tape, and on to text.

use std::ffi::{c_int, c_void};
use std::slice;

use plugin_api::mlua::ffi::{self, lua_State};
use plugin_api::mlua::{self, Lua, LuaString, Value};

use super::ROOM;
use super::unfit::{Unfit, type_name};
use crate::encode::{self, Style};
use crate::tape::{MOST_LEVELS, Node, Tape};

/// A value of a tape that is given up: where it is or would be, and why.
#[derive(Debug, Clone, Copy)]
struct Refused {
    at: usize,
    why: Unfit,
}

/// Makes the JSON text of a Lua value. `mark` is the key in metatables that tells arrays and objects apart.
///
/// # Errors
///
/// If Lua has no room or no memory. If the value is no JSON, the inner error says where and why.
pub(crate) fn write(
    lua: &Lua,
    value: &Value,
    mark: &LuaString,
    style: &Style,
) -> mlua::Result<Result<LuaString, String>> {
    let mut tape = Tape::with_capacity(0);
    let mut text = Vec::new();
    let mut outcome = Ok(());
    let target = (&mut tape, &mut text, &mut outcome);
    // SAFETY: what runs owns nothing, as the tape and the text are out here. Until the tape is used up
    // nothing makes Lua values, so the collector does not run and no Lua code does, and the strings that
    // the tape borrows stay. The mark is at index 1, the value at 2.
    let made = unsafe {
        lua.exec_raw::<Option<LuaString>>((mark, value), |state| {
            let (tape, text, outcome) = target;
            *outcome = read_top(state, tape, 0);
            if outcome.is_ok() {
                encode::write(tape, style, text);
                ffi::lua_pushlstring(state, text.as_ptr().cast(), text.len());
                ffi::lua_replace(state, 1);
                ffi::lua_settop(state, 1);
            } else {
                ffi::lua_settop(state, 0);
            }
        })?
    };
    Ok(match outcome {
        Ok(()) => Ok(made.ok_or_else(|| mlua::Error::runtime("no text was made"))?),
        Err(Refused { at, why }) => Err(format!("{}: {why}", tape.path_to(at))),
    })
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
            ffi::LUA_TSTRING => Node::Text(text(state, -1).map_err(refused)?),
            ffi::LUA_TTABLE => return read_table(state, tape, level),
            other => return Err(refused(Unfit::Type(type_name(other)))),
        };
        tape.push(node);
    }
    Ok(())
}

/// Whether this Lua tells integers and floats apart.
const HAS_INTEGERS: bool = !cfg!(any(
    feature = "lua51",
    feature = "luajit",
    feature = "lua52"
));

unsafe fn number<'a>(state: *mut lua_State) -> Result<Node<'a>, Unfit> {
    const LIMIT: f64 = 9_223_372_036_854_775_808.0;
    // SAFETY: the caller has a number on top of the stack.
    unsafe {
        if HAS_INTEGERS && ffi::lua_isinteger(state, -1) != 0 {
            #[allow(clippy::unnecessary_cast)]
            return Ok(Node::Integer(ffi::lua_tointeger(state, -1) as i64));
        }
        let number = ffi::lua_tonumber(state, -1);
        if !HAS_INTEGERS && number.trunc() == number && number.abs() < LIMIT {
            Ok(Node::Integer(number as i64))
        } else if number.is_finite() {
            Ok(Node::Number(number))
        } else {
            Err(Unfit::NotFinite(number))
        }
    }
}

/// The string at an index; the lifetime is the tape's, as [`write`] argues.
unsafe fn text<'a>(state: *mut lua_State, index: c_int) -> Result<&'a str, Unfit> {
    let mut length = 0;
    // SAFETY: the caller has a string there. A table that is not changed holds it.
    let bytes = unsafe {
        let data = ffi::lua_tolstring(state, index, &raw mut length);
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
        let marked = match if is_text { text(state, -1) } else { Ok("") } {
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
            let key = match ffi::lua_type(state, -2) {
                ffi::LUA_TSTRING => text(state, -2),
                other => Err(Unfit::Key(type_name(other))),
            };
            let key = match key {
                Ok(key) => key,
                Err(Unfit::NotUtf8(_)) => return refused(Unfit::KeyNotUtf8),
                Err(why) => return refused(why),
            };
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
