//! Log events of a plugin, handed to the loader.
//!
//! A plugin has its own copies of `tracing`, `log` and the standard library. So that its events, its
//! records and the reports of its panics arrive anywhere, `start` makes functions of the loader
//! their receiver:
//!
//! - **Events and spans of `tracing`** (`forward`): a subscriber of a few lines asks the loader once
//!   for each callsite whether anybody wants it, and hands over what is wanted (`values`).
//! - **Records of `log`** (`records`).
//! - **Panics** (`panic_hook`), in place of the standard library's report on standard error.
//!
//! Filters, formats and queues are the loader's. What crosses is in [`wire`].

use std::sync::OnceLock;

use tracing::Metadata;
use tracing::subscriber::Interest;

#[cfg(bound_lua_api)]
mod dispatcher;
#[cfg(not(bound_lua_api))]
#[path = "logs/kept.rs"]
mod dispatcher;
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
        dispatcher::install();
        records::install();
        panic_hook::install();
    }
}

/// Takes the panic hook off.
pub(crate) fn close() {
    panic_hook::remove();
}

/// Frees what logging has on the heap.
///
/// # Safety
///
/// - The library is unmapped next. No code of it runs any more but the caller's.
pub(crate) unsafe fn free() {
    // SAFETY: as the caller promises.
    unsafe { dispatcher::free() }
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
