//! Results that wait on the C stack until nothing is owned, so that pushing them may raise.

use std::ffi::c_int;
use std::mem::MaybeUninit;
use std::ptr;
use std::slice;

use mlua::ffi::{self, lua_State};

use super::simple::Simple;

/// How many bytes of results are copied.
const BYTES: usize = 1024;

/// How many results may wait: fewer than every C function has room for on the Lua stack.
const RESULTS: usize = 12;

/// A result that waits. It owns nothing.
#[derive(Clone, Copy)]
enum Waiting {
    Nil,
    Flag(bool),
    Integer(i64),
    Number(f64),
    Bytes(*const u8, usize),
}

/// The room for them, which takes no time to make.
pub(super) struct Room {
    bytes: MaybeUninit<[u8; BYTES]>,
    waiting: MaybeUninit<[Waiting; RESULTS]>,
}

impl Room {
    #[inline(always)]
    pub(super) fn new() -> Self {
        Self {
            bytes: MaybeUninit::uninit(),
            waiting: MaybeUninit::uninit(),
        }
    }

    /// Copies the bytes of the only result, if they fit.
    #[inline(always)]
    pub(super) fn copy(&mut self, bytes: &[u8]) -> Option<*const u8> {
        self.copy_behind(0, bytes)
    }

    /// Copies the pieces of the only result, one after the other, if they fit.
    #[inline(always)]
    pub(super) fn copy_all(&mut self, pieces: &[&str]) -> Option<(*const u8, usize)> {
        let mut filled = 0;
        for piece in pieces {
            self.copy_behind(filled, piece.as_bytes())?;
            filled += piece.len();
        }
        Some((self.bytes.as_ptr().cast(), filled))
    }

    /// Copies bytes behind those that are filled, if they fit.
    #[inline(always)]
    fn copy_behind(&mut self, filled: usize, bytes: &[u8]) -> Option<*const u8> {
        if bytes.len() > BYTES - filled {
            return None;
        }
        // SAFETY: the buffer has room for as many bytes there, and is no part of a value of others.
        unsafe {
            let start = self.bytes.as_mut_ptr().cast::<u8>().add(filled);
            ptr::copy_nonoverlapping(bytes.as_ptr(), start, bytes.len());
            Some(start)
        }
    }

    /// Pushes so many results that wait, in order.
    ///
    /// # Safety
    ///
    /// - A [`Queue`] has let as many wait.
    /// - `state` runs a C function that owns nothing and has pushed nothing; it may be left by a jump.
    /// - Bytes that stay are still there.
    #[inline(always)]
    pub(super) unsafe fn push(&self, state: *mut lua_State, count: usize) -> c_int {
        // SAFETY: as the caller promises. The room on the Lua stack is what every function has.
        unsafe {
            let first = self.waiting.as_ptr().cast::<Waiting>();
            for one in slice::from_raw_parts(first, count) {
                match *one {
                    Waiting::Nil => Simple::Nil.push(state),
                    Waiting::Flag(flag) => Simple::Flag(flag).push(state),
                    Waiting::Integer(integer) => Simple::Integer(integer).push(state),
                    Waiting::Number(number) => Simple::Number(number).push(state),
                    Waiting::Bytes(data, len) => {
                        ffi::lua_pushlstring(state, data.cast(), len);
                        1
                    }
                };
            }
        }
        count as c_int
    }
}

/// Several results on their way into the room.
#[allow(missing_debug_implementations)]
pub struct Queue<'r> {
    room: &'r mut Room,
    /// How many of the bytes are filled.
    filled: usize,
    /// How many results wait.
    count: usize,
    /// Whether bytes stay where they are until the results are pushed, so that they need no copy.
    stay: bool,
}

impl<'r> Queue<'r> {
    #[inline(always)]
    pub(super) fn new(room: &'r mut Room, stay: bool) -> Self {
        Self {
            room,
            filled: 0,
            count: 0,
            stay,
        }
    }

    /// How many results wait.
    #[inline(always)]
    pub(super) fn count(&self) -> usize {
        self.count
    }

    #[inline(always)]
    fn copy(&mut self, bytes: &[u8]) -> Option<*const u8> {
        let copy = self.room.copy_behind(self.filled, bytes)?;
        self.filled += bytes.len();
        Some(copy)
    }

    /// Lets a result wait. False if there is no room, or it is none that can wait.
    #[inline(always)]
    pub(super) fn add(&mut self, simple: &Simple<'_>) -> bool {
        let one = match *simple {
            Simple::Nothing => return true,
            Simple::Nil => Waiting::Nil,
            Simple::Flag(flag) => Waiting::Flag(flag),
            Simple::Integer(integer) => Waiting::Integer(integer),
            Simple::Number(number) => Waiting::Number(number),
            Simple::Bytes(bytes) if self.stay => Waiting::Bytes(bytes.as_ptr(), bytes.len()),
            Simple::Bytes(bytes) => match self.copy(bytes) {
                Some(copy) => Waiting::Bytes(copy, bytes.len()),
                None => return false,
            },
            Simple::Pieces(pieces) => {
                let before = self.filled;
                let mut first = None;
                for piece in pieces {
                    let Some(copy) = self.copy(piece.as_bytes()) else {
                        return false;
                    };
                    first.get_or_insert(copy);
                }
                Waiting::Bytes(first.unwrap_or(ptr::dangling()), self.filled - before)
            }
            Simple::Failed(_) | Simple::Several => return false,
        };
        if self.count == RESULTS {
            return false;
        }
        // SAFETY: the place is one of the array's.
        unsafe {
            let first = self.room.waiting.as_mut_ptr().cast::<Waiting>();
            first.add(self.count).write(one);
        }
        self.count += 1;
        true
    }
}
