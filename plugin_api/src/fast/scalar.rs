//! A value whose type is known only when it is there.

use std::borrow::Cow;

use mlua::{IntoLua, Lua, Value};

use super::simple::Simple;

/// A result whose type depends on the data: the field of a record, a group of a match.
///
/// As a result of a [fast function](crate::fast), and in a [`Variadic`](mlua::Variadic) of them, it needs
/// no mlua.
///
/// ```
/// use plugin_api::LuaExt;
/// use plugin_api::fast::Scalar;
/// use plugin_api::mlua::{Lua, Result, Variadic};
///
/// /// The words of a text; numbers as numbers.
/// fn words(text: &str) -> Variadic<Scalar<'_>> {
///     let word = |word| match str::parse::<f64>(word) {
///         Ok(number) => Scalar::Number(number),
///         Err(_) => Scalar::from(word),
///     };
///     text.split(' ').map(word).collect()
/// }
///
/// # fn main() -> Result<()> {
/// let lua = Lua::new();
/// let words = lua.create_fast_function(words)?;
/// let (name, size): (String, f64) = words.call("tile 256")?;
/// assert_eq!((name.as_str(), size), ("tile", 256.0));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Scalar<'a> {
    /// The value nil.
    #[default]
    Nil,
    /// A boolean.
    Boolean(bool),
    /// An integer; a float in Lua versions without integers.
    Integer(i64),
    /// A number.
    Number(f64),
    /// A string.
    String(Cow<'a, [u8]>),
}

impl Scalar<'_> {
    /// The same value, with a copy of the string if it was borrowed.
    #[must_use]
    pub fn into_owned(self) -> Scalar<'static> {
        match self {
            Self::Nil => Scalar::Nil,
            Self::Boolean(value) => Scalar::Boolean(value),
            Self::Integer(value) => Scalar::Integer(value),
            Self::Number(value) => Scalar::Number(value),
            Self::String(value) => Scalar::String(Cow::Owned(value.into_owned())),
        }
    }

    #[inline(always)]
    pub(super) fn view(&self) -> Simple<'_> {
        match self {
            Self::Nil => Simple::Nil,
            Self::Boolean(value) => Simple::Flag(*value),
            Self::Integer(value) => Simple::Integer(*value),
            Self::Number(value) => Simple::Number(*value),
            Self::String(value) => Simple::Bytes(value),
        }
    }
}

impl IntoLua for Scalar<'_> {
    fn into_lua(self, lua: &Lua) -> mlua::Result<Value> {
        match self {
            Self::Nil => Ok(Value::Nil),
            Self::Boolean(value) => Ok(Value::Boolean(value)),
            Self::Integer(value) => value.into_lua(lua),
            Self::Number(value) => Ok(Value::Number(value)),
            Self::String(value) => lua.create_string(&*value).map(Value::String),
        }
    }
}

impl From<bool> for Scalar<'_> {
    fn from(value: bool) -> Self {
        Self::Boolean(value)
    }
}

impl From<i64> for Scalar<'_> {
    fn from(value: i64) -> Self {
        Self::Integer(value)
    }
}

impl From<f64> for Scalar<'_> {
    fn from(value: f64) -> Self {
        Self::Number(value)
    }
}

impl<'a> From<&'a [u8]> for Scalar<'a> {
    fn from(value: &'a [u8]) -> Self {
        Self::String(Cow::Borrowed(value))
    }
}

impl From<Vec<u8>> for Scalar<'_> {
    fn from(value: Vec<u8>) -> Self {
        Self::String(Cow::Owned(value))
    }
}

impl<'a> From<&'a str> for Scalar<'a> {
    fn from(value: &'a str) -> Self {
        value.as_bytes().into()
    }
}

impl From<String> for Scalar<'_> {
    fn from(value: String) -> Self {
        value.into_bytes().into()
    }
}
