//! Records that wait for a log function.

use std::collections::VecDeque;

use super::record::{Record, Value};
use crate::logs::mirror::{Description, Mirror};

/// How many records may wait. Those that come later are counted and dropped.
const LIMIT: usize = 1000;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Queue {
    records: VecDeque<Record>,
    dropped: u64,
}

impl Queue {
    /// Lets a record wait, for a moment only if it is told next: that one is not dropped.
    pub(super) fn push(&mut self, record: Record, is_next: bool) {
        if is_next || self.records.len() < LIMIT {
            let notice = self.take_dropped();
            self.records.extend(notice);
            self.records.push_back(record);
        } else {
            self.dropped += 1;
        }
    }

    /// How many records wait.
    pub(super) fn len(&self) -> usize {
        self.records.len() + usize::from(self.dropped > 0)
    }

    /// The next record; where some were dropped, one that tells how many.
    pub(super) fn pop(&mut self) -> Option<Record> {
        self.records.pop_front().or_else(|| self.take_dropped())
    }

    /// A record that tells how many were dropped since the last, if any were.
    fn take_dropped(&mut self) -> Option<Record> {
        let dropped = std::mem::take(&mut self.dropped);
        (dropped > 0).then(|| {
            let text = format!("{dropped} events were dropped, as nobody took them");
            let values = vec![Value::Other(text), Value::Unsigned(dropped)];
            notice(2, "dropped", values)
        })
    }
}

/// A record of the loader about logging itself: a message, and one more field.
pub(super) fn notice(level: u32, field: &str, values: Vec<Value>) -> Record {
    let mirror = Mirror::of(&Description {
        is_span: false,
        level,
        name: "log".to_owned(),
        target: "cygnixy".to_owned(),
        module: None,
        file: None,
        line: None,
        fields: vec!["message".to_owned(), field.to_owned()],
    });
    Record::notice(mirror.metadata(), values)
}
