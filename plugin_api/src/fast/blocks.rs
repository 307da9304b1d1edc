//! The blocks of all functions of this library that can be called through LuaJIT's FFI.
//!
//! Such a call leaves no trace on the stack of Lua, but the one who calls marks the block as busy.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use mlua::ffi::{self, lua_State};

use super::jit::Block;

static BLOCKS: Mutex<Vec<Known>> = Mutex::new(Vec::new());

/// A block, and the address of the registry of its state.
struct Known {
    registry: usize,
    block: *mut Block,
}

// SAFETY: of the block only the mark is read, atomically.
unsafe impl Send for Known {}

fn blocks() -> MutexGuard<'static, Vec<Known>> {
    BLOCKS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Adds a block of a function in a state.
///
/// # Safety
///
/// - `state` is valid. The block stays where it is until it is [removed](remove).
pub(super) unsafe fn add(state: *mut lua_State, block: *mut Block) {
    // SAFETY: as the caller promises; only the address is used.
    let registry = unsafe { ffi::lua_topointer(state, ffi::LUA_REGISTRYINDEX).addr() };
    blocks().push(Known { registry, block });
}

/// Removes a block. What the list takes is freed with the last one.
pub(super) fn remove(block: *mut Block) {
    let mut blocks = blocks();
    blocks.retain(|known| known.block != block);
    if blocks.is_empty() {
        *blocks = Vec::new();
    }
}

/// Whether a function may be running that was called so in the state with this registry. A mark that an
/// error of a debug hook has left behind counts too.
pub(crate) fn is_called_directly(registry: usize) -> bool {
    let is_busy = |known: &Known| {
        // SAFETY: a block in the list is where it was. The mark is aligned, as the structure is.
        let busy = unsafe { AtomicU32::from_ptr(&raw mut (*known.block).shared.busy) };
        known.registry == registry && busy.load(Ordering::Relaxed) != 0
    };
    blocks().iter().any(is_busy)
}
