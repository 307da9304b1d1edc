//! A plugin library as a source of events.

use std::backtrace::{Backtrace, BacktraceStatus};
use std::collections::HashMap;
use std::fmt;
use std::ptr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, RwLock};

use plugin_api::abi::Descriptor;
use plugin_api::logs::wire::{self, Key, Parent, SpanId, answer, interest};
use tracing::callsite::Callsite;
use tracing::field::{FieldSet, Value, ValueSet, display};
use tracing::metadata::Kind;
use tracing::subscriber::{Interest, NoSubscriber};
use tracing::{Event, Metadata, Span, dispatcher};

use super::mirror::{Attached, Description, Mirror, level};
use super::output::{self, Whereabouts};
use super::spans::Spans;
use super::{receive, values};
use crate::library::Addresses;
use crate::lock::lock;
use crate::lua_state::StateId;

/// How many mirrors there may be before records of `log` no longer get ones of their own: their
/// targets may be made up at run time.
const MIRRORS: usize = 10_000;

/// A library whose events, spans and panics are received here.
pub(crate) struct Source {
    /// The name of the plugin, as far as it is known.
    plugin: Mutex<Arc<str>>,
    /// What the plugin's own code has as its target, unless it says otherwise.
    target: String,
    pub(super) whereabouts: Whereabouts,
    loosen: unsafe extern "C" fn(Key),
    /// The mirrors by the addresses of the library's callsites.
    mirrors: RwLock<HashMap<usize, &'static Mirror>>,
    spans: Spans,
    is_changed: Arc<AtomicBool>,
}

impl Source {
    /// Becomes the receiver of what a library logs, until [`close`](Self::close).
    pub(crate) fn listen(
        descriptor: &Descriptor,
        addresses: Addresses,
        crate_name: &str,
    ) -> Arc<Self> {
        let source = Arc::new(Self {
            plugin: Mutex::new(Arc::from(crate_name)),
            target: crate_name.replace('-', "_"),
            whereabouts: Whereabouts::new(descriptor, addresses),
            loosen: descriptor.loosen,
            mirrors: RwLock::default(),
            spans: Spans::new(),
            is_changed: Arc::default(),
        });
        let receiver = receive::receiver(Arc::as_ptr(&source));
        // SAFETY: the structure is valid for the call. The source lives as long as the library is
        // mapped: the two are kept together.
        unsafe { (descriptor.log_to)(&raw const receiver) };
        source
    }

    /// Notes the name that the plugin gives itself.
    pub(crate) fn note_name(&self, name: &str) {
        *lock(&self.plugin) = Arc::from(name);
    }

    /// Notes that the library is used in a state.
    pub(crate) fn note_state(&self, state: StateId) {
        self.whereabouts.note_state(state);
    }

    /// The name of the plugin, as far as it is known.
    pub(super) fn plugin(&self) -> Arc<str> {
        Arc::clone(&lock(&self.plugin))
    }

    /// Lets go of the library, which is going to be unmapped: no code of it runs any more.
    pub(crate) fn close(&self) {
        let mirrors = std::mem::take(&mut *write(&self.mirrors));
        for (key, mirror) in mirrors {
            mirror.detach(ptr::without_provenance(key));
        }
        self.spans.close();
    }

    pub(super) fn spans(&self) -> &Spans {
        &self.spans
    }

    /// Finds or makes the mirror of a callsite; gives how much it is wanted.
    pub(super) fn register(&self, key: Key, description: Description) -> u32 {
        let known = self.mirror(key);
        let mirror = known.unwrap_or_else(|| {
            let mirror = Mirror::of(&description);
            let before = write(&self.mirrors).insert(key.addr(), mirror);
            if before.is_none() {
                mirror.attach(Attached {
                    key,
                    loosen: self.loosen,
                    is_changed: Arc::clone(&self.is_changed),
                });
            }
            mirror
        });
        mirror.interest()
    }

    /// Whether an event or a span of a callsite is wanted now.
    pub(super) fn enabled(&self, key: Key) -> u32 {
        match self.mirror(key) {
            Some(mirror) => {
                let is_wanted = u32::from(is_enabled(mirror)) * answer::YES;
                self.changes() | is_wanted
            }
            None => answer::UNKNOWN,
        }
    }

    /// Makes an event.
    ///
    /// # Safety
    ///
    /// - The values are borrowed for the call.
    pub(super) unsafe fn event(&self, key: Key, parent: Parent, values: wire::Values) -> u32 {
        let Some(mirror) = self.mirror(key) else {
            return answer::UNKNOWN;
        };
        if is_enabled(mirror) {
            let metadata = mirror.metadata();
            // SAFETY: as the caller promises.
            unsafe {
                values::with(metadata, values, |values| {
                    self.emit(metadata, parent, values)
                })
            };
        }
        self.changes()
    }

    fn emit(&self, metadata: &'static Metadata<'static>, parent: Parent, values: &ValueSet<'_>) {
        match parent.kind {
            Parent::CURRENT => Event::dispatch(metadata, values),
            Parent::SPAN => Event::child_of(self.id_of(parent.span), metadata, values),
            _ => Event::child_of(None, metadata, values),
        }
    }

    /// Makes a span.
    ///
    /// # Safety
    ///
    /// - The values are borrowed for the call.
    pub(super) unsafe fn new_span(&self, key: Key, parent: Parent, values: wire::Values) -> SpanId {
        let Some(mirror) = self.mirror(key).filter(|mirror| is_enabled(mirror)) else {
            return 0;
        };
        let metadata = mirror.metadata();
        let make = |values: &ValueSet<'_>| match parent.kind {
            Parent::CURRENT => Span::new(metadata, values),
            Parent::SPAN => Span::child_of(self.id_of(parent.span), metadata, values),
            _ => Span::new_root(metadata, values),
        };
        // SAFETY: as the caller promises.
        let span = unsafe { values::with(metadata, values, make) };
        self.spans.add(span, key)
    }

    /// Gives a span more values.
    ///
    /// # Safety
    ///
    /// - The values are borrowed for the call.
    pub(super) unsafe fn record(&self, span: SpanId, values: wire::Values) {
        let span = self.spans.get(span);
        if let Some((span, metadata)) = span.as_ref().and_then(|s| s.metadata().map(|m| (s, m))) {
            // SAFETY: as the caller promises.
            unsafe {
                values::with(metadata, values, |values| {
                    span.record_all(values);
                })
            };
        }
    }

    pub(super) fn follows_from(&self, span: SpanId, from: SpanId) {
        if let Some(span) = self.spans.get(span) {
            span.follows_from(self.id_of(from));
        }
    }

    /// Whether a record of `log` is wanted.
    pub(super) fn message_enabled(&self, code: u32, target: &str) -> u32 {
        let metadata = Metadata::new(
            "log record",
            target,
            level(code),
            None,
            None,
            None,
            FieldSet::new(&["message"], tracing_core::identify_callsite!(&RECORDS)),
            Kind::EVENT,
        );
        dispatcher::get_default(|dispatch| dispatch.enabled(&metadata)).into()
    }

    /// Makes an event of a record of `log`.
    pub(super) fn take_record(&self, mut description: Description, text: &str) {
        description.fields = vec!["message".to_owned()];
        let target = description.target.clone();
        let mirror = Mirror::of_few(&description, MIRRORS).unwrap_or_else(|| {
            "log".clone_into(&mut description.target);
            description.module = None;
            description.file = None;
            description.line = None;
            description.fields.push("log.target".to_owned());
            Mirror::of(&description)
        });
        self.take(mirror, &[Some(text), Some(&target)]);
    }

    /// Makes an event of a panic; tells whether there is anybody to take it.
    pub(super) fn take_panic(&self, mut description: Description, text: &str, column: u32) -> bool {
        if dispatcher::get_default(|dispatch| dispatch.is::<NoSubscriber>()) {
            return false;
        }
        let location = match (&description.file, description.line) {
            (Some(file), Some(line)) => Some(format!("{file}:{line}:{column}")),
            _ => None,
        };
        description.target.clone_from(&self.target);
        description.fields = ["message", "plugin", "location", "backtrace"]
            .map(str::to_owned)
            .to_vec();
        // Taken here, since it would make every plugin larger.
        let backtrace = Backtrace::capture();
        let is_captured = backtrace.status() == BacktraceStatus::Captured;
        let backtrace = is_captured.then(|| backtrace.to_string());
        let text = format!("panicked: {text}");
        let plugin = self.plugin();
        let values = [
            Some(&*text),
            Some(&*plugin),
            location.as_deref(),
            backtrace.as_deref(),
        ];
        output::telling(self, true, || self.take(Mirror::of(&description), &values));
        true
    }

    /// Makes an event of texts, of which the first is the message.
    fn take(&self, mirror: &'static Mirror, texts: &[Option<&str>]) {
        if !is_enabled(mirror) {
            return;
        }
        let metadata = mirror.metadata();
        let shown: Vec<_> = texts.iter().map(|text| text.map(display)).collect();
        let values = shown.iter().take(metadata.fields().len());
        let values: Vec<Option<&dyn Value>> = values
            .map(|text| text.as_ref().map(|text| text as &dyn Value))
            .collect();
        Event::dispatch(metadata, &metadata.fields().value_set_all(&values));
    }

    fn mirror(&self, key: Key) -> Option<&'static Mirror> {
        read(&self.mirrors).get(&key.addr()).copied()
    }

    /// The id, in this copy of `tracing`, of a span of the library.
    fn id_of(&self, span: SpanId) -> Option<tracing::Id> {
        self.spans.get(span).and_then(|span| span.id())
    }

    /// Whether filters have changed since this was asked last.
    fn changes(&self) -> u32 {
        let is_changed = self.is_changed.load(Ordering::Relaxed)
            && self.is_changed.swap(false, Ordering::SeqCst);
        u32::from(is_changed) * answer::CHANGED
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Source")
            .field("plugin", &self.plugin)
            .finish_non_exhaustive()
    }
}

/// Whether an event or a span is wanted now. What a plugin knows may be out of date.
fn is_enabled(mirror: &Mirror) -> bool {
    match mirror.interest() {
        interest::NEVER => false,
        interest::ALWAYS => true,
        _ => {
            let metadata = Callsite::metadata(mirror);
            dispatcher::get_default(|dispatch| dispatch.enabled(metadata))
        }
    }
}

/// The callsite of metadata that is made for a question.
struct Records;

static RECORDS: Records = Records;

static RECORDS_METADATA: Metadata<'static> = Metadata::new(
    "log record",
    "log",
    tracing::Level::ERROR,
    None,
    None,
    None,
    FieldSet::new(&["message"], tracing_core::identify_callsite!(&RECORDS)),
    Kind::EVENT,
);

impl Callsite for Records {
    fn set_interest(&self, _: Interest) {}

    fn metadata(&self) -> &Metadata<'_> {
        &RECORDS_METADATA
    }
}

fn read<T>(lock: &RwLock<T>) -> std::sync::RwLockReadGuard<'_, T> {
    lock.read()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
}

fn write<T>(lock: &RwLock<T>) -> std::sync::RwLockWriteGuard<'_, T> {
    lock.write()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
}
