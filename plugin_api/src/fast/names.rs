//! The names of mlua's types in Lua.

use mlua::{AnyUserData, Function, LightUserData, LuaString, MultiValue, Table, Thread, Value};

use super::primitive;
use super::same::same;
use super::scalar::Scalar;
use super::signature::Type;

/// A type in the words of Lua.
pub(super) fn describe<T>() -> Type {
    if let Some(known) = primitive::describe::<T>() {
        return known;
    }
    macro_rules! named {
        ($($Type:ty = $name:literal),*) => {
            $(if same::<T, $Type>() {
                return Type::named($name);
            }
            if same::<T, Option<$Type>>() {
                return Type::named($name).optional();
            })*
        };
    }
    named!(
        &str = "string", &[u8] = "string", Scalar<'_> = "any",
        Value = "any", MultiValue = "any", LuaString = "string", Table = "table",
        Function = "function", Thread = "thread", AnyUserData = "userdata",
        LightUserData = "lightuserdata", mlua::Error = "any", mlua::BString = "string",
        char = "string", Box<str> = "string", std::path::PathBuf = "string",
        std::ffi::OsString = "string", std::ffi::CString = "string",
        i128 = "integer", u128 = "integer"
    );
    Type::of_rust::<T>()
}
