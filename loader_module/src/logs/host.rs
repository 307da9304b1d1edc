//! The face of `output` in a Rust program: events go to the program's own subscriber, and nothing has
//! to be known of where they come from.

use plugin_api::abi::Descriptor;

use super::Source;
use crate::library::Addresses;
use crate::lua_state::StateId;

/// Nothing.
pub(super) struct Whereabouts;

impl Whereabouts {
    pub(super) fn new(_descriptor: &Descriptor, _addresses: Addresses) -> Self {
        Self
    }

    pub(super) fn note_state(&self, _state: StateId) {}
}

/// Runs `body`.
pub(super) fn telling<R>(_source: &Source, _is_panic: bool, body: impl FnOnce() -> R) -> R {
    body()
}

/// Does nothing.
pub(super) fn deliver_here() {}

/// Does nothing.
pub(crate) fn state_closes(_state: StateId) {}
