//! Where an event comes from: the library that tells it, and what is known of where that runs.

use std::cell::Cell;
use std::ptr;
use std::sync::Mutex;

use plugin_api::abi::Descriptor;

use super::super::Source;
use crate::library::Addresses;
use crate::lock::lock;
use crate::lua_state::StateId;

/// Where a library's code may be running.
pub(in crate::logs) struct Whereabouts {
    addresses: Addresses,
    has_started_thread: unsafe extern "C" fn() -> u32,
    is_called_directly: unsafe extern "C" fn(registry: usize) -> u32,
    /// The states that it was used in.
    states: Mutex<Vec<StateId>>,
}

impl Whereabouts {
    pub(in crate::logs) fn new(descriptor: &Descriptor, addresses: Addresses) -> Self {
        Self {
            addresses,
            has_started_thread: descriptor.has_started_thread,
            is_called_directly: descriptor.is_called_directly,
            states: Mutex::default(),
        }
    }

    pub(in crate::logs) fn note_state(&self, state: StateId) {
        let mut states = lock(&self.states);
        if !states.contains(&state) {
            states.push(state);
        }
    }

    pub(super) fn addresses(&self) -> &Addresses {
        &self.addresses
    }

    pub(super) fn is_used_in(&self, state: StateId) -> bool {
        lock(&self.states).contains(&state)
    }

    /// Whether the library has started the calling thread.
    pub(super) fn has_started_this_thread(&self) -> bool {
        // SAFETY: the library is mapped: this is asked while code of it waits for the answer.
        unsafe { (self.has_started_thread)() != 0 }
    }

    /// Whether code of the library may be running in a state that has called it through LuaJIT's FFI.
    pub(super) fn is_called_directly(&self, state: StateId) -> bool {
        // SAFETY: as above.
        unsafe { (self.is_called_directly)(state.address()) != 0 }
    }
}

/// What the thread is being told at this moment.
#[derive(Clone, Copy)]
struct Telling {
    source: *const Source,
    is_panic: bool,
}

thread_local! {
    static TELLING: Cell<Telling> = const {
        Cell::new(Telling { source: ptr::null(), is_panic: false })
    };
}

/// Runs `body`, which makes events of the given source; `is_panic` if the panic is being raised.
pub(in crate::logs) fn telling<R>(source: &Source, is_panic: bool, body: impl FnOnce() -> R) -> R {
    struct Restore(Telling);
    impl Drop for Restore {
        fn drop(&mut self) {
            TELLING.set(self.0);
        }
    }
    let _restore = Restore(TELLING.replace(Telling { source, is_panic }));
    body()
}

/// Calls `body` with the source of the events that are made now; none if they are of the loader itself.
pub(super) fn with_source<R>(body: impl FnOnce(Option<&Source>) -> R) -> R {
    let before = TELLING.get();
    // SAFETY: the pointer is null or that of a source that `telling` has borrowed until it sets the
    // pointer back.
    body(unsafe { before.source.as_ref() })
}

/// Whether a panic is being raised: no code of a plugin may run.
pub(super) fn is_panicking() -> bool {
    TELLING.get().is_panic
}
