//! What it is that is left of a library in a Lua state.

use std::collections::BTreeMap;
use std::ffi::{c_int, c_void};

use plugin_api::mlua::ffi::{self, lua_State};
use plugin_api::mlua::{self, Lua, Table, Value};

use super::hooks;
use super::probe::Candidate;
use super::walk::{Visitor, c_function, walk};
use crate::call_stack;
use crate::library::Addresses;
use crate::report::{Reason, ReasonKind};

/// The reasons for which a library is still there, as far as they can be seen.
pub(super) fn reasons(lua: &Lua, candidate: &Candidate<'_>, names: &[Table]) -> Vec<Reason> {
    let mut reasons = Vec::new();
    let mut known = Vec::new();
    for (name, function) in named(names) {
        known.push(function.to_pointer().addr());
        reasons.push(
            Reason::counted(
                ReasonKind::Function,
                1,
                &format!("its function '{name}' is still referenced"),
                "",
            )
            .named(name),
        );
    }
    reasons.sort_by(|a, b| a.name.cmp(&b.name));
    let mut found = Found {
        candidate,
        known,
        functions: 0,
        objects: BTreeMap::new(),
    };
    // What was found before a failure counts.
    let _ = walk(lua, &mut found);
    if found.functions > 0 {
        reasons.push(Reason::counted(
            ReasonKind::Function,
            found.functions,
            "a function that it made is still referenced",
            "N functions that it made are still referenced",
        ));
    }
    for (name, count) in found.objects {
        let reason = Reason::counted(
            ReasonKind::Object,
            count,
            &format!("an object of type '{name}' is still referenced"),
            &format!("N objects of type '{name}' are still referenced"),
        );
        reasons.push(reason.named(name));
    }
    if reasons.is_empty() {
        reasons.push(Reason::new(
            ReasonKind::Reference,
            "something of it is still referenced, where it cannot be seen",
        ));
    }
    reasons
}

/// The plugin's own functions that are still there, with their names.
fn named(names: &[Table]) -> Vec<(String, mlua::Function)> {
    let mut named = Vec::new();
    for table in names {
        for (function, name) in table.pairs::<Value, Value>().flatten() {
            if let (Value::Function(function), Value::String(name)) = (function, name) {
                named.push((name.to_string_lossy(), function));
            }
        }
    }
    named
}

/// What a walk has found of a library.
struct Found<'a> {
    candidate: &'a Candidate<'a>,
    /// Functions that are named already, by address.
    known: Vec<usize>,
    functions: usize,
    objects: BTreeMap<String, usize>,
}

// SAFETY: each function pops what it pushes, three values at most.
unsafe impl Visitor for Found<'_> {
    unsafe fn visit(&mut self, state: *mut lua_State, kind: c_int) -> bool {
        let addresses = self.candidate.addresses;
        // SAFETY: there is a value on top of the stack.
        unsafe {
            match kind {
                ffi::LUA_TFUNCTION if addresses.contains(c_function(state)) => {
                    if !self.known.contains(&ffi::lua_topointer(state, -1).addr()) {
                        self.functions += 1;
                    }
                    false
                }
                ffi::LUA_TUSERDATA if hooks::has_own_finaliser(state, addresses) => {
                    if let Some(name) = type_name(state) {
                        *self.objects.entry(name).or_default() += 1;
                    }
                    false
                }
                _ => true,
            }
        }
    }

    unsafe fn leaves_out(&mut self, state: *mut lua_State) -> bool {
        // SAFETY: a key and a value are on top of the stack.
        unsafe {
            match ffi::lua_type(state, -2) {
                ffi::LUA_TLIGHTUSERDATA => self
                    .candidate
                    .addresses
                    .contains(ffi::lua_touserdata(state, -2)),
                ffi::LUA_TNUMBER => {
                    #[allow(clippy::cast_possible_truncation, reason = "references are small")]
                    let number = ffi::lua_tonumber(state, -2) as c_int;
                    self.candidate.left.references.contains(&number)
                }
                _ => false,
            }
        }
    }
}

/// The name of the type of the object on top of the stack. What mlua makes for itself has none.
unsafe fn type_name(state: *mut lua_State) -> Option<String> {
    // SAFETY: the object has a metatable; the name is copied while it is on the stack.
    unsafe {
        ffi::lua_getmetatable(state, -1);
        ffi::lua_pushstring(state, c"__name".as_ptr());
        ffi::lua_rawget(state, -2);
        let mut name = None;
        if ffi::lua_type(state, -1) == ffi::LUA_TSTRING {
            let mut length = 0;
            let text = ffi::lua_tolstring(state, -1, &raw mut length);
            let bytes = std::slice::from_raw_parts(text.cast::<u8>(), length);
            name = Some(String::from_utf8_lossy(bytes).into_owned());
        }
        ffi::lua_pop(state, 2);
        name
    }
}

/// See [`super::is_suspended_in`].
pub(super) fn is_suspended_in(
    lua: &Lua,
    addresses: &Addresses,
    is_it: &dyn Fn(*const c_void) -> bool,
) -> mlua::Result<bool> {
    let mut suspended = Suspended {
        addresses,
        is_it,
        found: false,
    };
    walk(lua, &mut suspended)?;
    Ok(suspended.found)
}

struct Suspended<'a> {
    addresses: &'a Addresses,
    is_it: &'a dyn Fn(*const c_void) -> bool,
    found: bool,
}

// SAFETY: the stack is not changed, that of a suspended thread neither.
unsafe impl Visitor for Suspended<'_> {
    unsafe fn visit(&mut self, state: *mut lua_State, kind: c_int) -> bool {
        if kind == ffi::LUA_TTHREAD {
            // SAFETY: there is a thread on top of the stack.
            unsafe {
                let thread = ffi::lua_tothread(state, -1);
                if ffi::lua_status(thread) == ffi::LUA_YIELD && ffi::lua_checkstack(thread, 3) != 0
                {
                    let is_own = |code: *const c_void, function: *const c_void| {
                        self.addresses.contains(code) || (self.is_it)(function)
                    };
                    self.found |= call_stack::has_function(thread, &is_own);
                }
            }
        }
        !self.found
    }

    unsafe fn leaves_out(&mut self, _state: *mut lua_State) -> bool {
        self.found
    }
}
