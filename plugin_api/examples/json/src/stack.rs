//! Between a tape and Lua values, by Lua's own C API: most of the time that JSON takes is spent here, and
//! each of mlua's safe calls is protected for itself. Here one protected call makes or reads a whole
//! document.
//!
//! Lua raises errors by a jump over Rust's frames, which runs no destructor. So the functions that run
//! in the protected call own nothing: the tape belongs to their caller, outside of it.
#![allow(unsafe_code)]

use std::ffi::c_int;

mod build;
mod read;
mod unfit;

pub(crate) use build::build;
pub(crate) use read::write;

/// How many values a level of nesting needs room for, at most.
const ROOM: c_int = 8;
