//! A string result that is put together where Lua takes it from.

use std::ffi::c_int;

use mlua::ffi::{self, lua_State};

use super::argument::Entered;
use super::outcome::Outcome;
use super::signature::Type;
use super::simple::Simple;

/// Pieces of text that become one string of Lua, without a `String` in between.
///
/// ```
/// use plugin_api::LuaExt;
/// use plugin_api::fast::Concat;
/// use plugin_api::mlua::{Function, Lua, Result};
///
/// fn hello(name: &str) -> Concat<'_, 3> {
///     Concat(["Hello, ", name, "!"])
/// }
///
/// fn function(lua: &Lua) -> Result<Function> {
///     lua.create_fast_function(hello)
/// }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Concat<'a, const N: usize>(
    /// The pieces, in order.
    pub [&'a str; N],
);

/// Marks [`Concat`] as an [`Outcome`].
#[derive(Debug)]
pub struct Pieces;

impl<const N: usize> Outcome<Pieces> for Concat<'_, N> {
    fn describe(types: &mut Vec<Type>) {
        types.push(Type::named("string"));
    }

    #[inline(always)]
    fn is_direct() -> bool {
        true
    }

    #[inline(always)]
    fn may_raise() -> bool {
        true
    }

    #[inline(always)]
    fn simple(&self) -> Simple<'_> {
        Simple::Pieces(&self.0)
    }

    unsafe fn push(&self, state: *mut lua_State) -> c_int {
        // SAFETY: as the caller promises; nothing is owned here. `Lua` grows its stack, or raises.
        unsafe {
            ffi::luaL_checkstack(state, N as c_int, c"too many pieces".as_ptr());
            for piece in &self.0 {
                ffi::lua_pushlstring(state, piece.as_ptr().cast(), piece.len());
            }
            ffi::lua_concat(state, N as c_int);
        }
        1
    }

    unsafe fn push_by_mlua(self, lua: Entered<'_>) -> mlua::Result<c_int> {
        let text = lua.lua.create_string(self.0.concat())?;
        // SAFETY: as the caller promises; a callback has room.
        unsafe { lua.raw.push(text)? };
        Ok(1)
    }
}
