//! What this library has in the Lua states it was used in, so that a loader can take it out again.
//!
//! mlua leaves values of its own in a state's registry, and nothing tells which functions, objects
//! and metatables of a state lead into the library. So the functions of the Lua API by which a
//! library gets a foothold in a state are watched:
//!
//! - **Functions** (`anchor`): every C function that the library makes gets one more upvalue, a
//!   table that is the same for all of them in one state: the *anchor*. Every function thus
//!   refers to it, and every object through the finaliser in its metatable. Once the registry lets
//!   go of the anchor, the collector tells exactly whether anything of the library is left: the
//!   anchor is collected or it is not.
//! - **References** (`records`): numbers that `luaL_ref` gave out, and names that values were stored
//!   under in the registry.
//! - **Others** (`watched`): hooks, warn and panic functions, allocators, which no Lua value leads
//!   to; and strings whose memory belongs to the library, which are copied instead.
//!
//! What is watched costs nothing per call of a plugin's function.

mod anchor;
mod data;
mod intercept;
mod records;
mod watched;

pub(crate) use anchor::{begin, learn, push_unanchored};
pub(crate) use data::data_key;
pub(crate) use records::{forget, inventory};

/// Puts the watching functions into their slots.
///
/// # Safety
///
/// - The Lua API is bound, and no other thread uses it yet, or this was done before.
pub(crate) unsafe fn install() {
    // SAFETY: as the caller promises.
    unsafe {
        anchor::install();
        #[cfg(not(any(feature = "lua51", feature = "luajit")))]
        data::install();
        records::install();
        watched::install();
    }
}
