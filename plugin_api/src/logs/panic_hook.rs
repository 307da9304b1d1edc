//! The hook that makes a panic an event instead of a text on standard error.

use std::panic::{self, PanicHookInfo};
use std::sync::atomic::{AtomicBool, Ordering};

use super::forward::optional;
use super::receiver;
use super::wire::Message;
use crate::abi::Str;
use crate::panics;

/// Whether the report of a panic may wait in the loader.
static IS_WAITING: AtomicBool = AtomicBool::new(false);

/// Puts the hook in front of the present one, which reports if nobody takes the event.
pub(super) fn install() {
    let previous = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        if !tell(info) {
            previous(info);
        }
    }));
}

/// Takes the hook off, whosoever it is by now: its code is in this library.
pub(super) fn remove() {
    if !std::thread::panicking() {
        drop(panic::take_hook());
    }
}

/// Lets the loader deliver the reports of panics that have ended. They could not be before: a panic
/// inside the hook ends the process.
///
/// Called where errors are raised. Where that cannot be noticed, reports wait for the next event.
#[cfg(bound_lua_api)]
pub(crate) fn deliver_reports() {
    if IS_WAITING.swap(false, Ordering::Relaxed)
        && let Some(receiver) = receiver()
    {
        // SAFETY: the loader's functions can be called, as `start` was promised.
        unsafe { (receiver.deliver)(receiver.context) };
    }
}

/// Hands the report to the loader; tells whether there is anybody who takes it.
fn tell(info: &PanicHookInfo<'_>) -> bool {
    let Some(receiver) = receiver() else {
        return false;
    };
    let text = panics::message(info.payload());
    let location = info.location();
    let message = Message {
        size: size_of::<Message>(),
        is_panic: 1,
        level: 1,
        target: optional(None),
        module: optional(None),
        file: optional(location.map(panic::Location::file)),
        line: location.map_or(0, panic::Location::line),
        column: location.map_or(0, panic::Location::column),
        text: Str::new(&text),
    };
    // SAFETY: as above; the message is borrowed for the call.
    let is_taken = unsafe { (receiver.message)(receiver.context, &raw const message) } != 0;
    IS_WAITING.store(is_taken, Ordering::Relaxed);
    is_taken
}
