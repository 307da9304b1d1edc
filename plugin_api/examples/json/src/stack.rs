//! Between a tape and Lua values, by Lua's own C API: most of the time that JSON takes is spent here, and
//! each of mlua's safe calls is protected for itself.
//!
//! Lua raises errors by a jump over Rust's frames, which runs no destructor. Reading calls only what raises
//! none. Values are made in one protected call, by functions that own nothing: the tape belongs to their
//! caller, outside of it.
#![allow(unsafe_code)]

use std::ffi::{c_int, c_void};
use std::ptr;

use plugin_api::mlua::ffi::{self, lua_State};
use plugin_api::mlua::{self, Lua, Table};

mod build;
mod read;
mod style;
mod unfit;

pub(crate) use build::build;
pub(crate) use read::write;
pub(crate) use style::style;

/// The keys in a state's registry, by their addresses, of the metatable of arrays, and of the key in metatables
/// that says what a table is. The loader takes both out when the plugin is unloaded.
static ARRAYS: u8 = 0;
static MARK: u8 = 0;

/// Puts into the registry what the functions here need.
pub(crate) fn prepare(lua: &Lua, arrays: &Table, mark: &str) -> mlua::Result<()> {
    // SAFETY: the values are at the indices 1 and 2; what runs owns nothing, and is protected.
    unsafe {
        lua.exec_raw((arrays, mark), |state| {
            ffi::lua_rawsetp(state, ffi::LUA_REGISTRYINDEX, address(&MARK));
            ffi::lua_rawsetp(state, ffi::LUA_REGISTRYINDEX, address(&ARRAYS));
        })
    }
}

fn address(key: &'static u8) -> *const c_void {
    ptr::from_ref(key).cast()
}

/// Pushes what [`prepare`] has put into the registry.
///
/// # Safety
///
/// - `state` is valid, with room for two values. Nothing raises.
unsafe fn push_registered(state: *mut lua_State, key: &'static u8) -> c_int {
    // SAFETY: as the caller promises.
    unsafe { ffi::lua_rawgetp(state, ffi::LUA_REGISTRYINDEX, address(key)) }
}
