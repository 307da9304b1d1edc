//! Where a fast function keeps its closure: a userdata in its first upvalue.
//!
//! A function that captures nothing never looks there, unless one of this library was revoked.
//! Revoking puts something else into the upvalue: a text, which is raised, or a function, which is
//! called instead.

use std::ffi::{c_int, c_void};
use std::mem::needs_drop;
use std::ptr;
use std::sync::atomic::{AtomicBool, Ordering};

use mlua::ffi::{self, lua_CFunction, lua_State};
use mlua::{Function, Lua, Result};

use super::blocks;
use super::call::{self, protected_push};
use super::function::FastFunction;
use super::jit::Block;
use crate::late;

/// The key of the userdata's metatable in the registry.
static METATABLE_KEY: u8 = 0;

/// The key of the helper for protected calls in the registry.
static HELPER_KEY: u8 = 0;

/// Whether a fast function of this library was revoked, in any state.
static REVOKED: AtomicBool = AtomicBool::new(false);

/// Tells functions that capture nothing to look at their upvalue from now on.
pub(crate) fn note_revoked() {
    REVOKED.store(true, Ordering::Relaxed);
}

fn key(of: &'static u8) -> *const c_void {
    ptr::from_ref(of).cast()
}

/// The content of the userdata.
#[repr(C)]
struct Data<F> {
    head: Head,
    /// Boxed if it needs more alignment than Lua gives.
    function: F,
}

struct Head {
    /// Drops the function; `None` before and after.
    end: Option<unsafe fn(*mut Head)>,
    /// For calls through LuaJIT's FFI: behind the function, in the same userdata, so that it is there as
    /// long as Lua has the function. Null if there are none.
    block: *mut Block,
}

/// What Lua aligns userdata to.
const ALIGNMENT: usize = 8;

const fn is_boxed<F>() -> bool {
    align_of::<F>() > ALIGNMENT
}

const fn is_stateless<F>() -> bool {
    size_of::<F>() == 0 && !needs_drop::<F>()
}

/// Makes a fast function.
pub(super) fn create<F: FastFunction<M>, M>(
    lua: &Lua,
    function: F,
    block: Option<Block>,
) -> Result<Function> {
    if is_boxed::<F>() {
        push::<F, Box<F>, M>(lua, Box::new(function), block)
    } else {
        push::<F, F, M>(lua, function, block)
    }
}

/// `S` is how the function is stored.
fn push<F: FastFunction<M>, S, M>(
    lua: &Lua,
    function: S,
    block: Option<Block>,
) -> Result<Function> {
    let behind = size_of::<Data<S>>().next_multiple_of(align_of::<Block>());
    let size = behind + block.as_ref().map_or(0, size_of_val);
    let mut stored = Some((function, block));
    let target = &raw mut stored;
    // SAFETY: what may raise is done while `stored` owns the function; then it is moved. The values
    // that are pushed are few, and mlua leaves more room.
    unsafe {
        lua.exec_raw((), move |state| {
            ffi::luaL_checkstack(state, 6, c"cygnixy".as_ptr());
            let data = ffi::lua_newuserdata(state, size).cast::<Data<S>>();
            (&raw mut (*data).head).write(Head {
                end: None,
                block: ptr::null_mut(),
            });
            push_metatable(state);
            ffi::lua_setmetatable(state, -2);
            push_helper(state);
            ffi::lua_pushcclosure(state, as_c_function(entry::<F, M>), 2);
            if let Some((function, block)) = (*target).take() {
                (&raw mut (*data).function).write(function);
                (*data).head.end = Some(end::<S>);
                if let Some(block) = block {
                    let place = data.byte_add(behind).cast::<Block>();
                    place.write(block);
                    (*place).function = address::<F>(data.cast()).cast();
                    (*data).head.block = place;
                    blocks::add(state, place);
                }
            }
        })
    }
}

unsafe fn push_metatable(state: *mut lua_State) {
    // SAFETY: the caller has room, and may be left by a jump.
    unsafe {
        ffi::lua_rawgetp(state, ffi::LUA_REGISTRYINDEX, key(&METATABLE_KEY));
        if ffi::lua_isnil(state, -1) != 0 {
            ffi::lua_pop(state, 1);
            ffi::lua_createtable(state, 0, 2);
            ffi::lua_pushcclosure(state, finalise, 0);
            ffi::lua_setfield(state, -2, c"__gc".as_ptr());
            ffi::lua_pushboolean(state, 0);
            ffi::lua_setfield(state, -2, c"__metatable".as_ptr());
            ffi::lua_pushvalue(state, -1);
            ffi::lua_rawsetp(state, ffi::LUA_REGISTRYINDEX, key(&METATABLE_KEY));
        }
    }
}

unsafe fn push_helper(state: *mut lua_State) {
    // SAFETY: as above.
    unsafe {
        ffi::lua_rawgetp(state, ffi::LUA_REGISTRYINDEX, key(&HELPER_KEY));
        if ffi::lua_isnil(state, -1) != 0 {
            ffi::lua_pop(state, 1);
            ffi::lua_pushcclosure(state, as_c_function(protected_push), 0);
            ffi::lua_pushvalue(state, -1);
            ffi::lua_rawsetp(state, ffi::LUA_REGISTRYINDEX, key(&HELPER_KEY));
        }
    }
}

unsafe fn end<S>(head: *mut Head) {
    // SAFETY: `finalise` passes the beginning of a `Data<S>` that was filled and not ended.
    unsafe {
        ptr::drop_in_place(&raw mut (*head.cast::<Data<S>>()).function);
    }
}

/// Drops the function when Lua collects the userdata. A panic of a destructor goes no further.
unsafe extern "C-unwind" fn finalise(state: *mut lua_State) -> c_int {
    // SAFETY: the metatable is that of these userdata alone, and cannot be had but by the debug
    // library; whoever calls this with something else by that has been warned by its manual.
    unsafe {
        let head = ffi::lua_touserdata(state, 1).cast::<Head>();
        if head.is_null() || !is_data(state, 1) || late::is_running_with(state, head.cast()) {
            return 0;
        }
        if let Some(end) = (*head).end.take() {
            let block = std::mem::replace(&mut (*head).block, ptr::null_mut());
            let _ = crate::panics::catch(|| end(head));
            if let Some(block) = block.as_mut() {
                blocks::remove(block);
                block.end();
            }
        }
    }
    0
}

/// Whether the value at an index is such a userdata.
unsafe fn is_data(state: *mut lua_State, index: c_int) -> bool {
    // SAFETY: the caller has room for two values. Nothing raises.
    unsafe {
        if ffi::lua_type(state, index) != ffi::LUA_TUSERDATA
            || ffi::lua_getmetatable(state, index) == 0
        {
            return false;
        }
        ffi::lua_rawgetp(state, ffi::LUA_REGISTRYINDEX, key(&METATABLE_KEY));
        let is_same = ffi::lua_rawequal(state, -1, -2) != 0;
        ffi::lua_pop(state, 2);
        is_same
    }
}

/// What a function is, if it is a fast one.
pub(crate) struct Fast {
    /// For calls through LuaJIT's FFI; null if there are none.
    pub(crate) block: *mut Block,
}

/// Whether a function is a fast one of this library that was not revoked.
pub(crate) fn find(lua: &Lua, function: &Function) -> Result<Option<Fast>> {
    let mut found = None;
    let target = &raw mut found;
    // SAFETY: the function is at index 1; `target` outlives the call; nothing raises, and mlua leaves
    // room.
    unsafe {
        lua.exec_raw::<()>(function, move |state| {
            if ffi::lua_iscfunction(state, 1) != 0
                && !ffi::lua_getupvalue(state, 1, 1).is_null()
                && is_data(state, -1)
            {
                let head = ffi::lua_touserdata(state, -1).cast::<Head>();
                *target = Some(Fast {
                    block: (*head).block,
                });
            }
            ffi::lua_settop(state, 0);
        })?;
    }
    Ok(found)
}

/// The function in a userdata.
#[inline(always)]
unsafe fn address<F>(data: *const Head) -> *const F {
    // SAFETY: the caller passes the beginning of the right `Data`, filled.
    unsafe {
        if is_boxed::<F>() {
            &raw const *(*data.cast::<Data<Box<F>>>()).function
        } else {
            &raw const (*data.cast::<Data<F>>()).function
        }
    }
}

/// A C function that gives the number of its results in a whole register.
///
/// LuaJIT takes it from there, though a C function that returns an `int` promises nothing of the
/// register's other half, and Rust leaves something there at times.
type WideFunction = unsafe extern "C-unwind" fn(state: *mut lua_State) -> isize;

fn as_c_function(function: WideFunction) -> lua_CFunction {
    // SAFETY: on every platform that there are stubs for, and in practice on others, a function that
    // returns a wider integer can be called as one that returns an `int`.
    unsafe { std::mem::transmute::<WideFunction, lua_CFunction>(function) }
}

/// The C function that Lua calls.
unsafe extern "C-unwind" fn entry<F: FastFunction<M>, M>(state: *mut lua_State) -> isize {
    // SAFETY: Lua calls this as a closure that `push` made; a closure of it that was revoked has
    // something else than a userdata in its upvalue. While the function runs it is on the stack, so
    // that nothing of it is collected; and `finalise` sees to the end of a state.
    unsafe {
        if is_stateless::<F>() {
            if REVOKED.load(Ordering::Relaxed)
                && ffi::lua_touserdata(state, ffi::lua_upvalueindex(1)).is_null()
            {
                return instead(state) as isize;
            }
            return (*ptr::dangling::<F>()).call(state) as isize;
        }
        let head = ffi::lua_touserdata(state, ffi::lua_upvalueindex(1)).cast::<Head>();
        if head.is_null() || (*head).end.is_none() || late::is_surely_over(state) {
            return instead(state) as isize;
        }
        (*address::<F>(head)).call(state) as isize
    }
}

/// Does what took the function's place.
#[cold]
#[inline(never)]
unsafe fn instead(state: *mut lua_State) -> c_int {
    const LATE: &str = "this function was called after it was collected";
    // SAFETY: `state` runs a fast function, which owns nothing.
    unsafe {
        let upvalue = ffi::lua_upvalueindex(1);
        match ffi::lua_type(state, upvalue) {
            ffi::LUA_TFUNCTION => {
                let count = ffi::lua_gettop(state);
                ffi::luaL_checkstack(state, 1, c"too many arguments".as_ptr());
                ffi::lua_pushvalue(state, upvalue);
                ffi::lua_insert(state, 1);
                ffi::lua_call(state, count, ffi::LUA_MULTRET);
                ffi::lua_gettop(state)
            }
            ffi::LUA_TSTRING => {
                let mut len = 0;
                let text = ffi::lua_tolstring(state, upvalue, &raw mut len);
                call::raise_text(state, text.cast(), len)
            }
            _ => call::raise_text(state, LATE.as_ptr(), LATE.len()),
        }
    }
}
