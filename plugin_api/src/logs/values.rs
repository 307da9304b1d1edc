//! The values of an event's or a span's fields, made ready to cross.

use std::error::Error;
use std::fmt::{Debug, Write as _};
use std::ptr;

use tracing::field::{Field, Visit};

use super::wire::{Value, Values};
use crate::abi::Str;
use crate::errors;

/// Collects values. Their texts stand in one string, one after the other.
#[derive(Default)]
pub(super) struct Collector {
    values: Vec<Value>,
    /// Where the text of each value begins.
    begins: Vec<usize>,
    text: String,
}

impl Collector {
    /// Calls `take` with the values that `record` gives.
    pub(super) fn with<R>(
        record: impl FnOnce(&mut dyn Visit),
        take: impl FnOnce(Values) -> R,
    ) -> R {
        let mut collector = Self::default();
        record(&mut collector);
        // The string does not move any more.
        for (value, begin) in collector.values.iter_mut().zip(&collector.begins) {
            if value.text.len > 0 {
                value.text.data = collector.text[*begin..].as_ptr();
            }
        }
        take(Values {
            data: collector.values.as_ptr(),
            len: collector.values.len(),
        })
    }

    fn add(&mut self, field: &Field, kind: u32, bits: u64, begin: usize) {
        self.values.push(Value {
            field: u32::try_from(field.index()).unwrap_or(u32::MAX),
            kind,
            bits,
            text: Str {
                data: ptr::null(),
                len: self.text.len() - begin,
            },
        });
        self.begins.push(begin);
    }

    fn add_number(&mut self, field: &Field, kind: u32, bits: u64) {
        self.add(field, kind, bits, self.text.len());
    }
}

impl Visit for Collector {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        let begin = self.text.len();
        // An error of the value's own code leaves what it has written.
        let _ = write!(self.text, "{value:?}");
        self.add(field, Value::OTHER, 0, begin);
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        let begin = self.text.len();
        self.text.push_str(value);
        self.add(field, Value::STRING, 0, begin);
    }

    fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
        let begin = self.text.len();
        self.text.push_str(&errors::chain(value));
        self.add(field, Value::OTHER, 0, begin);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.add_number(field, Value::SIGNED, value.cast_unsigned());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.add_number(field, Value::UNSIGNED, value);
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.add_number(field, Value::FLOAT, value.to_bits());
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.add_number(field, Value::BOOLEAN, value.into());
    }
}
