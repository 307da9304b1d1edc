//! A walk over what can be reached in a Lua state, for what the collector does not tell: what it is
//! that is left, coroutines that are suspended, and hooks.
//!
//! Not everything can be seen: not the arguments beyond the named ones of Lua 5.1's functions, and
//! not what only a C library's own memory refers to.

use std::collections::HashSet;
use std::ffi::{c_int, c_void};

use plugin_api::mlua::ffi::{self, lua_State};
use plugin_api::mlua::{self, Lua};

/// What is asked of each function, object and coroutine that is met, at the top of the stack.
///
/// # Safety
///
/// - `visit` leaves the stack as it found it, and uses no more than ten values of it.
pub(crate) unsafe trait Visitor {
    /// Looks at a value; tells whether the walk is to go on into it.
    ///
    /// # Safety
    ///
    /// - The value is at the top of the stack of `state`.
    unsafe fn visit(&mut self, state: *mut lua_State, kind: c_int) -> bool;

    /// Whether a value of the registry is left out, by its key at index -2.
    ///
    /// # Safety
    ///
    /// - Key and value are at the top of the stack of `state`.
    unsafe fn leaves_out(&mut self, state: *mut lua_State) -> bool;
}

/// The most objects that are looked at.
const LIMIT: usize = 1_000_000;

/// Walks over the state; tells whether everything was met that can be.
pub(crate) fn walk(lua: &Lua, visitor: &mut dyn Visitor) -> mlua::Result<bool> {
    let mut walk = Walk {
        seen: HashSet::new(),
        waiting: 0,
        visitor,
    };
    let walk_out = &raw mut walk;
    let work = lua.create_table()?;
    // SAFETY: the table is at index 1. `walk` outlives the call and is used by nobody else. Should
    // there be no memory, what `walk` owns is dropped here all the same.
    unsafe { lua.exec_raw::<()>(work, |state| (*walk_out).run(state)) }?;
    Ok(walk.seen.len() < LIMIT)
}

struct Walk<'a> {
    seen: HashSet<usize>,
    /// How many values wait in the table to be looked into.
    waiting: i32,
    visitor: &'a mut dyn Visitor,
}

/// The index of the table of values that wait.
const WORK: c_int = 1;

impl Walk<'_> {
    unsafe fn run(&mut self, state: *mut lua_State) {
        // SAFETY: room is asked for; see the functions.
        unsafe {
            ffi::luaL_checkstack(state, 30, c"cygnixy".as_ptr());
            self.seen.insert(ffi::lua_topointer(state, WORK).addr());
            self.seen
                .insert(ffi::lua_topointer(state, ffi::LUA_REGISTRYINDEX).addr());
            self.roots(state);
            while self.waiting > 0 && self.seen.len() < LIMIT {
                ffi::lua_rawgeti(state, WORK, self.waiting.into());
                ffi::lua_pushnil(state);
                ffi::lua_rawseti(state, WORK, self.waiting.into());
                self.waiting -= 1;
                self.enter(state);
                ffi::lua_pop(state, 1);
            }
        }
    }

    /// Begins with the registry, the running thread, and the metatables of basic types.
    unsafe fn roots(&mut self, state: *mut lua_State) {
        // SAFETY: the registry is not changed while it is traversed.
        unsafe {
            ffi::lua_pushnil(state);
            while ffi::lua_next(state, ffi::LUA_REGISTRYINDEX) != 0 {
                if self.visitor.leaves_out(state) {
                    ffi::lua_pop(state, 1);
                } else {
                    self.meet(state);
                }
            }
            ffi::lua_pushthread(state);
            self.meet(state);
            #[cfg(any(feature = "lua51", feature = "luajit"))]
            {
                ffi::lua_pushvalue(state, ffi::LUA_GLOBALSINDEX);
                self.meet(state);
            }
            ffi::lua_pushstring(state, c"".as_ptr());
            ffi::lua_pushnumber(state, 0.0);
            ffi::lua_pushboolean(state, 0);
            ffi::lua_pushlightuserdata(state, std::ptr::null_mut());
            ffi::lua_pushnil(state);
            for _ in 0..5 {
                if ffi::lua_getmetatable(state, -1) != 0 {
                    self.meet(state);
                }
                ffi::lua_pop(state, 1);
            }
        }
    }

    /// Takes the value on top of the stack: it waits, if it is new and can lead further.
    unsafe fn meet(&mut self, state: *mut lua_State) {
        // SAFETY: the table at `WORK` has no metatable.
        unsafe {
            let kind = ffi::lua_type(state, -1);
            let leads_further = matches!(
                kind,
                ffi::LUA_TTABLE | ffi::LUA_TFUNCTION | ffi::LUA_TUSERDATA | ffi::LUA_TTHREAD
            );
            if leads_further
                && self.seen.insert(ffi::lua_topointer(state, -1).addr())
                && (kind == ffi::LUA_TTABLE || self.visitor.visit(state, kind))
            {
                self.waiting += 1;
                ffi::lua_rawseti(state, WORK, self.waiting.into());
            } else {
                ffi::lua_pop(state, 1);
            }
        }
    }

    /// Meets everything that the value on top of the stack refers to.
    unsafe fn enter(&mut self, state: *mut lua_State) {
        // SAFETY: one or two values are pushed at a time, and taken by `meet`.
        unsafe {
            match ffi::lua_type(state, -1) {
                ffi::LUA_TTABLE => {
                    self.metatable(state);
                    ffi::lua_pushnil(state);
                    while ffi::lua_next(state, -2) != 0 {
                        self.meet(state);
                        ffi::lua_pushvalue(state, -1);
                        self.meet(state);
                    }
                }
                ffi::LUA_TFUNCTION => {
                    let mut number = 1;
                    while !ffi::lua_getupvalue(state, -1, number).is_null() {
                        self.meet(state);
                        number += 1;
                    }
                    self.environment(state);
                }
                ffi::LUA_TUSERDATA => {
                    self.metatable(state);
                    self.user_values(state);
                }
                _ => {
                    let thread = ffi::lua_tothread(state, -1);
                    self.environment(state);
                    self.stack(state, thread);
                }
            }
        }
    }

    unsafe fn metatable(&mut self, state: *mut lua_State) {
        // SAFETY: as in `enter`.
        unsafe {
            if ffi::lua_getmetatable(state, -1) != 0 {
                self.meet(state);
            }
        }
    }

    unsafe fn environment(&mut self, state: *mut lua_State) {
        #[cfg(any(feature = "lua51", feature = "luajit"))]
        // SAFETY: as in `enter`.
        unsafe {
            ffi::lua_getfenv(state, -1);
            self.meet(state);
        }
        #[cfg(not(any(feature = "lua51", feature = "luajit")))]
        let _ = state;
    }

    unsafe fn user_values(&mut self, state: *mut lua_State) {
        // SAFETY: as in `enter`. A number that does not exist gives no value, or nil.
        unsafe {
            #[cfg(any(feature = "lua54", feature = "lua55"))]
            for number in 1.. {
                let kind = ffi::lua_getiuservalue(state, -1, number);
                if kind == ffi::LUA_TNONE {
                    ffi::lua_pop(state, 1);
                    break;
                }
                self.meet(state);
            }
            #[cfg(not(any(feature = "lua54", feature = "lua55")))]
            {
                ffi::lua_getuservalue(state, -1);
                self.meet(state);
            }
        }
    }

    /// Meets what is on the stack of a thread: functions that are running or suspended there, their
    /// variables and arguments, and what a coroutine that has not begun is to be called with.
    unsafe fn stack(&mut self, state: *mut lua_State, thread: *mut lua_State) {
        // SAFETY: `lua_Debug` is a C structure for which zero is a value. What is pushed on the
        // stack of `thread`, which has room, is moved to that of `state` at once.
        unsafe {
            if ffi::lua_checkstack(thread, 4) == 0 {
                return;
            }
            let take = |walk: &mut Self| {
                if thread != state {
                    ffi::lua_xmove(thread, state, 1);
                }
                walk.meet(state);
            };
            let mut frame: ffi::lua_Debug = std::mem::zeroed();
            let mut level = 0;
            while ffi::lua_getstack(thread, level, &raw mut frame) != 0 && level < LEVELS {
                ffi::lua_getinfo(thread, c"f".as_ptr(), &raw mut frame);
                take(self);
                // Both the variables and the arguments beyond the named ones, which have numbers
                // below zero where Lua shows them.
                for step in [1, -1] {
                    let mut number = step;
                    while !ffi::lua_getlocal(thread, &raw const frame, number).is_null() {
                        take(self);
                        number += step;
                    }
                }
                level += 1;
            }
            if level == 0 && thread != state {
                for index in 1..=ffi::lua_gettop(thread) {
                    ffi::lua_pushvalue(thread, index);
                    take(self);
                }
            }
        }
    }
}

/// The most functions of one stack that are looked at.
const LEVELS: c_int = 10_000;

/// The address of the C function on top of the stack; null if it is none.
///
/// # Safety
///
/// - There is a value on the stack of `state`.
pub(crate) unsafe fn c_function(state: *mut lua_State) -> *const c_void {
    // SAFETY: as the caller promises.
    unsafe { ffi::lua_tocfunction(state, -1) }.map_or(std::ptr::null(), |f| f as *const c_void)
}
