//! What this library has put into the registries of Lua states under numbers and names.

use std::collections::BTreeSet;
use std::ffi::c_int;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use mlua::ffi::{self, lua_State};

use super::anchor;
#[cfg(any(feature = "lua51", feature = "luajit"))]
use super::data;
use super::intercept::intercepts;
use crate::abi::{Inventory, Str};
use crate::lua_api::slots;

/// What is recorded of one Lua state.
struct Record {
    /// The address of the state's registry.
    state: usize,
    /// What `luaL_ref` gave out and `luaL_unref` did not get back.
    references: BTreeSet<c_int>,
    /// Names in the registry that had no value before.
    names: BTreeSet<Vec<u8>>,
    /// See [`Inventory`].
    flags: u32,
}

static RECORDS: Mutex<Vec<Record>> = Mutex::new(Vec::new());

/// Whether a C function of this library has yielded, in any state.
static HAS_YIELDED: AtomicBool = AtomicBool::new(false);

intercepts! {
    luaL_ref as REF: (state: *mut lua_State, table: c_int) -> c_int;
    luaL_unref as UNREF: (state: *mut lua_State, table: c_int, reference: c_int);
    lua_setfield as SETFIELD: (state: *mut lua_State, table: c_int, key: *const std::ffi::c_char);
    lua_rawset as RAWSET: (state: *mut lua_State, table: c_int);
    lua_pushvalue as PUSHVALUE: (state: *mut lua_State, index: c_int);
}

pub(super) unsafe fn install() {
    REF.install(&slots::luaL_ref, luaL_ref as *const ());
    UNREF.install(&slots::luaL_unref, luaL_unref as *const ());
    SETFIELD.install(&slots::lua_setfield, lua_setfield as *const ());
    PUSHVALUE.install(&slots::lua_pushvalue, lua_pushvalue as *const ());
}

fn records() -> MutexGuard<'static, Vec<Record>> {
    RECORDS.lock().unwrap_or_else(PoisonError::into_inner)
}

fn identity(state: *mut lua_State) -> usize {
    // SAFETY: every valid state has a registry at this index; only its address is used.
    unsafe { ffi::lua_topointer(state, ffi::LUA_REGISTRYINDEX).addr() }
}

/// Changes the record of a state, if it has one: a state that the plugin made for itself has none.
fn change<R>(state: *mut lua_State, change: impl FnOnce(&mut Record) -> R) -> Option<R> {
    let state = identity(state);
    records()
        .iter_mut()
        .find(|record| record.state == state)
        .map(change)
}

/// Begins a record for a state.
pub(super) fn begin(state: *mut lua_State) {
    forget(state);
    records().push(Record {
        state: identity(state),
        references: BTreeSet::new(),
        names: BTreeSet::new(),
        flags: 0,
    });
}

/// Ends the record of a state.
pub(crate) fn forget(state: *mut lua_State) {
    let state = identity(state);
    let mut records = records();
    records.retain(|record| record.state != state);
    if records.is_empty() {
        // The library may be unmapped next: nothing of it is to stay on the heap.
        records.shrink_to_fit();
    }
}

pub(super) fn flag(state: *mut lua_State, flag: u32, is_set: bool) {
    change(state, |record| {
        record.flags = if is_set {
            record.flags | flag
        } else {
            record.flags & !flag
        };
    });
}

pub(super) fn note_yield() {
    HAS_YIELDED.store(true, Ordering::Relaxed);
}

/// Tells what the library has in a state.
///
/// # Safety
///
/// - `inventory` has what its functions expect, and they do not call Lua.
pub(crate) unsafe fn inventory(state: *mut lua_State, inventory: &mut Inventory) {
    inventory.anchor = anchor::key();
    inventory.flags = 0;
    if HAS_YIELDED.load(Ordering::Relaxed) {
        inventory.flags |= Inventory::YIELD;
    }
    change(state, |record| {
        inventory.flags |= record.flags;
        for reference in &record.references {
            // SAFETY: the caller promises a usable inventory.
            unsafe { (inventory.reference)(inventory.context, *reference) };
        }
        for name in &record.names {
            let name = Str {
                data: name.as_ptr(),
                len: name.len(),
            };
            // SAFETY: as above; the name is borrowed for the call.
            unsafe { (inventory.name)(inventory.context, name) };
        }
    });
}

/// Stands in for `luaL_ref`.
#[allow(non_snake_case)]
unsafe extern "C-unwind" fn luaL_ref(state: *mut lua_State, table: c_int) -> c_int {
    // SAFETY: the arguments are those of `luaL_ref`.
    let reference = unsafe { real::luaL_ref(state, table) };
    if table == ffi::LUA_REGISTRYINDEX && reference > 0 {
        change(state, |record| record.references.insert(reference));
    }
    reference
}

/// Stands in for `luaL_unref`.
#[allow(non_snake_case)]
unsafe extern "C-unwind" fn luaL_unref(state: *mut lua_State, table: c_int, reference: c_int) {
    if table == ffi::LUA_REGISTRYINDEX {
        change(state, |record| record.references.remove(&reference));
    }
    // SAFETY: the arguments are those of `luaL_unref`.
    unsafe { real::luaL_unref(state, table, reference) }
}

/// Stands in for `lua_pushvalue`. mlua stores named values by `lua_rawset` on a copy of the
/// registry, so that function is watched from the first time that the registry is pushed.
unsafe extern "C-unwind" fn lua_pushvalue(state: *mut lua_State, index: c_int) {
    if index == ffi::LUA_REGISTRYINDEX && !IS_RAWSET_WATCHED.load(Ordering::Relaxed) {
        let _records = records();
        RAWSET.install(&slots::lua_rawset, lua_rawset as *const ());
        IS_RAWSET_WATCHED.store(true, Ordering::Relaxed);
    }
    // SAFETY: the arguments are those of `lua_pushvalue`.
    unsafe { real::lua_pushvalue(state, index) }
}

/// Whether `lua_rawset` is watched from now on; changed while the records are locked.
static IS_RAWSET_WATCHED: AtomicBool = AtomicBool::new(false);

/// Watches `lua_rawset` where mlua stores its data for a state by it.
pub(super) fn begin_learning() {
    #[cfg(any(feature = "lua51", feature = "luajit"))]
    if data::data_key().is_null() && !PUSHVALUE.address().is_null() {
        let _records = records();
        RAWSET.install(&slots::lua_rawset, lua_rawset as *const ());
    }
}

/// Ends what [`begin_learning`] began, unless `lua_rawset` is watched for another reason.
pub(super) fn end_learning() {
    #[cfg(any(feature = "lua51", feature = "luajit"))]
    if !RAWSET.address().is_null() {
        let _records = records();
        if !IS_RAWSET_WATCHED.load(Ordering::Relaxed) {
            slots::lua_rawset.store(RAWSET.address(), Ordering::Relaxed);
        }
    }
}

/// Stands in for `lua_rawset`.
unsafe extern "C-unwind" fn lua_rawset(state: *mut lua_State, table: c_int) {
    // SAFETY: the arguments are those of `lua_rawset`: a key and a value are on the stack.
    unsafe {
        #[cfg(any(feature = "lua51", feature = "luajit"))]
        if ffi::lua_type(state, -2) == ffi::LUA_TLIGHTUSERDATA {
            data::note(state, ffi::lua_touserdata(state, -2));
        }
        if ffi::lua_type(state, -2) == ffi::LUA_TSTRING
            && ffi::lua_topointer(state, table).addr() == identity(state)
        {
            let mut length = 0;
            let text = ffi::lua_tolstring(state, -2, &raw mut length);
            note_name(
                state,
                std::slice::from_raw_parts(text.cast::<u8>(), length),
                ffi::lua_isnil(state, -1) == 0,
            );
        }
        real::lua_rawset(state, table);
    }
}

/// Stands in for `lua_setfield`.
unsafe extern "C-unwind" fn lua_setfield(
    state: *mut lua_State,
    table: c_int,
    key: *const std::ffi::c_char,
) {
    // SAFETY: the arguments are those of `lua_setfield`: a value is on the stack, and the key is a
    // C string.
    unsafe {
        if table == ffi::LUA_REGISTRYINDEX {
            let name = std::ffi::CStr::from_ptr(key).to_bytes();
            note_name(state, name, ffi::lua_isnil(state, -1) == 0);
        }
        real::lua_setfield(state, table, key);
    }
}

/// Notes that a name of the registry is about to get a value, or to lose it.
unsafe fn note_name(state: *mut lua_State, name: &[u8], has_value: bool) {
    // SAFETY: the caller's stack has a value more than it will have after the call, and one that is
    // read here takes two slots for a moment.
    let is_new = has_value
        && unsafe {
            ffi::luaL_checkstack(state, 2, c"cygnixy".as_ptr());
            ffi::lua_pushlstring(state, name.as_ptr().cast(), name.len());
            ffi::lua_rawget(state, ffi::LUA_REGISTRYINDEX);
            let is_new = ffi::lua_isnil(state, -1) != 0;
            ffi::lua_pop(state, 1);
            is_new
        };
    // The table of hooks that all copies of mlua share is the loader's to look after.
    if name == b"__mlua_hooks" {
        return;
    }
    change(state, |record| {
        if is_new {
            record.names.insert(name.to_vec());
        } else if !has_value {
            record.names.remove(name);
        }
    });
}
