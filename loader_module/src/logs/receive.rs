//! The C functions that plugins call with what they log.
//!
//! Each takes the [`Source`] of the library that calls, which lives as long as the library is mapped.

use std::ffi::c_void;
use std::panic::{AssertUnwindSafe, catch_unwind};

use plugin_api::abi::Str;
use plugin_api::logs::wire::{
    self, Key, Level, Message, Parent, Receiver, SpanId, Values, interest,
};
use tracing::level_filters::LevelFilter;

use super::mirror::{self, Description};
use super::{Source, output};

/// The functions, for the library of a source.
pub(super) fn receiver(source: *const Source) -> Receiver {
    Receiver {
        size: size_of::<Receiver>(),
        context: source.cast(),
        register,
        enabled,
        event,
        new_span,
        record,
        follows_from,
        enter,
        exit,
        clone_span,
        close_span,
        current,
        message_enabled,
        message,
        deliver,
    }
}

/// Runs `body` with the source. A panic, which is one of the host's subscriber and has been reported,
/// ends here: `otherwise` is the result.
///
/// # Safety
///
/// - `context` is that of a [`receiver`], whose source is alive.
unsafe fn receive<R>(context: *const c_void, otherwise: R, body: impl FnOnce(&Source) -> R) -> R {
    // SAFETY: as the caller promises.
    let source = unsafe { &*context.cast::<Source>() };
    let result = catch_unwind(AssertUnwindSafe(|| {
        output::telling(source, false, || body(source))
    }));
    result.unwrap_or_else(|payload| {
        // It may panic again when it is dropped.
        std::mem::forget(payload);
        otherwise
    })
}

unsafe extern "C" fn register(context: *const c_void, callsite: *const wire::Callsite) -> u32 {
    // SAFETY: see the module. The callsite and its texts are borrowed for the call. It is not read
    // before its size is known to cover what this version knows.
    unsafe {
        if (&raw const (*callsite).size).read() < size_of::<wire::Callsite>() {
            return interest::NEVER;
        }
        let callsite = &*callsite;
        receive(context, interest::NEVER, |source| {
            let fields = if callsite.fields_len == 0 {
                &[]
            } else {
                std::slice::from_raw_parts(callsite.fields, callsite.fields_len as usize)
            };
            let description = Description {
                is_span: callsite.is_span != 0,
                level: callsite.level,
                name: callsite.name.to_text(),
                target: callsite.target.to_text(),
                module: optional(callsite.module),
                file: optional(callsite.file),
                line: (callsite.line > 0).then_some(callsite.line),
                fields: fields.iter().map(|name| name.to_text()).collect(),
            };
            source.register(callsite.key, description)
        })
    }
}

unsafe extern "C" fn enabled(context: *const c_void, callsite: Key) -> u32 {
    // SAFETY: see the module.
    unsafe { receive(context, 0, |source| source.enabled(callsite)) }
}

unsafe extern "C" fn event(
    context: *const c_void,
    callsite: Key,
    parent: Parent,
    values: Values,
) -> u32 {
    // SAFETY: see the module. The values are borrowed for the call.
    unsafe { receive(context, 0, |source| source.event(callsite, parent, values)) }
}

unsafe extern "C" fn new_span(
    context: *const c_void,
    callsite: Key,
    parent: Parent,
    values: Values,
) -> SpanId {
    // SAFETY: as above.
    unsafe {
        receive(context, 0, |source| {
            source.new_span(callsite, parent, values)
        })
    }
}

unsafe extern "C" fn record(context: *const c_void, span: SpanId, values: Values) {
    // SAFETY: as above.
    unsafe { receive(context, (), |source| source.record(span, values)) }
}

unsafe extern "C" fn follows_from(context: *const c_void, span: SpanId, from: SpanId) {
    // SAFETY: see the module.
    unsafe { receive(context, (), |source| source.follows_from(span, from)) }
}

unsafe extern "C" fn enter(context: *const c_void, span: SpanId) {
    // SAFETY: see the module.
    unsafe { receive(context, (), |source| source.spans().enter(span)) }
}

unsafe extern "C" fn exit(context: *const c_void, span: SpanId) {
    // SAFETY: see the module.
    unsafe { receive(context, (), |source| source.spans().exit(span)) }
}

unsafe extern "C" fn clone_span(context: *const c_void, span: SpanId) {
    // SAFETY: see the module.
    unsafe { receive(context, (), |source| source.spans().hold(span)) }
}

unsafe extern "C" fn close_span(context: *const c_void, span: SpanId) -> u32 {
    // SAFETY: see the module.
    unsafe { receive(context, 0, |source| source.spans().let_go(span).into()) }
}

unsafe extern "C" fn current(context: *const c_void, callsite: *mut Key) -> SpanId {
    // SAFETY: see the module. The plugin passes a place that can be written.
    unsafe {
        receive(context, 0, |source| {
            let Some((span, key)) = source.spans().current() else {
                return 0;
            };
            callsite.write(std::ptr::without_provenance(key));
            span
        })
    }
}

unsafe extern "C" fn message_enabled(context: *const c_void, level: Level, target: Str) -> u32 {
    // Most records are not: this has to be fast.
    if mirror::level(level) > LevelFilter::current() {
        return 0;
    }
    // SAFETY: see the module. The target is borrowed for the call.
    unsafe {
        let target = String::from_utf8_lossy(target.as_bytes());
        receive(context, 0, |source| source.message_enabled(level, &target))
    }
}

unsafe extern "C" fn message(context: *const c_void, message: *const Message) -> u32 {
    // SAFETY: as in `register`.
    unsafe {
        if (&raw const (*message).size).read() < size_of::<Message>() {
            return 0;
        }
        let message = &*message;
        receive(context, 0, |source| {
            let text = message.text.to_text();
            let mut description = Description {
                is_span: false,
                level: message.level,
                name: "log record".to_owned(),
                target: message.target.to_text(),
                module: optional(message.module),
                file: optional(message.file),
                line: (message.line > 0).then_some(message.line),
                fields: Vec::new(),
            };
            if message.is_panic == 0 {
                source.take_record(description, &text);
                return 1;
            }
            description.name = "panic".to_owned();
            source.take_panic(description, &text, message.column).into()
        })
    }
}

unsafe extern "C" fn deliver(context: *const c_void) {
    // SAFETY: see the module.
    unsafe { receive(context, (), |_| output::deliver_here()) }
}

/// # Safety
///
/// - The text is borrowed for the call, or null.
unsafe fn optional(text: Str) -> Option<String> {
    // SAFETY: as the caller promises.
    (!text.data.is_null()).then(|| unsafe { text.to_text() })
}
