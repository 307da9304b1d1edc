//! Functions of this library that Lua calls without any Lua value leading to them, and memory of
//! this library that Lua reads.

use std::ffi::{c_int, c_void};

#[cfg(feature = "lua55")]
use mlua::ffi;
use mlua::ffi::lua_State;

use super::intercept::intercepts;
use super::records;
use crate::abi::Inventory;
use crate::errors::is_own;
use crate::lua_api::slots;

/// A function of any type, or null.
type Address = *const c_void;

intercepts! {
    lua_sethook as SETHOOK: (state: *mut lua_State, hook: Address, mask: c_int, count: c_int) -> c_int;
    lua_atpanic as ATPANIC: (state: *mut lua_State, function: Address) -> Address;
    lua_setallocf as SETALLOCF: (state: *mut lua_State, allocator: Address, context: *mut c_void);
    #[cfg(any(feature = "lua54", feature = "lua55"))]
    lua_setwarnf as SETWARNF: (state: *mut lua_State, function: Address, context: *mut c_void);
    #[cfg(any(feature = "lua51", feature = "luajit"))]
    lua_yield as YIELD: (state: *mut lua_State, results: c_int) -> c_int;
    #[cfg(not(any(feature = "lua51", feature = "luajit")))]
    lua_yieldk as YIELD:
        (state: *mut lua_State, results: c_int, context: isize, continuation: Address) -> c_int;
    #[cfg(any(feature = "lua51", feature = "luajit"))]
    luaL_register as REGISTER: (state: *mut lua_State, name: Address, list: Address);
    #[cfg(not(any(feature = "lua51", feature = "luajit")))]
    luaL_setfuncs as SETFUNCS: (state: *mut lua_State, list: Address, n: c_int);
    #[cfg(not(any(feature = "lua51", feature = "luajit")))]
    luaL_requiref as REQUIREF:
        (state: *mut lua_State, name: Address, open: Address, is_global: c_int);
}

pub(super) unsafe fn install() {
    SETHOOK.install(&slots::lua_sethook, lua_sethook as *const ());
    ATPANIC.install(&slots::lua_atpanic, lua_atpanic as *const ());
    SETALLOCF.install(&slots::lua_setallocf, lua_setallocf as *const ());
    #[cfg(any(feature = "lua54", feature = "lua55"))]
    SETWARNF.install(&slots::lua_setwarnf, lua_setwarnf as *const ());
    #[cfg(feature = "lua55")]
    slots::lua_pushexternalstring.store(
        lua_pushexternalstring as *mut (),
        std::sync::atomic::Ordering::Relaxed,
    );
    #[cfg(any(feature = "lua51", feature = "luajit"))]
    YIELD.install(&slots::lua_yield, lua_yield as *const ());
    #[cfg(not(any(feature = "lua51", feature = "luajit")))]
    YIELD.install(&slots::lua_yieldk, lua_yieldk as *const ());
    #[cfg(any(feature = "lua51", feature = "luajit"))]
    REGISTER.install(&slots::luaL_register, luaL_register as *const ());
    #[cfg(not(any(feature = "lua51", feature = "luajit")))]
    {
        SETFUNCS.install(&slots::luaL_setfuncs, luaL_setfuncs as *const ());
        REQUIREF.install(&slots::luaL_requiref, luaL_requiref as *const ());
    }
}

/// Stands in for `lua_sethook`. A thread inherits the hook of the one that makes it, so a hook that
/// was set once may be anywhere.
unsafe extern "C-unwind" fn lua_sethook(
    state: *mut lua_State,
    hook: Address,
    mask: c_int,
    count: c_int,
) -> c_int {
    if is_own(hook) {
        records::flag(state, Inventory::HOOK, true);
    }
    // SAFETY: the arguments are those of `lua_sethook`. Where that has no result, none is used.
    unsafe { real::lua_sethook(state, hook, mask, count) }
}

/// Stands in for `lua_atpanic`.
unsafe extern "C-unwind" fn lua_atpanic(state: *mut lua_State, function: Address) -> Address {
    records::flag(state, Inventory::PANIC, is_own(function));
    // SAFETY: the arguments are those of `lua_atpanic`.
    unsafe { real::lua_atpanic(state, function) }
}

/// Stands in for `lua_setallocf`.
unsafe extern "C-unwind" fn lua_setallocf(
    state: *mut lua_State,
    allocator: Address,
    context: *mut c_void,
) {
    records::flag(state, Inventory::ALLOCATOR, is_own(allocator));
    // SAFETY: the arguments are those of `lua_setallocf`.
    unsafe { real::lua_setallocf(state, allocator, context) }
}

/// Stands in for `lua_setwarnf`.
#[cfg(any(feature = "lua54", feature = "lua55"))]
unsafe extern "C-unwind" fn lua_setwarnf(
    state: *mut lua_State,
    function: Address,
    context: *mut c_void,
) {
    records::flag(state, Inventory::WARN, is_own(function));
    // SAFETY: the arguments are those of `lua_setwarnf`.
    unsafe { real::lua_setwarnf(state, function, context) }
}

/// Stands in for `lua_pushexternalstring`: copies the text, which may outlive the library, and
/// frees it at once as Lua would later. Should Lua run out of memory for the copy, the text leaks.
#[cfg(feature = "lua55")]
unsafe extern "C-unwind" fn lua_pushexternalstring(
    state: *mut lua_State,
    text: *const std::ffi::c_char,
    length: usize,
    free: Option<ffi::lua_Alloc>,
    context: *mut c_void,
) -> *const std::ffi::c_char {
    // SAFETY: the arguments are those of `lua_pushexternalstring`: `length` bytes and a zero, which
    // `free` frees.
    unsafe {
        let copy = ffi::lua_pushlstring(state, text, length);
        if let Some(free) = free {
            free(context, text.cast_mut().cast(), length + 1, 0);
        }
        copy
    }
}

/// Stands in for `lua_yield`.
#[cfg(any(feature = "lua51", feature = "luajit"))]
unsafe extern "C-unwind" fn lua_yield(state: *mut lua_State, results: c_int) -> c_int {
    records::note_yield();
    // SAFETY: the arguments are those of `lua_yield`; nothing here has a destructor.
    unsafe { real::lua_yield(state, results) }
}

/// Stands in for `lua_yieldk`.
#[cfg(not(any(feature = "lua51", feature = "luajit")))]
unsafe extern "C-unwind" fn lua_yieldk(
    state: *mut lua_State,
    results: c_int,
    context: isize,
    continuation: Address,
) -> c_int {
    records::note_yield();
    // SAFETY: the arguments are those of `lua_yieldk`; nothing here has a destructor.
    unsafe { real::lua_yieldk(state, results, context, continuation) }
}

/// Stands in for `luaL_register`: the functions it makes are not known one by one.
#[cfg(any(feature = "lua51", feature = "luajit"))]
#[allow(non_snake_case)]
unsafe extern "C-unwind" fn luaL_register(state: *mut lua_State, name: Address, list: Address) {
    records::flag(state, Inventory::OPAQUE, true);
    // SAFETY: the arguments are those of `luaL_register`.
    unsafe { real::luaL_register(state, name, list) }
}

/// Stands in for `luaL_setfuncs`: the functions it makes are not known one by one.
#[cfg(not(any(feature = "lua51", feature = "luajit")))]
#[allow(non_snake_case)]
unsafe extern "C-unwind" fn luaL_setfuncs(state: *mut lua_State, list: Address, n: c_int) {
    records::flag(state, Inventory::OPAQUE, true);
    // SAFETY: the arguments are those of `luaL_setfuncs`.
    unsafe { real::luaL_setfuncs(state, list, n) }
}

/// Stands in for `luaL_requiref`.
#[cfg(not(any(feature = "lua51", feature = "luajit")))]
#[allow(non_snake_case)]
unsafe extern "C-unwind" fn luaL_requiref(
    state: *mut lua_State,
    name: Address,
    open: Address,
    is_global: c_int,
) {
    if is_own(open) {
        records::flag(state, Inventory::OPAQUE, true);
    }
    // SAFETY: the arguments are those of `luaL_requiref`.
    unsafe { real::luaL_requiref(state, name, open, is_global) }
}
