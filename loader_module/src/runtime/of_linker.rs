//! The Lua runtime that the dynamic linker chose: nothing is known of it but this build's ABI.

use std::ffi::c_void;

use plugin_api::lua_abi::LUA_ABI;

pub(super) fn lua_abi() -> &'static str {
    LUA_ABI
}

/// Plugins are bound by the dynamic linker here and ask for nothing.
pub(super) fn resolve(_name: &str) -> *const c_void {
    std::ptr::null()
}
