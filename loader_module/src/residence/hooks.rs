//! Functions of a library that Lua calls without any Lua value leading to them: debug hooks, and the
//! state's warn, panic and allocation functions.

use std::ffi::c_int;

use plugin_api::abi::Inventory;
use plugin_api::mlua::ffi::{self, lua_State};
use plugin_api::mlua::{self, Lua, Thread, Value};

use super::collector::Quiet;
use super::probe::Candidate;
use super::walk::{Visitor, walk};
use crate::library::Addresses;
use crate::report::{Reason, ReasonKind};

/// Removes what mlua keeps of hooks that are no longer installed, in a table that all copies of
/// mlua in a state share.
pub(super) fn tidy(lua: &Lua, quiet: &Quiet<'_>, candidate: &Candidate<'_>) -> mlua::Result<()> {
    const KEY: &str = "__mlua_hooks";
    // One that was only taken off is still installed.
    if candidate.left.flags & Inventory::HOOK == 0 || quiet.has_hook_in(candidate.addresses) {
        return Ok(());
    }
    let Value::Table(hooks) = lua.named_registry_value(KEY)? else {
        return Ok(());
    };
    let mut is_empty = true;
    for pair in hooks.pairs::<Value, Value>() {
        let (thread, hook) = pair?;
        let Value::Thread(thread) = thread else {
            continue;
        };
        if is_own(lua, &hook, candidate.addresses)? && !has_hook(&thread, candidate.addresses) {
            hooks.raw_set(thread, Value::Nil)?;
        } else {
            is_empty = false;
        }
    }
    if is_empty {
        lua.set_named_registry_value(KEY, Value::Nil)?;
    }
    Ok(())
}

/// Whether the finaliser of an object is in the library.
fn is_own(lua: &Lua, object: &Value, addresses: &Addresses) -> mlua::Result<bool> {
    let mut is_own = false;
    let out = &raw mut is_own;
    // SAFETY: the object is at index 1, `out` outlives the call, nothing needs a destructor.
    unsafe {
        lua.exec_raw::<()>(object, |state| {
            *out = has_own_finaliser(state, addresses);
            ffi::lua_settop(state, 0);
        })?;
    }
    Ok(is_own)
}

/// Whether the object on top of the stack has a finaliser in the library.
pub(super) unsafe fn has_own_finaliser(state: *mut lua_State, addresses: &Addresses) -> bool {
    // SAFETY: the caller's stack has room for two values; `lua_rawget` runs no code.
    unsafe {
        if ffi::lua_getmetatable(state, -1) == 0 {
            return false;
        }
        ffi::lua_pushstring(state, c"__gc".as_ptr());
        ffi::lua_rawget(state, -2);
        let is_own = addresses.contains(super::c_function(state));
        ffi::lua_pop(state, 2);
        is_own
    }
}

fn has_hook(thread: &Thread, addresses: &Addresses) -> bool {
    // SAFETY: the thread is alive while the handle is.
    unsafe { is_hooked(thread.state(), addresses) }
}

unsafe fn is_hooked(thread: *mut lua_State, addresses: &Addresses) -> bool {
    // SAFETY: the caller's thread is valid.
    unsafe { ffi::lua_gethook(thread) }.is_some_and(|hook| addresses.contains(hook as *const _))
}

/// What of these a library has in a state.
pub(super) fn reasons(lua: &Lua, quiet: &Quiet<'_>, candidate: &Candidate<'_>) -> Vec<Reason> {
    let flags = candidate.left.flags;
    let mut reasons = Vec::new();
    let table = [
        (
            Inventory::WARN,
            ReasonKind::Warn,
            "the state's warn function is one of it",
        ),
        (
            Inventory::PANIC,
            ReasonKind::PanicHandler,
            "the state's panic function is one of it",
        ),
        (
            Inventory::ALLOCATOR,
            ReasonKind::Allocator,
            "the state's allocator is one of it",
        ),
        (
            Inventory::OPAQUE,
            ReasonKind::Function,
            "it made functions in a way that does not tell whether they are still referenced",
        ),
    ];
    for (flag, kind, text) in table {
        if flags & flag != 0 {
            reasons.push(Reason::new(kind, text));
        }
    }
    if flags & Inventory::HOOK != 0 {
        reasons.extend(hook(lua, quiet, candidate.addresses));
    }
    reasons
}

/// Whether a debug hook of the library is installed. A coroutine inherits the hook of the one that
/// makes it, so all of them are looked at; in LuaJIT there is one hook for all.
fn hook(lua: &Lua, quiet: &Quiet<'_>, addresses: &Addresses) -> Option<Reason> {
    let installed = "a debug hook of it is installed";
    if quiet.has_hook_in(addresses) {
        return Some(Reason::new(ReasonKind::Hook, installed));
    }
    let maybe = "it has installed a debug hook, which a coroutine that cannot be seen may have";
    if is_luajit() {
        // SAFETY: the state is open.
        let is_hooked = lua.exec_raw_lua(|raw| unsafe { is_hooked(raw.state(), addresses) });
        return is_hooked.then(|| Reason::new(ReasonKind::Hook, installed));
    }
    let mut visitor = Hooks {
        addresses,
        is_hooked: false,
    };
    let has_met_all = walk(lua, &mut visitor).unwrap_or(false);
    if visitor.is_hooked {
        Some(Reason::new(ReasonKind::Hook, installed))
    } else if !has_met_all || cfg!(feature = "lua51") {
        Some(Reason::new(ReasonKind::Hook, maybe))
    } else {
        None
    }
}

fn is_luajit() -> bool {
    crate::runtime::lua_abi() == "luajit"
}

struct Hooks<'a> {
    addresses: &'a Addresses,
    is_hooked: bool,
}

// SAFETY: the stack is not changed.
unsafe impl Visitor for Hooks<'_> {
    unsafe fn visit(&mut self, state: *mut lua_State, kind: c_int) -> bool {
        if kind == ffi::LUA_TTHREAD {
            // SAFETY: there is a thread on top of the stack.
            self.is_hooked |= unsafe { is_hooked(ffi::lua_tothread(state, -1), self.addresses) };
        }
        true
    }

    unsafe fn leaves_out(&mut self, _state: *mut lua_State) -> bool {
        false
    }
}
