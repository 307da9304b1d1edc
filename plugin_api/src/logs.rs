//! Log events of a plugin, handed to the loader.
//!
//! A plugin has its own copies of `tracing`, `log` and the standard library. So that its events, its
//! records and the reports of its panics arrive anywhere, [`start`] makes functions of the loader
//! their receiver:
//!
//! - **Events and spans of `tracing`** (`forward`): a subscriber of a few lines asks the loader once
//!   for each callsite whether anybody wants it, and hands over what is wanted (`values`).
//! - **Records of `log`** (`records`).
//! - **Panics** (`panic_hook`), in place of the standard library's report on standard error.
//!
//! Filters, formats and queues are the loader's. What crosses is in [`wire`].

use std::sync::OnceLock;

use tracing::subscriber::Interest;
use tracing::{Dispatch, Metadata};

mod forward;
mod panic_hook;
mod records;
mod values;
pub mod wire;

#[cfg(bound_lua_api)]
pub(crate) use panic_hook::deliver_reports;
use wire::{Key, Receiver};

/// The loader's functions. A copy: nothing here is on the heap.
static RECEIVER: OnceLock<Receiver> = OnceLock::new();

/// Makes the loader the receiver of all that this library logs. Does nothing the second time.
///
/// # Safety
///
/// - `receiver` points to a structure of the size that its first field says.
/// - Its functions can be called with its context for as long as the library is mapped.
pub(crate) unsafe fn start(receiver: *const Receiver) {
    // SAFETY: as the caller promises; it is not taken for a `Receiver` of this version before its
    // size is known to cover one.
    let receiver = unsafe {
        if (&raw const (*receiver).size).read() < size_of::<Receiver>() {
            return;
        }
        *receiver
    };
    if RECEIVER.set(receiver).is_ok() {
        // Somebody may have been first: an initialiser of the library. Its choice stays.
        let _ = tracing::dispatcher::set_global_default(Dispatch::new(forward::Forward));
        records::install();
        panic_hook::install();
    }
}

/// Ends what this library has registered outside of itself. It is going to be unmapped.
pub(crate) fn close() {
    panic_hook::remove();
}

/// Makes a callsite ask each time whether it is wanted.
///
/// # Safety
///
/// - `key` is of a callsite that this library has registered.
pub(crate) unsafe fn loosen(key: Key) {
    // SAFETY: a key is the address of a callsite's metadata, which is a static.
    let metadata = unsafe { &*key.cast::<Metadata<'static>>() };
    metadata.callsite().0.set_interest(Interest::sometimes());
}

fn receiver() -> Option<&'static Receiver> {
    RECEIVER.get()
}
