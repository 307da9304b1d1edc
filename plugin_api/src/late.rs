//! Calls that come too late: from a finaliser that Lua runs after it has finalised the function.
//!
//! When a state is closed, Lua runs the finalisers of all objects in the reverse order of their
//! creation, and a finaliser written in Lua may still call any function. The same happens within
//! one collection when an object and the functions it uses die together. mlua's callbacks keep
//! their Rust closure in a userdata; once that is finalised, mlua would call freed memory.
//!
//! The cure has two parts. The callbacks' finaliser drops the closure as before, and then leaves
//! zeros in its place. And from the first such finaliser on, mlua's question for a callback's
//! upvalue goes through [`checked_touserdata`], which raises an error if the answer is zeros. Until
//! then, which in a program that keeps its functions is until the state is closed, that check
//! costs nothing, because it is not there.

#[cfg(bound_lua_api)]
mod guard;
#[cfg(bound_lua_api)]
pub use guard::make_late_calls_safe;

/// Does nothing: without a bound Lua API there is no place for the check.
///
/// # Errors
///
/// None.
#[cfg(not(bound_lua_api))]
pub fn make_late_calls_safe(_lua: &mlua::Lua) -> mlua::Result<()> {
    Ok(())
}
