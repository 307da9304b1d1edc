//! Reading arguments from the stack of a running C function, without taking ownership of anything:
//! whoever reads may be left by a jump.

use std::ffi::c_int;
use std::{ptr, slice, str};

use mlua::ffi::{self, lua_State};

/// Why an argument does not fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Misfit {
    /// A value of this type was expected.
    Expected(&'static str),
    /// An integer was expected, and the number is none.
    NotIntegral,
    /// The integer does not fit the parameter's type.
    OutOfRange,
    /// Text was expected, and the bytes are something else.
    NotUtf8,
    /// The userdata is borrowed in a way that excludes this one.
    Borrowed,
    /// The userdata, or mlua's data for the state, was finalised.
    Finalised,
    /// It may fit, but only mlua can tell, as it was last entered on another thread.
    Elsewhere,
}

impl Misfit {
    /// What Lua's own library says, but for the expected type.
    pub(super) const fn text(self) -> &'static str {
        match self {
            Self::Expected(name) => name,
            Self::NotIntegral => "number has no integer representation",
            Self::OutOfRange
                if cfg!(any(
                    feature = "lua51",
                    feature = "luajit",
                    feature = "lua52"
                )) =>
            {
                "invalid value"
            }
            Self::OutOfRange => "value out of range",
            Self::NotUtf8 => "string is not valid UTF-8",
            Self::Borrowed => "userdata is in use",
            Self::Finalised => "userdata was finalised",
            Self::Elsewhere => "userdata of another thread",
        }
    }
}

const NUMBER: Misfit = Misfit::Expected("number");

/// The bytes of a string on the stack.
#[derive(Debug, Clone, Copy)]
pub struct RawBytes {
    data: *const u8,
    len: usize,
}

impl RawBytes {
    /// Bytes that are where a pointer says; null only if there are none.
    pub(super) fn new(data: *const u8, len: usize) -> Self {
        let data = if data.is_null() {
            ptr::dangling()
        } else {
            data
        };
        Self { data, len }
    }

    /// # Safety
    ///
    /// - The string stays where it is on the stack for `'a`.
    #[inline(always)]
    pub(super) unsafe fn bytes<'a>(self) -> &'a [u8] {
        // SAFETY: as the caller promises; Lua strings do not move, and are not written to.
        unsafe { slice::from_raw_parts(self.data, self.len) }
    }

    /// # Safety
    ///
    /// - As for [`bytes`](Self::bytes), and [`text`] made it.
    #[inline(always)]
    pub(super) unsafe fn text<'a>(self) -> &'a str {
        // SAFETY: as the caller promises; `text` has looked at the bytes.
        unsafe { str::from_utf8_unchecked(self.bytes()) }
    }
}

/// A number, or a string that reads as one.
///
/// # Safety
///
/// - `state` is valid, and runs a C function or is not running.
#[cfg(any(feature = "lua51", feature = "luajit"))]
#[inline(always)]
pub(super) unsafe fn number(state: *mut lua_State, index: c_int) -> Result<f64, Misfit> {
    // SAFETY: as the caller promises; nothing raises.
    unsafe {
        let number = ffi::lua_tonumber(state, index);
        if number == 0.0 && ffi::lua_isnumber(state, index) == 0 {
            return Err(NUMBER);
        }
        Ok(number)
    }
}

/// A number, or a string that reads as one.
///
/// # Safety
///
/// - `state` is valid, and runs a C function or is not running.
#[cfg(not(any(feature = "lua51", feature = "luajit")))]
#[inline(always)]
pub(super) unsafe fn number(state: *mut lua_State, index: c_int) -> Result<f64, Misfit> {
    let mut is_number = 0;
    // SAFETY: as the caller promises; nothing raises.
    let number = unsafe { ffi::lua_tonumberx(state, index, &raw mut is_number) };
    if is_number == 0 {
        Err(NUMBER)
    } else {
        Ok(number)
    }
}

/// An integer, or a number or string that stands for one.
///
/// # Safety
///
/// - As for [`number`].
#[cfg(any(feature = "lua51", feature = "luajit", feature = "lua52"))]
#[inline(always)]
pub(super) unsafe fn integer(state: *mut lua_State, index: c_int) -> Result<i64, Misfit> {
    // SAFETY: as the caller promises.
    integral(unsafe { number(state, index) }?)
}

/// An integer, or a number or string that stands for one.
///
/// # Safety
///
/// - As for [`number`].
#[cfg(not(any(feature = "lua51", feature = "luajit", feature = "lua52")))]
#[inline(always)]
pub(super) unsafe fn integer(state: *mut lua_State, index: c_int) -> Result<i64, Misfit> {
    let mut is_integer = 0;
    // SAFETY: as the caller promises; nothing raises.
    unsafe {
        let integer = ffi::lua_tointegerx(state, index, &raw mut is_integer);
        if is_integer != 0 {
            Ok(integer)
        } else if ffi::lua_isnumber(state, index) != 0 {
            Err(Misfit::NotIntegral)
        } else {
            Err(NUMBER)
        }
    }
}

/// The integer that a number is.
#[inline(always)]
pub(super) fn integral(number: f64) -> Result<i64, Misfit> {
    const LIMIT: f64 = 9_223_372_036_854_775_808.0;
    let integer = number as i64;
    if integer as f64 != number {
        Err(Misfit::NotIntegral)
    } else if number >= LIMIT {
        Err(Misfit::OutOfRange)
    } else {
        Ok(integer)
    }
}

/// What Lua takes for true.
///
/// # Safety
///
/// - As for [`number`].
#[inline(always)]
pub(super) unsafe fn flag(state: *mut lua_State, index: c_int) -> bool {
    // SAFETY: as the caller promises; nothing raises.
    unsafe { ffi::lua_toboolean(state, index) != 0 }
}

/// A string. A number becomes one, on the stack too, which may raise.
///
/// # Safety
///
/// - As for [`number`].
#[inline(always)]
pub(super) unsafe fn bytes(state: *mut lua_State, index: c_int) -> Result<RawBytes, Misfit> {
    let mut len = 0;
    // SAFETY: as the caller promises.
    let data = unsafe { ffi::lua_tolstring(state, index, &raw mut len) };
    if data.is_null() {
        return Err(Misfit::Expected("string"));
    }
    Ok(RawBytes {
        data: data.cast(),
        len,
    })
}

/// A string of valid UTF-8. As [`bytes`] otherwise.
///
/// # Safety
///
/// - As for [`number`].
#[inline(always)]
pub(super) unsafe fn text(state: *mut lua_State, index: c_int) -> Result<RawBytes, Misfit> {
    // SAFETY: as the caller promises; the string is on the stack meanwhile.
    unsafe {
        let raw = bytes(state, index)?;
        match str::from_utf8(raw.bytes()) {
            Ok(_) => Ok(raw),
            Err(_) => Err(Misfit::NotUtf8),
        }
    }
}

/// Whether there is no value, or nil.
///
/// # Safety
///
/// - As for [`number`].
#[inline(always)]
pub(super) unsafe fn is_absent(state: *mut lua_State, index: c_int) -> bool {
    // SAFETY: as the caller promises; nothing raises.
    unsafe { ffi::lua_type(state, index) <= ffi::LUA_TNIL }
}
