//! The Lua runtime that this loader works in: its ABI, and its C API by name for the plugins.
//!
//! Two modules of one shape: in the Lua module the runtime is the caller's ([`of_caller`]), in a
//! Rust program it is the one linked into the program ([`of_program`]).

use std::ffi::c_void;

use plugin_api::abi::{Host, Str};

#[cfg(feature = "module")]
pub(crate) mod of_caller;
#[cfg(not(feature = "module"))]
mod of_program;

#[cfg(feature = "module")]
use of_caller as imp;
#[cfg(not(feature = "module"))]
use of_program as imp;

/// The Lua ABI of the running interpreter.
pub(crate) fn lua_abi() -> &'static str {
    imp::lua_abi()
}

/// What plugins are offered when they are bound.
pub(crate) fn host() -> Host {
    Host {
        size: size_of::<Host>(),
        context: std::ptr::null_mut(),
        resolve,
    }
}

unsafe extern "C" fn resolve(_context: *mut c_void, name: Str) -> *const c_void {
    // SAFETY: the plugin passes a name that it borrows for the call.
    let name = unsafe { name.to_text() };
    imp::resolve(&name)
}
