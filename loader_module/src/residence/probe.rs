//! Whether anything of a library is left in a Lua state: the collector is asked.
//!
//! Everything of a library refers to its anchor (`plugin_api`, module `residence`). What the
//! library's mlua keeps in the registry is moved into the anchor, which then is reachable only from
//! what scripts, or anyone else, still hold. A full collection tells. If the anchor is still there,
//! everything is put back before any finaliser can notice: by the finaliser of an object that was
//! made last, since Lua runs finalisers in the reverse order.
//!
//! Where a finaliser was all that held it, another round tells whether the finaliser kept it; for the
//! rounds see the module above.

use std::ffi::{CStr, c_int, c_void};

use plugin_api::mlua::ffi::{self, lua_State};
use plugin_api::mlua::{self, Lua};

use super::collector::Quiet;
use crate::library::{Addresses, LeftBehind};
use crate::lua_state::weak_table;

/// Something to ask about: a library and what it is known to have in the state.
pub(super) struct Candidate<'a> {
    pub(super) addresses: &'a Addresses,
    pub(super) left: &'a LeftBehind,
}

/// What the collector says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Nothing is left.
    Gone,
    /// Something is left.
    Alive,
    /// Something is left, but only a finaliser may have needed it: another round will tell.
    Unclear,
    /// No collection took place.
    Unknown,
}

/// What is known after the collector was asked.
pub(super) struct Answer {
    /// One for each candidate.
    pub(super) verdicts: Vec<Verdict>,
    /// Whether the collection ran all finalisers that were due: none of them has failed.
    pub(super) is_settled: bool,
}

impl Answer {
    /// What is known if there was no collection.
    pub(super) fn nothing(candidates: usize) -> Self {
        Self {
            verdicts: vec![Verdict::Unknown; candidates],
            is_settled: false,
        }
    }
}

/// Asks about several libraries in one go. A failure leaves everything as it was. A full collection
/// was made before, so that no finaliser is due, and neither finalisers nor hooks run meanwhile but
/// in the collection that is made here.
pub(super) fn probe(
    lua: &Lua,
    quiet: &Quiet<'_>,
    candidates: &[Candidate<'_>],
) -> mlua::Result<Answer> {
    let unknown = Answer::nothing(candidates.len());
    // Made of plain fields, none of which is added later: changing them needs no memory.
    let switch = lua.create_table()?;
    switch.raw_set("armed", false)?;
    switch.raw_set("reached", false)?;
    let by_anchor = weak_table(lua, "k")?;
    let by_number = weak_table(lua, "v")?;
    let arguments = (&switch, &by_anchor, &by_number);
    // What it raises is the failure of another finaliser, or there was no memory to begin.
    // SAFETY: `detach` finds its three arguments on the stack; `candidates` outlives the call.
    // Nothing needs a destructor if it raises.
    let ran = unsafe { lua.exec_raw::<()>(arguments, |state| detach(state, candidates)) };
    quiet.stop();
    if switch.raw_get::<bool>("armed")? {
        // The collection did not reach the finaliser. It finds nothing to do later.
        // SAFETY: `attach` finds its two arguments on the stack.
        unsafe {
            lua.exec_raw::<()>((&switch, &by_anchor), |state| attach(state, 1, 2))?;
        }
        return Ok(unknown);
    }
    if !switch.raw_get::<bool>("reached")? {
        return Ok(unknown);
    }
    let mut present = Vec::new();
    for pair in by_anchor.pairs::<mlua::Value, mlua::LightUserData>() {
        present.push(pair?.1.0.cast_const());
    }
    let mut verdicts = Vec::new();
    for (number, candidate) in candidates.iter().enumerate() {
        let is_held = !by_number.raw_get::<mlua::Value>(number + 1)?.is_nil();
        verdicts.push(if !present.contains(&candidate.left.anchor) {
            Verdict::Gone
        } else if is_held && TELLS_FINALISERS {
            Verdict::Alive
        } else {
            Verdict::Unclear
        });
    }
    Ok(Answer {
        verdicts,
        is_settled: ran.is_ok(),
    })
}

/// Whether weak values go before finalisers run, and weak keys after: then the two tell apart what
/// only a finaliser refers to.
const TELLS_FINALISERS: bool = cfg!(not(any(feature = "lua51", feature = "luajit")));

const SWITCH: c_int = 1;
const BY_ANCHOR: c_int = 2;
const BY_NUMBER: c_int = 3;

/// Moves what the candidates have in the registry into their anchors, lets go of the anchors, and
/// collects. Indices 1 to 3: the switch and the two weak tables.
unsafe fn detach(state: *mut lua_State, candidates: &[Candidate<'_>]) {
    // SAFETY: room is asked for. Nobody else collects meanwhile. Until the switch is thrown, the
    // registry is not changed; after that, nothing needs memory until the collection.
    unsafe {
        ffi::luaL_checkstack(state, 12, c"cygnixy".as_ptr());
        push_sentry(state);
        for (number, candidate) in (1..).zip(candidates) {
            let anchor = candidate.left.anchor;
            ffi::lua_rawgetp(state, ffi::LUA_REGISTRYINDEX, anchor);
            if ffi::lua_type(state, -1) == ffi::LUA_TTABLE {
                let table = ffi::lua_gettop(state);
                ffi::lua_pushvalue(state, table);
                ffi::lua_pushlightuserdata(state, anchor.cast_mut());
                ffi::lua_rawset(state, BY_ANCHOR);
                ffi::lua_pushvalue(state, table);
                ffi::lua_rawseti(state, BY_NUMBER, number);
                copy_into(state, table, candidate);
            }
            ffi::lua_pop(state, 1);
        }
        set(state, SWITCH, REACHED, true);
        set(state, SWITCH, ARMED, true);
        for candidate in candidates {
            let anchor = candidate.left.anchor;
            ffi::lua_rawgetp(state, ffi::LUA_REGISTRYINDEX, anchor);
            if ffi::lua_type(state, -1) == ffi::LUA_TTABLE {
                // Every key of the anchor's is one of the registry's.
                ffi::lua_pushnil(state);
                while ffi::lua_next(state, -2) != 0 {
                    ffi::lua_pop(state, 1);
                    ffi::lua_pushvalue(state, -1);
                    ffi::lua_pushnil(state);
                    ffi::lua_rawset(state, ffi::LUA_REGISTRYINDEX);
                }
                ffi::lua_pushnil(state);
                ffi::lua_rawsetp(state, ffi::LUA_REGISTRYINDEX, anchor);
            }
            ffi::lua_pop(state, 1);
        }
        // The sentry goes last: nothing refers to it from here on.
        ffi::lua_settop(state, 3);
        ffi::lua_gc(state, ffi::LUA_GCCOLLECT, 0);
    }
}

/// Copies what a candidate has in the registry into the anchor at `table`, but for mlua's data for
/// the state, which goes last and by hand.
unsafe fn copy_into(state: *mut lua_State, table: c_int, candidate: &Candidate<'_>) {
    // SAFETY: as in `detach`; the registry is not changed while it is traversed.
    unsafe {
        ffi::lua_pushnil(state);
        while ffi::lua_next(state, ffi::LUA_REGISTRYINDEX) != 0 {
            // Above: the key, the value.
            let is_own = ffi::lua_type(state, -2) == ffi::LUA_TLIGHTUSERDATA
                && candidate.addresses.contains(ffi::lua_touserdata(state, -2));
            let is_anchor = ffi::lua_rawequal(state, -1, table) != 0;
            if is_own && !is_anchor && ffi::lua_type(state, -1) != ffi::LUA_TUSERDATA {
                ffi::lua_pushvalue(state, -2);
                ffi::lua_insert(state, -2);
                ffi::lua_rawset(state, table);
            } else {
                ffi::lua_pop(state, 1);
            }
        }
        for reference in &candidate.left.references {
            ffi::lua_rawgeti(state, ffi::LUA_REGISTRYINDEX, (*reference).into());
            ffi::lua_rawseti(state, table, (*reference).into());
        }
        for name in &candidate.left.names {
            ffi::lua_pushlstring(state, name.as_ptr().cast(), name.len());
            ffi::lua_pushvalue(state, -1);
            ffi::lua_rawget(state, ffi::LUA_REGISTRYINDEX);
            ffi::lua_rawset(state, table);
        }
    }
}

/// Pushes an object whose finaliser puts everything back.
unsafe fn push_sentry(state: *mut lua_State) {
    // SAFETY: as in `detach`.
    unsafe {
        ffi::lua_newuserdata(state, 1);
        ffi::lua_createtable(state, 0, 1);
        ffi::lua_pushvalue(state, SWITCH);
        ffi::lua_pushvalue(state, BY_ANCHOR);
        ffi::lua_pushcclosure(state, finalise, 2);
        ffi::lua_setfield(state, -2, GC.as_ptr());
        ffi::lua_setmetatable(state, -2);
    }
}

const GC: &CStr = c"__gc";

unsafe extern "C-unwind" fn finalise(state: *mut lua_State) -> c_int {
    // SAFETY: the upvalues are those that `push_sentry` gave; Lua leaves room for a C function.
    unsafe {
        attach(state, ffi::lua_upvalueindex(1), ffi::lua_upvalueindex(2));
    }
    0
}

/// Puts back what was moved into the anchors that are left, if the switch is thrown.
unsafe fn attach(state: *mut lua_State, switch: c_int, by_anchor: c_int) {
    // SAFETY: room for seven values is within what a C function has. The keys were in the registry
    // a moment ago, so that setting them again needs no memory, or next to none.
    unsafe {
        ffi::lua_getfield(state, switch, ARMED.as_ptr());
        let is_armed = ffi::lua_toboolean(state, -1) != 0;
        ffi::lua_pop(state, 1);
        if !is_armed {
            return;
        }
        set(state, switch, ARMED, false);
        ffi::lua_pushnil(state);
        while ffi::lua_next(state, by_anchor) != 0 {
            // Above: the anchor, its key.
            let key: *mut c_void = ffi::lua_touserdata(state, -1);
            ffi::lua_pop(state, 1);
            ffi::lua_pushvalue(state, -1);
            ffi::lua_rawsetp(state, ffi::LUA_REGISTRYINDEX, key);
            ffi::lua_pushnil(state);
            while ffi::lua_next(state, -2) != 0 {
                ffi::lua_pushvalue(state, -2);
                ffi::lua_insert(state, -2);
                ffi::lua_rawset(state, ffi::LUA_REGISTRYINDEX);
                ffi::lua_pushvalue(state, -1);
                ffi::lua_pushnil(state);
                ffi::lua_rawset(state, -4);
            }
        }
    }
}

/// Whether the registry lacks what was moved.
const ARMED: &CStr = c"armed";
/// Whether it ever did.
const REACHED: &CStr = c"reached";

unsafe fn set(state: *mut lua_State, switch: c_int, field: &CStr, value: bool) {
    // SAFETY: the field exists, so that this needs no memory; a table without a metatable.
    unsafe {
        ffi::lua_pushboolean(state, value.into());
        ffi::lua_setfield(state, switch, field.as_ptr());
    }
}
