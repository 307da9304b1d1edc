//! The logger that hands records of the crate `log` to the loader.

use std::fmt::Write as _;

use log::{LevelFilter, Log, Metadata, Record};

use super::forward::optional;
use super::receiver;
use super::wire::{Message, answer};
use crate::abi::Str;

struct Logger;

/// Makes the loader the receiver of records.
pub(super) fn install() {
    // Somebody may have been first: an initialiser of the library. Its choice stays.
    if log::set_logger(&Logger).is_ok() {
        // There are no callsites that could be told when a filter changes: the loader is asked.
        log::set_max_level(LevelFilter::Trace);
    }
}

impl Log for Logger {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        // SAFETY: the loader's functions can be called, as `start` was promised; the target is
        // borrowed for the call.
        receiver().is_some_and(|receiver| unsafe {
            let (level, target) = (metadata.level() as u32, Str::new(metadata.target()));
            (receiver.message_enabled)(receiver.context, level, target) & answer::YES != 0
        })
    }

    fn log(&self, record: &Record<'_>) {
        let Some(receiver) = receiver().filter(|_| self.enabled(record.metadata())) else {
            return;
        };
        let mut text = String::new();
        // An error of an argument's own code leaves what it has written.
        let _ = write!(text, "{}", record.args());
        let message = Message {
            size: size_of::<Message>(),
            is_panic: 0,
            level: record.level() as u32,
            target: Str::new(record.target()),
            module: optional(record.module_path()),
            file: optional(record.file()),
            line: record.line().unwrap_or(0),
            column: 0,
            text: Str::new(&text),
        };
        // SAFETY: as above; the message is borrowed for the call.
        unsafe { (receiver.message)(receiver.context, &raw const message) };
    }

    fn flush(&self) {}
}
