//! Calls that come too late: from a finaliser that Lua runs after it has finalised the function.
//!
//! When a state is closed, Lua runs the finalisers of all objects in the reverse order of their
//! creation, and a finaliser written in Lua may still call any function. The same happens within
//! one collection when an object and the functions it uses die together. mlua's callbacks keep
//! their Rust closure in a userdata; once that is finalised, mlua would call freed memory.
//!
//! The cure has two parts. The callbacks' finaliser drops the closure as before, and then leaves
//! zeros in its place. And from the first such finaliser on, mlua's question for a callback's
//! upvalue goes through a check, which raises an error if the answer is zeros. Until
//! then, which in a program that keeps its functions is until the state is closed, that check
//! costs nothing, because it is not there.
//!
//! mlua's own data for the state is finalised after all callbacks. From then on this library does
//! not enter mlua in that state any more: mlua would look for its data and find freed memory.

#[cfg(bound_lua_api)]
mod end;
#[cfg(bound_lua_api)]
mod guard;
#[cfg(bound_lua_api)]
mod running;
#[cfg(bound_lua_api)]
pub(crate) use end::{is_over, is_surely_over};
#[cfg(bound_lua_api)]
pub use guard::make_late_calls_safe;
#[cfg(bound_lua_api)]
pub(crate) use running::is_with as is_running_with;

/// Does nothing: without a bound Lua API there is no place for the check.
///
/// # Errors
///
/// None.
#[cfg(not(bound_lua_api))]
pub fn make_late_calls_safe(_lua: &mlua::Lua) -> mlua::Result<()> {
    Ok(())
}

/// The same.
#[cfg(not(bound_lua_api))]
pub(crate) unsafe fn is_surely_over(_state: *mut mlua::ffi::lua_State) -> bool {
    false
}

/// Whether a function with a userdata is running: it is not known here.
#[cfg(not(bound_lua_api))]
pub(crate) unsafe fn is_running_with(
    _state: *mut mlua::ffi::lua_State,
    _userdata: *const std::ffi::c_void,
) -> bool {
    false
}

/// Whether mlua's data for a state was finalised: it is not known here.
#[cfg(not(bound_lua_api))]
pub(crate) unsafe fn is_over(_state: *mut mlua::ffi::lua_State) -> bool {
    false
}
