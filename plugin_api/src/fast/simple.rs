//! A result as one value of Lua that is made without mlua.

use std::ffi::c_int;

use mlua::ffi::{self, lua_State};

/// What a function gave, looked at without being taken.
#[derive(Debug)]
pub enum Simple<'a> {
    /// No value at all.
    Nothing,
    /// The value nil.
    Nil,
    /// A boolean.
    Flag(bool),
    /// An integer, or a number that stands for one.
    Integer(i64),
    /// A number.
    Number(f64),
    /// A string.
    Bytes(&'a [u8]),
    /// A string, in pieces.
    Pieces(&'a [&'a str]),
    /// An error with this text.
    Failed(String),
    /// Several values.
    Several,
}

impl Simple<'_> {
    /// Pushes the value; gives the number of values. Only a string may raise.
    ///
    /// # Safety
    ///
    /// - `state` runs a C function, with room for one value.
    /// - It is neither an error, nor several values, nor in pieces: these push nothing.
    #[inline(always)]
    pub(super) unsafe fn push(&self, state: *mut lua_State) -> c_int {
        // SAFETY: as the caller promises.
        unsafe {
            match *self {
                Self::Nothing | Self::Failed(_) | Self::Several | Self::Pieces(_) => return 0,
                Self::Nil => ffi::lua_pushnil(state),
                Self::Flag(flag) => ffi::lua_pushboolean(state, c_int::from(flag)),
                Self::Integer(integer) => ffi::lua_pushinteger(state, integer as ffi::lua_Integer),
                Self::Number(number) => ffi::lua_pushnumber(state, number),
                Self::Bytes(bytes) => {
                    ffi::lua_pushlstring(state, bytes.as_ptr().cast(), bytes.len());
                }
            }
        }
        1
    }
}
