//! `luaopen_cygnixy` where the dynamic linker has bound the module's Lua API.

use std::ffi::{c_int, c_void};

use plugin_api::mlua::ffi::lua_State;

use super::opened;
use crate::module::pin::pin;

/// The entry point that `require "cygnixy"` calls.
///
/// # Safety
///
/// - Called by Lua as a `lua_CFunction`.
#[unsafe(no_mangle)]
pub(super) unsafe extern "C-unwind" fn luaopen_cygnixy(state: *mut lua_State) -> c_int {
    pin(luaopen_cygnixy as *const c_void);
    // SAFETY: Lua calls this with a valid state, as a protected call.
    unsafe { opened(state) }
}
