//! Filling the slots, once for each library.

use std::ffi::{c_int, c_void};
use std::mem;
use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering};
use std::sync::{Mutex, PoisonError};

use mlua::ffi::{self, lua_State};

use super::{BindError, cpcall, index_of, slots};
use crate::errors;

/// The address of `lua_gettop` tells one Lua runtime from another.
const IDENTITY: &str = "lua_gettop";

/// What no runtime can be without. Other functions may be missing from a point release; their
/// slots then lead to [`missing`].
const REQUIRED: [&str; 5] = [IDENTITY, ERROR, TOUSERDATA, "lua_type", "luaL_where"];

const ERROR: &str = "lua_error";
const TOUSERDATA: &str = "lua_touserdata";

static BOUND: Mutex<Option<usize>> = Mutex::new(None);
static MISSING: Mutex<Vec<&'static str>> = Mutex::new(Vec::new());
static REAL_ERROR: AtomicPtr<()> = AtomicPtr::new(ptr::null_mut());
static REAL_TOUSERDATA: AtomicPtr<()> = AtomicPtr::new(ptr::null_mut());

/// Fills the slots with the functions that `find` gives, or checks that they already hold them.
///
/// # Errors
///
/// [`BindError`]; the slots are then as they were.
///
/// # Safety
///
/// - `find` gives, for each name, the function of that name of the Lua version this build is for,
///   or null; all from one runtime, and loaded until the process ends.
pub unsafe fn bind(find: &mut dyn FnMut(&'static str) -> *const c_void) -> Result<(), BindError> {
    errors::remember_image();
    let mut bound = BOUND.lock().unwrap_or_else(PoisonError::into_inner);
    let identity = find(IDENTITY).addr();
    match *bound {
        Some(first) if first == identity => return Ok(()),
        Some(_) => return Err(BindError::OtherRuntime),
        None => {}
    }
    let names: Vec<_> = REQUIRED
        .into_iter()
        .filter(|name| find(name).is_null())
        .collect();
    if !names.is_empty() {
        return Err(BindError::Missing { names });
    }
    let mut absent = Vec::new();
    for (name, slot) in slots::ALL {
        let address = find(name).cast::<()>().cast_mut();
        let target = if address.is_null() {
            absent.push(*name);
            missing as *const () as *mut ()
        } else if *name == ERROR {
            REAL_ERROR.store(address, Ordering::Relaxed);
            errors::lua_error as *const () as *mut ()
        } else {
            cpcall::in_place_of(name, address).unwrap_or(address)
        };
        if *name == TOUSERDATA {
            REAL_TOUSERDATA.store(address, Ordering::Relaxed);
        }
        slot.store(target, Ordering::Relaxed);
    }
    *MISSING.lock().unwrap_or_else(PoisonError::into_inner) = absent;
    *bound = Some(identity);
    Ok(())
}

/// Frees what the binding has on the heap. The library is about to be unmapped.
pub(crate) fn release() {
    *MISSING.lock().unwrap_or_else(PoisonError::into_inner) = Vec::new();
}

/// The runtime's function `name`, as [`bind`] was given it; null if the runtime lacks it or the
/// name is not bound here.
#[must_use]
pub fn resolve(name: &str) -> *const c_void {
    if name == ERROR {
        return REAL_ERROR.load(Ordering::Relaxed).cast_const().cast();
    }
    if name == TOUSERDATA {
        return REAL_TOUSERDATA.load(Ordering::Relaxed).cast_const().cast();
    }
    if let Some(real) = cpcall::real_address(name) {
        return real;
    }
    let Some(index) = index_of(name) else {
        return ptr::null();
    };
    let address = slots::ALL[index].1.load(Ordering::Relaxed).cast_const();
    if is_placeholder(slots::ALL[index].1) {
        ptr::null()
    } else {
        address.cast()
    }
}

/// Whether a slot leads to no function of the runtime.
pub(super) fn is_placeholder(slot: &AtomicPtr<()>) -> bool {
    let address = slot.load(Ordering::Relaxed).cast_const();
    [missing as *const (), unbound as *const ()].contains(&address)
}

/// Calls the runtime's own `lua_error`.
///
/// # Safety
///
/// - [`bind`] has succeeded.
/// - `state` is valid and running, with an error value on top of its stack.
/// - No frame between here and the Lua function that is running needs a destructor.
pub(crate) unsafe fn real_lua_error(state: *mut lua_State) -> c_int {
    let address = REAL_ERROR.load(Ordering::Relaxed);
    // SAFETY: `bind` stored the address of the runtime's `lua_error`, which has this type.
    let raise: unsafe extern "C-unwind" fn(*mut lua_State) -> c_int =
        unsafe { mem::transmute(address) };
    // SAFETY: the caller keeps the rules of `lua_error`.
    unsafe { raise(state) }
}

/// The type of `lua_touserdata`.
pub(crate) type ToUserdata = unsafe extern "C-unwind" fn(*mut lua_State, c_int) -> *mut c_void;

/// Puts a function in the place of the runtime's `lua_touserdata`.
pub(crate) fn check_touserdata(check: ToUserdata) {
    slots::lua_touserdata.store(check as *mut (), Ordering::Relaxed);
}

/// Calls the runtime's own `lua_touserdata`.
///
/// # Safety
///
/// - [`bind`] has succeeded, and the arguments are as that function asks.
pub(crate) unsafe fn real_touserdata(state: *mut lua_State, index: c_int) -> *mut c_void {
    let address = REAL_TOUSERDATA.load(Ordering::Relaxed);
    // SAFETY: `bind` stored the address of the runtime's `lua_touserdata`, which has this type.
    let function: ToUserdata = unsafe { mem::transmute(address) };
    // SAFETY: the caller keeps the rules.
    unsafe { function(state, index) }
}

/// Where a slot leads whose function the running Lua lacks. Functions that take no Lua state
/// first (those on `luaL_Buffer`) are in every release.
unsafe extern "C-unwind" fn missing(state: *mut lua_State) -> c_int {
    let text = {
        let names = MISSING.lock().unwrap_or_else(PoisonError::into_inner);
        format!(
            "this Lua lacks a function of the C API that was called; it lacks {}",
            names.join(", ")
        )
    };
    // SAFETY: Lua called the code that called this, so `state` is valid and running; the string
    // is copied by Lua. It is freed by hand before the jump out of this frame.
    unsafe {
        ffi::lua_pushlstring(state, text.as_ptr().cast(), text.len());
        drop(text);
        real_lua_error(state)
    }
}

/// Where a slot leads before it is filled: the library was not loaded by cygnixy.
pub(super) extern "C" fn unbound() -> ! {
    eprintln!("cygnixy: a plugin called Lua before it was bound: load it with cygnixy.load");
    std::process::abort()
}
