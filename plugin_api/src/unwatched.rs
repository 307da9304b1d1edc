//! The faces of `residence` and `process` where nothing is watched: the loader keeps every library
//! mapped.

use mlua::ffi::lua_State;

use crate::abi::{Inventory, Usage};

/// Does nothing.
pub(crate) unsafe fn install() {}

/// Does nothing.
pub(crate) unsafe fn begin(_state: *mut lua_State) {}

/// Runs `body`.
pub(crate) fn learn<R>(body: impl FnOnce() -> R) -> R {
    body()
}

/// Tells nothing.
pub(crate) unsafe fn inventory(_state: *mut lua_State, _inventory: &mut Inventory) {}

/// Does nothing.
pub(crate) fn forget(_state: *mut lua_State) {}

/// Tells nothing.
pub(crate) fn usage(_usage: &mut Usage) {}

/// Does nothing.
pub(crate) unsafe fn close() {}

/// Tells nothing.
pub(crate) fn has_started_this_thread() -> bool {
    false
}
