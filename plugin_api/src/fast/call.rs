//! A call of a fast function, so ordered that nothing is skipped when Lua jumps.
//!
//! Lua raises errors by a jump over Rust's frames, which runs no destructor. So the calls of Lua that
//! may raise are made where nothing is owned: before the arguments are held, and after they and the
//! result were dropped. What a result leaves to push by then waits on the C stack; what has no room
//! there is pushed by a protected call, while everything is still held.

use std::any::Any;
use std::ffi::{c_int, c_void};
use std::mem::needs_drop;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;

use mlua::ffi::{self, lua_State};

use super::outcome::{self, Outcome};
use super::raw::Misfit;
use super::room::{Queue, Room};
use super::simple::Simple;
use crate::errors::Message;
use crate::panics;

/// What is left to do once everything is dropped.
pub(super) enum Placed {
    /// Nothing: so many values were pushed.
    Values(c_int),
    /// To push a string.
    Bytes(*const u8, usize),
    /// To push so many results that wait in the room.
    Waiting(usize),
    /// To raise an error with a text.
    Failed(String),
    /// To raise an error of the argument at an index.
    Misfit(c_int, Misfit),
    /// To raise the value on top of the stack, which has no position yet.
    Raise,
}

/// Runs what holds the arguments and calls the function, and does what is left; `elsewhere` calls the
/// function by way of mlua, if only that can take the arguments.
///
/// # Safety
///
/// - `state` runs a C function made by this crate, which owns nothing.
/// - `body` does not raise.
#[inline(always)]
pub(super) unsafe fn run(
    state: *mut lua_State,
    body: impl FnOnce(&mut Room) -> Placed,
    elsewhere: impl FnOnce() -> c_int,
) -> c_int {
    // It takes no room in functions that do not use it.
    let mut room = Room::new();
    let placed = catch_unwind(AssertUnwindSafe(|| body(&mut room)));
    // SAFETY: nothing is owned any more but what is handed on; the bytes are in the buffer, or Lua's,
    // or a constant.
    unsafe {
        match placed {
            Ok(Placed::Values(count)) => count,
            Ok(Placed::Bytes(data, len)) => {
                ffi::lua_pushlstring(state, data.cast(), len);
                1
            }
            Ok(Placed::Waiting(count)) => room.push(state, count),
            Ok(Placed::Failed(text)) => raise_failure(state, text),
            Ok(Placed::Misfit(_, Misfit::Elsewhere)) => elsewhere(),
            Ok(Placed::Misfit(index, misfit)) => raise_misfit(state, index, misfit),
            Ok(Placed::Raise) => raise_top(state),
            Err(payload) => raise_panic(state, payload),
        }
    }
}

/// Pushes a result, or says what is left to push. `owns` tells whether an argument is owned, which
/// the result may borrow from.
///
/// # Safety
///
/// - As for [`run`], within its `body`.
#[inline(always)]
pub(super) unsafe fn place<R: Outcome<M>, M>(
    state: *mut lua_State,
    result: &R,
    owns: bool,
    room: &mut Room,
) -> Placed {
    let simple = result.simple();
    // SAFETY: as the caller promises. Of one value, only a string may raise.
    unsafe {
        match simple {
            Simple::Failed(text) => Placed::Failed(text),
            Simple::Bytes(bytes) if !owns && !needs_drop::<R>() => {
                // They are on the Lua stack, as an argument, or for ever.
                Placed::Bytes(bytes.as_ptr(), bytes.len())
            }
            Simple::Bytes(bytes) => match room.copy(bytes) {
                Some(copy) => Placed::Bytes(copy, bytes.len()),
                None => push_protected(state, outcome::push::<R, M>, ptr::from_ref(result).cast()),
            },
            Simple::Pieces(pieces) => match room.copy_all(pieces) {
                Some((copy, len)) => Placed::Bytes(copy, len),
                None => push_protected(state, outcome::push::<R, M>, ptr::from_ref(result).cast()),
            },
            Simple::Several if !R::may_raise() => Placed::Values(result.push(state)),
            Simple::Several => {
                let mut queue = Queue::new(room, !owns && !needs_drop::<R>());
                if result.wait(&mut queue) {
                    return Placed::Waiting(queue.count());
                }
                push_protected(state, outcome::push::<R, M>, ptr::from_ref(result).cast())
            }
            simple => Placed::Values(simple.push(state)),
        }
    }
}

/// Raises the text of a failure, and drops it before.
#[cold]
#[inline(never)]
unsafe fn raise_failure(state: *mut lua_State, text: String) -> c_int {
    let mut room = Room::new();
    // SAFETY: as for `run`; the text outlives the protected call.
    unsafe {
        let Some(copy) = room.copy(text.as_bytes()) else {
            push_protected(state, push_failure, (&raw const text).cast());
            drop(text);
            // The text, or what Lua says if there is no memory for it.
            ffi::lua_error(state)
        };
        let len = text.len();
        drop(text);
        raise_text(state, copy, len)
    }
}

/// Raises the value on top of the stack; a text with the caller's position.
#[cold]
#[inline(never)]
unsafe fn raise_top(state: *mut lua_State) -> c_int {
    // SAFETY: as for `run`. The protected call has left the room that it needed.
    unsafe {
        if ffi::lua_type(state, -1) == ffi::LUA_TSTRING {
            ffi::luaL_where(state, 1);
            ffi::lua_insert(state, -2);
            ffi::lua_concat(state, 2);
        }
        ffi::lua_error(state)
    }
}

#[cold]
#[inline(never)]
unsafe fn raise_panic(state: *mut lua_State, payload: Box<dyn Any + Send>) -> c_int {
    let message = Message::panicked(&panics::text_of(payload));
    // SAFETY: as for `run`.
    unsafe { raise_failure(state, message.text) }
}

/// What a protected call is to push.
struct Job {
    push: unsafe fn(value: *const c_void, state: *mut lua_State) -> c_int,
    value: *const c_void,
}

/// Pushes by a protected call, by the helper in the second upvalue.
#[inline(never)]
unsafe fn push_protected(
    state: *mut lua_State,
    push: unsafe fn(*const c_void, *mut lua_State) -> c_int,
    value: *const c_void,
) -> Placed {
    let mut job = Job { push, value };
    // SAFETY: the running function has the helper as its second upvalue, and room for two values.
    // The job outlives the call.
    unsafe {
        let before = ffi::lua_gettop(state);
        ffi::lua_pushvalue(state, ffi::lua_upvalueindex(2));
        ffi::lua_pushlightuserdata(state, (&raw mut job).cast());
        if ffi::lua_pcall(state, 1, ffi::LUA_MULTRET, 0) == ffi::LUA_OK {
            Placed::Values(ffi::lua_gettop(state) - before)
        } else {
            Placed::Raise
        }
    }
}

/// The helper.
pub(super) unsafe extern "C-unwind" fn protected_push(state: *mut lua_State) -> isize {
    // SAFETY: only `push_protected` calls it with a job. A script that got hold of it by the debug
    // library has none to pass but light userdata, which it cannot make.
    unsafe {
        let job = ffi::lua_touserdata(state, 1).cast::<Job>();
        if job.is_null() || ffi::lua_islightuserdata(state, 1) == 0 {
            return 0;
        }
        let Job { push, value } = job.read();
        push(value, state) as isize
    }
}

/// Pushes the text of a failure with the caller's position.
unsafe fn push_failure(text: *const c_void, state: *mut lua_State) -> c_int {
    // SAFETY: `raise_failure` passes a living text. The helper's caller is the fast function, and
    // that one's caller is at level 2.
    unsafe {
        let text = &*text.cast::<String>();
        ffi::luaL_where(state, 2);
        ffi::lua_pushlstring(state, text.as_ptr().cast(), text.len());
        ffi::lua_concat(state, 2);
    }
    1
}

/// Raises a text with the caller's position.
///
/// # Safety
///
/// - `state` runs a C function that owns nothing; the bytes are readable until the jump.
#[cold]
#[inline(never)]
pub(super) unsafe fn raise_text(state: *mut lua_State, data: *const u8, len: usize) -> ! {
    // SAFETY: as the caller promises. An error has room for two values.
    unsafe {
        ffi::lua_settop(state, 0);
        ffi::luaL_where(state, 1);
        ffi::lua_pushlstring(state, data.cast(), len);
        ffi::lua_concat(state, 2);
        ffi::lua_error(state)
    }
}

/// Raises what Lua's own library says of an argument that does not fit.
///
/// # Safety
///
/// - `state` runs a C function that owns nothing.
#[cold]
#[inline(never)]
pub(super) unsafe fn raise_misfit(state: *mut lua_State, index: c_int, misfit: Misfit) -> ! {
    // SAFETY: as the caller promises. Lua owns the texts that are made.
    unsafe {
        // Before anything is pushed, lest it is taken for a missing argument.
        let found = type_name(state, index);
        let text = misfit.text();
        ffi::lua_pushlstring(state, text.as_ptr().cast(), text.len());
        let mut message = ffi::lua_tolstring(state, -1, ptr::null_mut());
        if matches!(misfit, Misfit::Expected(_)) {
            message = ffi::lua_pushfstring(state, c"%s expected, got %s".as_ptr(), message, found);
        }
        ffi::luaL_argerror(state, index, message);
    }
    unreachable!()
}

/// What an argument is called: its metatable's name, or its type.
unsafe fn type_name(state: *mut lua_State, index: c_int) -> *const std::ffi::c_char {
    // Where Lua's own library says no more than the type, too.
    const TELLS_LIGHT: bool = cfg!(not(any(
        feature = "lua51",
        feature = "luajit",
        feature = "lua52"
    )));
    // SAFETY: as the caller promises; the name stays on the stack.
    unsafe {
        if ffi::luaL_getmetafield(state, index, c"__name".as_ptr()) == ffi::LUA_TSTRING {
            return ffi::lua_tolstring(state, -1, ptr::null_mut());
        }
        if TELLS_LIGHT && ffi::lua_islightuserdata(state, index) != 0 {
            return c"light userdata".as_ptr();
        }
        ffi::luaL_typename(state, index)
    }
}
