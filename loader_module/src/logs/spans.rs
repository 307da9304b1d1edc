//! The spans of one library, by the numbers that it knows them by.

use std::cell::RefCell;
use std::collections::HashMap;
use std::ptr;
use std::sync::{Arc, Mutex};

use plugin_api::logs::wire::{Key, SpanId};
use tracing::Span;

use crate::lock::lock;

/// See the module. The subscriber here is never called with the lock held.
#[derive(Debug)]
pub(super) struct Spans(Mutex<Table>);

#[derive(Debug)]
struct Table {
    next: SpanId,
    spans: HashMap<SpanId, Entry>,
}

#[derive(Debug)]
struct Entry {
    span: Arc<Span>,
    /// The address of the plugin's callsite.
    key: usize,
    references: usize,
}

thread_local! {
    /// The spans that the thread is in, the outermost first, each with the address of its table.
    static ENTERED: RefCell<Vec<(*const Spans, SpanId)>> = const { RefCell::new(Vec::new()) };
}

impl Spans {
    pub(super) fn new() -> Self {
        Self(Mutex::new(Table {
            // 0 is none, and 1 is what a plugin takes where there is none.
            next: 2,
            spans: HashMap::new(),
        }))
    }

    pub(super) fn add(&self, span: Span, key: Key) -> SpanId {
        let mut table = lock(&self.0);
        let id = table.next;
        table.next += 1;
        let entry = Entry {
            span: Arc::new(span),
            key: key.addr(),
            references: 1,
        };
        table.spans.insert(id, entry);
        id
    }

    pub(super) fn get(&self, id: SpanId) -> Option<Arc<Span>> {
        let table = lock(&self.0);
        table.spans.get(&id).map(|entry| Arc::clone(&entry.span))
    }

    /// Adds a reference to a span.
    pub(super) fn hold(&self, id: SpanId) {
        if let Some(entry) = lock(&self.0).spans.get_mut(&id) {
            entry.references += 1;
        }
    }

    /// Takes a reference away; tells whether it was the last.
    pub(super) fn let_go(&self, id: SpanId) -> bool {
        let mut table = lock(&self.0);
        let Some(entry) = table.spans.get_mut(&id) else {
            return false;
        };
        entry.references -= 1;
        if entry.references > 0 {
            return false;
        }
        let last = table.spans.remove(&id);
        drop(table);
        drop(last);
        true
    }

    /// The calling thread enters a span.
    pub(super) fn enter(&self, id: SpanId) {
        if let Some(span) = self.get(id) {
            let _ =
                ENTERED.try_with(|entered| entered.borrow_mut().push((ptr::from_ref(self), id)));
            span.with_subscriber(|(id, dispatch)| dispatch.enter(id));
        }
    }

    /// The calling thread leaves a span.
    pub(super) fn exit(&self, id: SpanId) {
        if let Some(span) = self.get(id) {
            let _ = ENTERED.try_with(|entered| {
                let mut entered = entered.borrow_mut();
                let place = entered
                    .iter()
                    .rposition(|(table, other)| ptr::eq(*table, self) && *other == id);
                if let Some(place) = place {
                    entered.remove(place);
                }
            });
            span.with_subscriber(|(id, dispatch)| dispatch.exit(id));
        }
    }

    /// The innermost span that the calling thread is in, and the address of its callsite.
    pub(super) fn current(&self) -> Option<(SpanId, usize)> {
        let id = self.entered().pop()?;
        let table = lock(&self.0);
        table.spans.get(&id).map(|entry| (id, entry.key))
    }

    /// Ends all spans, and leaves those that the calling thread is in: the library is gone.
    pub(super) fn close(&self) {
        for id in self.entered().into_iter().rev() {
            self.exit(id);
        }
        let left = std::mem::take(&mut lock(&self.0).spans);
        drop(left);
    }

    /// Those that the calling thread is in, the outermost first.
    fn entered(&self) -> Vec<SpanId> {
        let own = |entered: &RefCell<Vec<(*const Self, SpanId)>>| {
            let entered = entered.borrow();
            let own = entered.iter().filter(|(table, _)| ptr::eq(*table, self));
            own.map(|(_, id)| *id).collect()
        };
        ENTERED.try_with(own).unwrap_or_default()
    }
}
