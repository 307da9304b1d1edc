//! Records what the loader tells `tracing`: the fields of each event and of the spans around it.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record as SpanRecord};
use tracing::{Event, Level, Metadata, Subscriber};

/// An event with its own fields and those of its spans; the innermost wins.
#[derive(Debug, Clone)]
pub struct Record {
    /// How serious it is.
    pub level: Level,
    /// The names of the spans it is in, the outermost first.
    pub spans: Vec<String>,
    /// The fields as text.
    pub fields: BTreeMap<String, String>,
}

/// A subscriber that keeps everything. Clones share what was recorded.
#[derive(Debug, Clone, Default)]
pub struct Recorder(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    spans: Vec<(String, BTreeMap<String, String>)>,
    entered: Vec<usize>,
    records: Vec<Record>,
}

impl Recorder {
    /// Runs `body` with this recorder as the thread's subscriber.
    pub fn during<R>(&self, body: impl FnOnce() -> R) -> R {
        tracing::subscriber::with_default(self.clone(), body)
    }

    /// What was recorded, in order.
    #[must_use]
    pub fn records(&self) -> Vec<Record> {
        self.lock().records.clone()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The place of a span in the list; an id is that plus one, as 0 is none.
fn index(id: &Id) -> usize {
    usize::try_from(id.into_u64() - 1).unwrap_or(usize::MAX)
}

impl Subscriber for Recorder {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        let mut fields = Fields::default();
        span.record(&mut fields);
        let mut state = self.lock();
        state
            .spans
            .push((span.metadata().name().to_owned(), fields.0));
        Id::from_u64(state.spans.len() as u64)
    }

    fn record(&self, span: &Id, values: &SpanRecord<'_>) {
        let mut fields = Fields::default();
        values.record(&mut fields);
        self.lock().spans[index(span)].1.append(&mut fields.0);
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut own = Fields::default();
        event.record(&mut own);
        let mut state = self.lock();
        let mut record = Record {
            level: *event.metadata().level(),
            spans: Vec::new(),
            fields: BTreeMap::new(),
        };
        for at in &state.entered {
            let (name, fields) = &state.spans[*at];
            record.spans.push(name.clone());
            record.fields.extend(fields.clone());
        }
        record.fields.append(&mut own.0);
        state.records.push(record);
    }

    fn enter(&self, span: &Id) {
        self.lock().entered.push(index(span));
    }

    fn exit(&self, _: &Id) {
        self.lock().entered.pop();
    }
}

#[derive(Default)]
struct Fields(BTreeMap<String, String>);

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.0.insert(field.name().to_owned(), format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name().to_owned(), value.to_owned());
    }
}
