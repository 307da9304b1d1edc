//! From Lua values to a tape, and on to text.

use std::ffi::{c_int, c_void};
use std::slice;

use plugin_api::fast::StackArgument;
use plugin_api::mlua::ffi::{self, lua_State};

use super::unfit::{Unfit, type_name};
use super::{MARK, push_registered};
use crate::encode::{self, Style};
use crate::tape::{MOST_LEVELS, Node, Tape};

/// How many levels every function has room for.
const EASY_LEVELS: usize = 4;

/// How many values are on the stack for so many levels: the value; and for each level a key, and a value in the
/// table.
const fn room(levels: usize) -> c_int {
    1 + 2 * levels as c_int
}

/// Why a value gives no tape: where it is or would be, and what is wrong.
#[derive(Debug, Clone, Copy)]
struct Refused {
    at: usize,
    why: Unfit,
}

/// Makes the JSON text of a Lua value; the error says where in it is what cannot be written, and why.
pub(crate) fn write(value: StackArgument<'_>, style: &Style) -> Result<Vec<u8>, String> {
    let mut text = Vec::new();
    let mut result = read(value, EASY_LEVELS, style, &mut text);
    if matches!(result, Err((_, Unfit::Room))) {
        // No text of the stack's is held now, as making room may run the collector or a hook.
        if value.reserve(room(MOST_LEVELS)) {
            result = read(value, MOST_LEVELS, style, &mut text);
        }
    }
    match result {
        Ok(()) => Ok(text),
        Err((path, why)) => Err(format!("{path}: {why}")),
    }
}

/// The same with room for so many levels. In the error, the way to where it is.
fn read(
    value: StackArgument<'_>,
    levels: usize,
    style: &Style,
    text: &mut Vec<u8>,
) -> Result<(), (String, Unfit)> {
    let mut tape = Tape::with_capacity(0);
    let state = value.state();
    // SAFETY: until the tape is used up nothing makes Lua values, so the collector does not run and no Lua code
    // does, and the strings that the tape borrows stay. Nothing raises. There is room for the levels.
    let outcome = unsafe {
        let top = ffi::lua_gettop(state);
        match value.index() {
            Some(index) => ffi::lua_pushvalue(state, index),
            None => ffi::lua_pushnil(state),
        }
        let mut reader = Reader {
            state,
            tape: &mut tape,
            base: top + 1,
            levels,
        };
        let outcome = reader.top(0);
        ffi::lua_settop(state, top);
        outcome
    };
    match outcome {
        Ok(()) => {
            encode::write(&tape, style, text);
            Ok(())
        }
        Err(Refused { at, why }) => Err((tape.path_to(at), why)),
    }
}

/// What a table's metatable says that it is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Marked {
    No,
    Array,
    Object,
}

/// At work on a value. Its functions have the value that they are about on top of the stack, and leave it there
/// if they succeed. Nothing they do raises.
struct Reader<'t, 'a> {
    state: *mut lua_State,
    tape: &'t mut Tape<'a>,
    /// Where on the stack the value is that all others are in. Then, at every second index, the tables around
    /// the one on top.
    base: c_int,
    /// How many levels there is room for.
    levels: usize,
}

impl Reader<'_, '_> {
    /// Adds the value; `level` is how many tables are around it.
    ///
    /// # Safety
    ///
    /// - The stack is as the type says, and there is room for the rest of the levels.
    unsafe fn top(&mut self, level: usize) -> Result<(), Refused> {
        let state = self.state;
        let at = self.tape.nodes.len();
        let refused = |why| Refused { at, why };
        // SAFETY: as the caller promises; the types are looked at first.
        unsafe {
            let node = match ffi::lua_type(state, -1) {
                ffi::LUA_TNIL => Node::Null,
                ffi::LUA_TLIGHTUSERDATA if ffi::lua_touserdata(state, -1).is_null() => Node::Null,
                ffi::LUA_TBOOLEAN => Node::Boolean(ffi::lua_toboolean(state, -1) != 0),
                ffi::LUA_TNUMBER => number(state).map_err(refused)?,
                ffi::LUA_TSTRING => Node::Text(text(state, -1).map_err(refused)?),
                ffi::LUA_TTABLE => return self.table(level),
                other => return Err(refused(Unfit::Type(type_name(other)))),
            };
            self.tape.push(node);
        }
        Ok(())
    }

    /// As [`top`](Self::top), of a table.
    unsafe fn table(&mut self, level: usize) -> Result<(), Refused> {
        // SAFETY: as for `top`.
        unsafe {
            if level == self.levels {
                let at = self.tape.nodes.len();
                let why = self.too_deep(level);
                return Err(Refused { at, why });
            }
            let marked = mark_of(self.state);
            let length = ffi::lua_rawlen(self.state, -1);
            if marked == Marked::Array || (length > 0 && marked == Marked::No) {
                self.array(level, length)
            } else {
                self.object(level)
            }
        }
    }

    unsafe fn array(&mut self, level: usize, length: usize) -> Result<(), Refused> {
        let state = self.state;
        let at = self.tape.open(Node::Array);
        let refused = |why| Err(Refused { at, why });
        // SAFETY: as for `top`. The table is not changed meanwhile, so `lua_next` does not raise.
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
                self.top(level + 1)?;
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
        if self.tape.close(at, length) {
            Ok(())
        } else {
            refused(Unfit::TooLarge)
        }
    }

    unsafe fn object(&mut self, level: usize) -> Result<(), Refused> {
        let state = self.state;
        let at = self.tape.open(Node::Object);
        let refused = |why| Err(Refused { at, why });
        let mut count = 0;
        // SAFETY: as for `array`.
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
                self.tape.push(Node::Text(key));
                self.top(level + 1)?;
                ffi::lua_pop(state, 1);
                count += 1;
            }
        }
        if self.tape.close(at, count) {
            Ok(())
        } else {
            refused(Unfit::TooLarge)
        }
    }

    /// What to say of a table for which there is no room: it may be one of those around it.
    #[cold]
    unsafe fn too_deep(&self, level: usize) -> Unfit {
        if level < MOST_LEVELS {
            return Unfit::Room;
        }
        // SAFETY: as for `top`: the tables are where the type says.
        unsafe {
            let table: *const c_void = ffi::lua_topointer(self.state, -1);
            let is_around = |level: usize| {
                ffi::lua_topointer(self.state, self.base + 2 * level as c_int) == table
            };
            if (0..level).any(is_around) {
                Unfit::Cycle
            } else {
                Unfit::TooDeep
            }
        }
    }
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
        // No integer is a negative zero.
        let is_negative_zero = number == 0.0 && number.is_sign_negative();
        let is_whole = number.trunc() == number && number.abs() < LIMIT;
        if !HAS_INTEGERS && is_whole && !is_negative_zero {
            Ok(Node::Integer(number as i64))
        } else if number.is_finite() {
            Ok(Node::Number(number))
        } else {
            Err(Unfit::NotFinite(number))
        }
    }
}

/// The string at an index; the lifetime is that of what is made of it, as [`read`] argues.
///
/// # Safety
///
/// - There is a string at the index, and something holds it for that long.
pub(super) unsafe fn text<'a>(state: *mut lua_State, index: c_int) -> Result<&'a str, Unfit> {
    let mut length = 0;
    // SAFETY: the caller has a string there. A table that is not changed holds it.
    let bytes = unsafe {
        let data = ffi::lua_tolstring(state, index, &raw mut length);
        slice::from_raw_parts(data.cast::<u8>(), length)
    };
    str::from_utf8(bytes).map_err(|error| Unfit::NotUtf8(error.valid_up_to()))
}

/// What the metatable of the table on top of the stack says.
unsafe fn mark_of(state: *mut lua_State) -> Marked {
    // SAFETY: the caller has room. Nothing raises.
    unsafe {
        if ffi::lua_getmetatable(state, -1) == 0 {
            return Marked::No;
        }
        push_registered(state, &MARK);
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
