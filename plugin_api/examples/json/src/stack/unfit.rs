//! What cannot be written as JSON.

use std::ffi::c_int;
use std::fmt;

use plugin_api::mlua::ffi;

use crate::tape::MOST_LEVELS;

/// Why a Lua value is no JSON.
#[derive(Debug, Clone, Copy)]
pub(super) enum Unfit {
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
    /// A table within others, and Lua's stack has no room for it.
    Room,
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
            Self::Room => to.write_str("nested too deeply for Lua's stack"),
            Self::TooLarge => to.write_str("the table has too many entries"),
        }
    }
}

/// The name of a type by its number.
pub(super) fn type_name(of: c_int) -> &'static str {
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
