//! The same face where the dynamic linker has bound the Lua API: there is nothing to do.

use std::ffi::c_void;
use std::ptr;

use super::BindError;

/// Does nothing: the dynamic linker has bound the Lua API.
///
/// # Errors
///
/// None.
///
/// # Safety
///
/// Nothing is asked of the caller.
pub unsafe fn bind(_find: &mut dyn FnMut(&'static str) -> *const c_void) -> Result<(), BindError> {
    Ok(())
}

/// Null: nothing is bound here.
#[must_use]
pub fn resolve(_name: &str) -> *const c_void {
    ptr::null()
}

/// Nothing is held here.
pub(crate) fn release() {}
