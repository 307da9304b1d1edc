//! The Lua runtime that this loader works in: its ABI, and its C API by name for the plugins.
//!
//! Three modules of one shape: in the Lua module the runtime is the caller's (`of_caller`), or
//! whatever the dynamic linker chose where binding is not supported (`of_linker`); in a Rust
//! program it is the one linked into the program (`of_program`).

use std::ffi::c_void;

use plugin_api::abi::{Host, Str};

#[cfg(all(feature = "module", bound_lua_api))]
pub(crate) mod of_caller;
#[cfg(all(feature = "module", not(bound_lua_api)))]
mod of_linker;
#[cfg(not(feature = "module"))]
mod of_program;

#[cfg(all(feature = "module", bound_lua_api))]
use of_caller as imp;
#[cfg(all(feature = "module", not(bound_lua_api)))]
use of_linker as imp;
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
    let name = std::str::from_utf8(unsafe { name.as_bytes() });
    name.map_or(std::ptr::null(), imp::resolve)
}
