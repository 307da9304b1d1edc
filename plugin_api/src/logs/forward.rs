//! The subscriber that hands events and spans to the loader.

use std::ptr;

use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::Interest;
use tracing::{Event, Level, Metadata, Subscriber, callsite};
use tracing_core::span::Current;

use super::receiver;
use super::values::Collector;
use super::wire::{self, Callsite, Key, Parent, answer, interest};
use crate::abi::Str;

/// See the module. It has no state of its own: the loader knows callsites by their addresses, and
/// gives spans their numbers.
pub(super) struct Forward;

impl Subscriber for Forward {
    fn register_callsite(&self, metadata: &'static Metadata<'static>) -> Interest {
        match register(metadata) {
            interest::NEVER => Interest::never(),
            interest::ALWAYS => Interest::always(),
            _ => Interest::sometimes(),
        }
    }

    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        let Some(receiver) = receiver() else {
            return false;
        };
        // SAFETY: the loader's functions can be called, as `start` was promised.
        let mut answer = unsafe { (receiver.enabled)(receiver.context, key(metadata)) };
        if answer & answer::UNKNOWN != 0 {
            // Metadata that is made for the question, as bridges from other libraries do.
            // SAFETY: as above; the target is borrowed for the call.
            answer = unsafe {
                let (level, target) = (level(metadata.level()), Str::new(metadata.target()));
                (receiver.message_enabled)(receiver.context, level, target)
            };
        }
        heed(answer);
        answer & answer::YES != 0
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        let metadata = span.metadata();
        let parent = parent(span.parent(), span.is_root());
        let made = receiver().map_or(0, |receiver| {
            Collector::with(
                |visitor| span.record(visitor),
                // SAFETY: as above; the values are borrowed for the call.
                |values| unsafe {
                    (receiver.new_span)(receiver.context, key(metadata), parent, values)
                },
            )
        });
        Id::from_u64(made.max(1))
    }

    fn record(&self, span: &Id, values: &Record<'_>) {
        let Some(receiver) = receiver() else { return };
        Collector::with(
            |visitor| values.record(visitor),
            // SAFETY: as above.
            |values| unsafe { (receiver.record)(receiver.context, span.into_u64(), values) },
        );
    }

    fn record_follows_from(&self, span: &Id, follows: &Id) {
        let Some(receiver) = receiver() else { return };
        // SAFETY: as above.
        unsafe { (receiver.follows_from)(receiver.context, span.into_u64(), follows.into_u64()) };
    }

    fn event(&self, event: &Event<'_>) {
        let Some(receiver) = receiver() else { return };
        let metadata = event.metadata();
        let parent = parent(event.parent(), event.is_root());
        let answer = Collector::with(
            |visitor| event.record(visitor),
            |values| {
                // SAFETY: as above.
                let send =
                    || unsafe { (receiver.event)(receiver.context, key(metadata), parent, values) };
                let mut answer = send();
                if answer & answer::UNKNOWN != 0 {
                    register(metadata);
                    answer = send();
                }
                answer
            },
        );
        heed(answer);
    }

    fn enter(&self, span: &Id) {
        let Some(receiver) = receiver() else { return };
        // SAFETY: as above.
        unsafe { (receiver.enter)(receiver.context, span.into_u64()) };
    }

    fn exit(&self, span: &Id) {
        let Some(receiver) = receiver() else { return };
        // SAFETY: as above.
        unsafe { (receiver.exit)(receiver.context, span.into_u64()) };
    }

    fn clone_span(&self, span: &Id) -> Id {
        if let Some(receiver) = receiver() {
            // SAFETY: as above.
            unsafe { (receiver.clone_span)(receiver.context, span.into_u64()) };
        }
        span.clone()
    }

    fn try_close(&self, span: Id) -> bool {
        // SAFETY: as above.
        receiver().is_some_and(|receiver| unsafe {
            (receiver.close_span)(receiver.context, span.into_u64()) != 0
        })
    }

    fn current_span(&self) -> Current {
        let Some(receiver) = receiver() else {
            return Current::none();
        };
        let mut key = ptr::null();
        // SAFETY: as above; `key` can be written.
        let span = unsafe { (receiver.current)(receiver.context, &raw mut key) };
        if span == 0 || key.is_null() {
            return Current::none();
        }
        // SAFETY: the key is one that `register` gave for a static of this library.
        let metadata = unsafe { &*key.cast::<Metadata<'static>>() };
        Current::new(Id::from_u64(span), metadata)
    }
}

/// What the loader knows a callsite by.
fn key(metadata: &Metadata<'_>) -> Key {
    ptr::from_ref(metadata).cast()
}

/// Describes a callsite to the loader; gives how much it is wanted.
fn register(metadata: &'static Metadata<'static>) -> u32 {
    let Some(receiver) = receiver() else {
        return interest::NEVER;
    };
    let fields: Vec<Str> = metadata
        .fields()
        .iter()
        .map(|field| Str::new(field.name()))
        .collect();
    let callsite = Callsite {
        size: size_of::<Callsite>(),
        key: key(metadata),
        is_span: metadata.is_span().into(),
        level: level(metadata.level()),
        name: Str::new(metadata.name()),
        target: Str::new(metadata.target()),
        module: optional(metadata.module_path()),
        file: optional(metadata.file()),
        line: metadata.line().unwrap_or(0),
        fields_len: u32::try_from(fields.len()).unwrap_or(0),
        fields: fields.as_ptr(),
    };
    // SAFETY: the loader's functions can be called, and copy what they are given.
    unsafe { (receiver.register)(receiver.context, &raw const callsite) }
}

/// Asks for all callsites anew if filters have changed.
fn heed(answer: u32) {
    if answer & answer::CHANGED != 0 {
        callsite::rebuild_interest_cache();
    }
}

fn parent(parent: Option<&Id>, is_root: bool) -> Parent {
    let kind = match parent {
        Some(_) => Parent::SPAN,
        None if is_root => Parent::NONE,
        None => Parent::CURRENT,
    };
    Parent {
        kind,
        span: parent.map_or(0, Id::into_u64),
    }
}

/// Text that may not be there.
pub(super) fn optional(text: Option<&str>) -> Str {
    text.map_or(
        Str {
            data: ptr::null(),
            len: 0,
        },
        Str::new,
    )
}

fn level(level: &Level) -> wire::Level {
    match *level {
        Level::ERROR => 1,
        Level::WARN => 2,
        Level::INFO => 3,
        Level::DEBUG => 4,
        Level::TRACE => 5,
    }
}
