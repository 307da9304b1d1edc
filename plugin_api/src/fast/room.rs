//! Results that wait on the C stack until nothing is owned, so that pushing them may raise.

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

/// The room for them. It takes no time to make.
#[allow(missing_debug_implementations)]
pub struct Room {
    bytes: MaybeUninit<[u8; BYTES]>,
    /// How many of the bytes are filled.
    filled: usize,
    waiting: MaybeUninit<[Waiting; RESULTS]>,
    /// How many of the results are there.
    count: usize,
    /// Whether bytes stay where they are until the results are pushed, so that they need no copy.
    stay: bool,
}

impl Room {
    #[inline(always)]
    pub(super) fn new() -> Self {
        Self {
            bytes: MaybeUninit::uninit(),
            filled: 0,
            waiting: MaybeUninit::uninit(),
            count: 0,
            stay: false,
        }
    }

    /// Takes note that bytes stay where they are until they are pushed.
    #[inline(always)]
    pub(super) fn bytes_stay(&mut self) {
        self.stay = true;
    }

    /// Copies bytes, if they fit.
    #[inline(always)]
    pub(super) fn copy(&mut self, bytes: &[u8]) -> Option<*const u8> {
        if bytes.len() > BYTES - self.filled {
            return None;
        }
        // SAFETY: the buffer has room for as many bytes behind those that are filled, and is no part of a
        // value of others.
        let start = unsafe {
            let start = self.bytes.as_mut_ptr().cast::<u8>().add(self.filled);
            ptr::copy_nonoverlapping(bytes.as_ptr(), start, bytes.len());
            start
        };
        self.filled += bytes.len();
        Some(start)
    }

    /// Copies pieces, one after the other, if they fit.
    #[inline(always)]
    pub(super) fn copy_all(&mut self, pieces: &[&str]) -> Option<(*const u8, usize)> {
        let before = self.filled;
        for piece in pieces {
            self.copy(piece.as_bytes())?;
        }
        // SAFETY: as much is filled.
        let start = unsafe { self.bytes.as_ptr().cast::<u8>().add(before) };
        Some((start, self.filled - before))
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
            Simple::Pieces(pieces) => match self.copy_all(pieces) {
                Some((copy, len)) => Waiting::Bytes(copy, len),
                None => return false,
            },
            Simple::Failed(_) | Simple::Several => return false,
        };
        if self.count == RESULTS {
            return false;
        }
        // SAFETY: the place is one of the array's.
        unsafe {
            let first = self.waiting.as_mut_ptr().cast::<Waiting>();
            first.add(self.count).write(one);
        }
        self.count += 1;
        true
    }

    /// Pushes what waits, in order; gives the number.
    ///
    /// # Safety
    ///
    /// - `state` runs a C function that owns nothing and has pushed nothing; it may be left by a jump.
    /// - Bytes that stay are still there.
    #[inline(always)]
    pub(super) unsafe fn push(&self, state: *mut lua_State) -> usize {
        // SAFETY: as many are written. The room on the Lua stack is what every function has.
        unsafe {
            let first = self.waiting.as_ptr().cast::<Waiting>();
            for one in slice::from_raw_parts(first, self.count) {
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
        self.count
    }
}
