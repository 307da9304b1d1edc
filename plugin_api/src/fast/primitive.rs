//! The Rust types that are read from the stack and pushed to it without mlua.

use std::ffi::c_int;

use mlua::ffi::lua_State;

use super::raw::{self, Misfit, RawBytes};
use super::same::{borrow, cast, same};
use super::signature::Type;
use super::simple::Simple;

/// An argument as it was on the stack.
#[derive(Debug, Clone, Copy)]
pub enum Raw {
    /// Nothing, for an optional one.
    Absent,
    /// What Lua takes for true or false.
    Flag(bool),
    /// An integer that fits the type.
    Integer(i64),
    /// A number.
    Number(f64),
    /// A string; of valid UTF-8, if the type asks for it.
    Bytes(RawBytes),
}

/// Such a type.
trait Primitive: Sized + 'static {
    const NAME: &'static str;

    unsafe fn read(state: *mut lua_State, index: c_int) -> Result<Raw, Misfit>;

    /// Makes the value of what `read` gave.
    unsafe fn make(raw: Raw) -> Self;

    fn view(&self) -> Simple<'_>;
}

macro_rules! integers {
    ($($Type:ty)*) => {$(
        impl Primitive for $Type {
            const NAME: &'static str = "integer";

            #[inline(always)]
            unsafe fn read(state: *mut lua_State, index: c_int) -> Result<Raw, Misfit> {
                // SAFETY: as the caller promises.
                let integer = unsafe { raw::integer(state, index) }?;
                match <$Type>::try_from(integer) {
                    Ok(_) => Ok(Raw::Integer(integer)),
                    Err(_) => Err(Misfit::OutOfRange),
                }
            }

            #[inline(always)]
            unsafe fn make(raw: Raw) -> Self {
                match raw {
                    Raw::Integer(integer) => integer as $Type,
                    _ => unreachable!(),
                }
            }

            #[inline(always)]
            fn view(&self) -> Simple<'_> {
                // As mlua does it: what is no integer of Lua becomes a float.
                match i64::try_from(*self) {
                    Ok(integer) => Simple::Integer(integer),
                    Err(_) => Simple::Number(*self as f64),
                }
            }
        }
    )*};
}

integers!(i8 i16 i32 i64 isize u8 u16 u32 u64 usize);

macro_rules! floats {
    ($($Type:ty)*) => {$(
        impl Primitive for $Type {
            const NAME: &'static str = "number";

            #[inline(always)]
            unsafe fn read(state: *mut lua_State, index: c_int) -> Result<Raw, Misfit> {
                // SAFETY: as the caller promises.
                unsafe { raw::number(state, index) }.map(Raw::Number)
            }

            #[inline(always)]
            unsafe fn make(raw: Raw) -> Self {
                match raw {
                    Raw::Number(number) => number as $Type,
                    _ => unreachable!(),
                }
            }

            #[inline(always)]
            fn view(&self) -> Simple<'_> {
                Simple::Number(f64::from(*self))
            }
        }
    )*};
}

floats!(f32 f64);

impl Primitive for bool {
    const NAME: &'static str = "boolean";

    #[inline(always)]
    unsafe fn read(state: *mut lua_State, index: c_int) -> Result<Raw, Misfit> {
        // SAFETY: as the caller promises.
        Ok(Raw::Flag(unsafe { raw::flag(state, index) }))
    }

    #[inline(always)]
    unsafe fn make(raw: Raw) -> Self {
        match raw {
            Raw::Flag(flag) => flag,
            _ => unreachable!(),
        }
    }

    #[inline(always)]
    fn view(&self) -> Simple<'_> {
        Simple::Flag(*self)
    }
}

impl Primitive for String {
    const NAME: &'static str = "string";

    #[inline(always)]
    unsafe fn read(state: *mut lua_State, index: c_int) -> Result<Raw, Misfit> {
        // SAFETY: as the caller promises.
        unsafe { raw::text(state, index) }.map(Raw::Bytes)
    }

    #[inline(always)]
    unsafe fn make(raw: Raw) -> Self {
        match raw {
            // SAFETY: `read` made it, and the string is on the stack.
            Raw::Bytes(raw) => unsafe { raw.text() }.to_owned(),
            _ => unreachable!(),
        }
    }

    #[inline(always)]
    fn view(&self) -> Simple<'_> {
        Simple::Bytes(self.as_bytes())
    }
}

impl Primitive for Vec<u8> {
    const NAME: &'static str = "string";

    #[inline(always)]
    unsafe fn read(state: *mut lua_State, index: c_int) -> Result<Raw, Misfit> {
        // SAFETY: as the caller promises.
        unsafe { raw::bytes(state, index) }.map(Raw::Bytes)
    }

    #[inline(always)]
    unsafe fn make(raw: Raw) -> Self {
        match raw {
            // SAFETY: the string is on the stack.
            Raw::Bytes(raw) => unsafe { raw.bytes() }.to_owned(),
            _ => unreachable!(),
        }
    }

    #[inline(always)]
    fn view(&self) -> Simple<'_> {
        Simple::Bytes(self)
    }
}

type Blob = Vec<u8>;

/// Runs code for the primitive type that a type is, or is an `Option` of.
macro_rules! each_primitive {
    ($body:ident) => {
        // The list of bytes comes first: as a list of integers, it would be found too.
        $body!(Blob i8 i16 i32 i64 isize u8 u16 u32 u64 usize f32 f64 bool String);
    };
}

/// Whether a type is a primitive one, or an `Option` of one.
#[inline(always)]
pub(super) fn is_primitive<T>() -> bool {
    macro_rules! test {
        ($($P:ty)*) => {
            $(if same::<T, $P>() || same::<T, Option<$P>>() {
                return true;
            })*
        };
    }
    each_primitive!(test);
    false
}

/// Whether a type is a string, or an `Option` of one.
#[inline(always)]
pub(super) fn is_text<T>() -> bool {
    same::<T, String>()
        || same::<T, Option<String>>()
        || same::<T, Vec<u8>>()
        || same::<T, Option<Vec<u8>>>()
}

/// The type in Lua's words, if it is a primitive one, an `Option` of one or a list.
pub(super) fn describe<T>() -> Option<Type> {
    macro_rules! test {
        ($($P:ty)*) => {
            $(if same::<T, $P>() {
                return Some(Type::named(<$P as Primitive>::NAME));
            }
            if same::<T, Option<$P>>() {
                return Some(Type::named(<$P as Primitive>::NAME).optional());
            }
            if same::<T, Vec<$P>>() {
                return Some(Type::list_of(&Type::named(<$P as Primitive>::NAME)));
            })*
        };
    }
    each_primitive!(test);
    None
}

/// Reads an argument of a type that [`is_primitive`].
///
/// # Safety
///
/// - `state` runs a C function. Raises only to make a string of a number.
#[inline(always)]
pub(super) unsafe fn read<T>(state: *mut lua_State, index: c_int) -> Result<Raw, Misfit> {
    macro_rules! test {
        ($($P:ty)*) => {
            $(if same::<T, $P>() {
                // SAFETY: as the caller promises.
                return unsafe { <$P as Primitive>::read(state, index) };
            }
            if same::<T, Option<$P>>() {
                // SAFETY: as the caller promises.
                return unsafe {
                    if raw::is_absent(state, index) {
                        Ok(Raw::Absent)
                    } else {
                        <$P as Primitive>::read(state, index)
                    }
                };
            })*
        };
    }
    each_primitive!(test);
    unreachable!()
}

/// Makes the value of what [`read`] gave for the type.
///
/// # Safety
///
/// - A string is where it was on the stack.
#[inline(always)]
pub(super) unsafe fn make<T: 'static>(raw: Raw) -> T {
    macro_rules! test {
        ($($P:ty)*) => {
            $(if same::<T, $P>() {
                // SAFETY: as the caller promises.
                return cast::<$P, T>(unsafe { <$P as Primitive>::make(raw) });
            }
            if same::<T, Option<$P>>() {
                let value = match raw {
                    Raw::Absent => None,
                    // SAFETY: as the caller promises.
                    raw => Some(unsafe { <$P as Primitive>::make(raw) }),
                };
                return cast::<Option<$P>, T>(value);
            })*
        };
    }
    each_primitive!(test);
    unreachable!()
}

/// Looks at a value of a primitive type, or an `Option` of one.
#[inline(always)]
pub(super) fn view<T>(value: &T) -> Option<Simple<'_>> {
    macro_rules! test {
        ($($P:ty)*) => {
            // SAFETY: the types have no lifetimes.
            $(if let Some(value) = unsafe { borrow::<T, $P>(value) } {
                return Some(value.view());
            }
            // SAFETY: as above.
            if let Some(value) = unsafe { borrow::<T, Option<$P>>(value) } {
                return Some(match value {
                    Some(value) => value.view(),
                    None => Simple::Nil,
                });
            })*
        };
    }
    each_primitive!(test);
    None
}
