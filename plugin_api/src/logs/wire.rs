//! The C structures by which log events cross. The rules are those of [`abi`](crate::abi).

use std::ffi::c_void;

use crate::abi::Str;

/// Tells a callsite of a plugin from its others: the address of its metadata.
pub type Key = *const c_void;

/// How serious an event is: 1 for an error, then warning, information, debugging, and 5 for traces.
pub type Level = u32;

/// The number of a span, given by the loader; 0 is none.
pub type SpanId = u64;

/// A place in a plugin's code that makes events or spans.
#[repr(C)]
#[derive(Debug)]
pub struct Callsite {
    /// The size of this structure in the plugin's build, in bytes.
    pub size: usize,
    /// What the functions below know the callsite by.
    pub key: Key,
    /// 1 if it makes spans, 0 if it makes events.
    pub is_span: u32,
    /// How serious its events are.
    pub level: Level,
    /// Its name.
    pub name: Str,
    /// Its target, for filters.
    pub target: Str,
    /// The module it is in, or null.
    pub module: Str,
    /// The file it is in, or null.
    pub file: Str,
    /// The line, from 1, or 0.
    pub line: u32,
    /// How many fields it has.
    pub fields_len: u32,
    /// The names of its fields.
    pub fields: *const Str,
}

/// The value of a field.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Value {
    /// The place of the field in its callsite's list, from 0.
    pub field: u32,
    /// A constant of this type.
    pub kind: u32,
    /// The number, in its own 64 bits.
    pub bits: u64,
    /// The text.
    pub text: Str,
}

impl Value {
    /// A signed integer.
    pub const SIGNED: u32 = 0;
    /// An unsigned integer.
    pub const UNSIGNED: u32 = 1;
    /// A float.
    pub const FLOAT: u32 = 2;
    /// 1 if it is true.
    pub const BOOLEAN: u32 = 3;
    /// A string.
    pub const STRING: u32 = 4;
    /// The text of something else.
    pub const OTHER: u32 = 5;
}

/// The values of some fields.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Values {
    /// The first of them.
    pub data: *const Value,
    /// How many there are.
    pub len: usize,
}

/// What an event or a span is in.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Parent {
    /// A constant of this type.
    pub kind: u32,
    /// The span, if it is a certain one.
    pub span: SpanId,
}

impl Parent {
    /// The span that the thread is in.
    pub const CURRENT: u32 = 0;
    /// None.
    pub const NONE: u32 = 1;
    /// A certain span.
    pub const SPAN: u32 = 2;
}

/// A record of `log`, or the report of a panic.
#[repr(C)]
#[derive(Debug)]
pub struct Message {
    /// The size of this structure in the plugin's build, in bytes.
    pub size: usize,
    /// 1 if it is the report of a panic, which is being raised: no code of the plugin may run now. The
    /// receiver can take the backtrace.
    pub is_panic: u32,
    /// How serious it is.
    pub level: Level,
    /// Its target; that of the plugin if it is null.
    pub target: Str,
    /// The module it is from, or null.
    pub module: Str,
    /// The file it is from, or null.
    pub file: Str,
    /// The line, from 1, or 0.
    pub line: u32,
    /// The column, from 1, or 0.
    pub column: u32,
    /// What it says.
    pub text: Str,
}

/// Answers: sums of these.
pub mod answer {
    /// It is wanted, or was taken.
    pub const YES: u32 = 1;
    /// Filters have changed since this library has asked for its callsites.
    pub const CHANGED: u32 = 2;
    /// The callsite is not registered.
    pub const UNKNOWN: u32 = 4;
}

/// How much a callsite is wanted.
pub mod interest {
    /// Not at all.
    pub const NEVER: u32 = 0;
    /// It has to be asked each time.
    pub const SOMETIMES: u32 = 1;
    /// Always.
    pub const ALWAYS: u32 = 2;
}

/// The loader's functions that take what a plugin logs. Each can be called by any thread, and none
/// unwinds.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Receiver {
    /// The size of this structure in the loader's build, in bytes.
    pub size: usize,
    /// Handed to the functions below as it is.
    pub context: *const c_void,
    /// Takes a callsite; says how much it is [wanted](interest). May be called again.
    pub register: unsafe extern "C" fn(context: *const c_void, callsite: *const Callsite) -> u32,
    /// Whether an event or a span of a callsite is wanted now: an [`answer`].
    pub enabled: unsafe extern "C" fn(context: *const c_void, callsite: Key) -> u32,
    /// Takes an event: an [`answer`].
    pub event:
        unsafe extern "C" fn(*const c_void, callsite: Key, parent: Parent, values: Values) -> u32,
    /// Makes a span, with one reference to it.
    pub new_span: unsafe extern "C" fn(
        *const c_void,
        callsite: Key,
        parent: Parent,
        values: Values,
    ) -> SpanId,
    /// Takes more values of a span.
    pub record: unsafe extern "C" fn(*const c_void, span: SpanId, values: Values),
    /// Notes that a span follows from another.
    pub follows_from: unsafe extern "C" fn(*const c_void, span: SpanId, from: SpanId),
    /// The thread enters a span.
    pub enter: unsafe extern "C" fn(*const c_void, span: SpanId),
    /// The thread leaves a span.
    pub exit: unsafe extern "C" fn(*const c_void, span: SpanId),
    /// There is one more reference to a span.
    pub clone_span: unsafe extern "C" fn(*const c_void, span: SpanId),
    /// There is one reference less to a span; 1 if it was the last.
    pub close_span: unsafe extern "C" fn(*const c_void, span: SpanId) -> u32,
    /// The innermost of the library's spans that the thread is in, and the callsite it is of.
    pub current: unsafe extern "C" fn(*const c_void, callsite: *mut Key) -> SpanId,
    /// Whether a message is wanted: an [`answer`].
    pub message_enabled: unsafe extern "C" fn(*const c_void, level: Level, target: Str) -> u32,
    /// Takes a message; 0 if there is nobody at all who could take it.
    pub message: unsafe extern "C" fn(*const c_void, message: *const Message) -> u32,
    /// A panic has ended: its report may be delivered where code of the plugin may run.
    pub deliver: unsafe extern "C" fn(*const c_void),
}

// SAFETY: the context is for functions that any thread may call.
unsafe impl Send for Receiver {}
// SAFETY: as above.
unsafe impl Sync for Receiver {}
