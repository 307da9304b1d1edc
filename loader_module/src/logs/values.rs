//! Values of fields, from the boundary to `tracing`.

use std::borrow::Cow;

use plugin_api::logs::wire;
use tracing::Metadata;
use tracing::field::{DisplayValue, Value, ValueSet, display};

/// A value as `tracing` takes it.
enum Decoded<'a> {
    Signed(i64),
    Unsigned(u64),
    Float(f64),
    Boolean(bool),
    String(Cow<'a, str>),
    Other(DisplayValue<Cow<'a, str>>),
}

impl Decoded<'_> {
    /// # Safety
    ///
    /// - The value's text is borrowed for as long as the result is used.
    unsafe fn new(value: &wire::Value) -> Self {
        let bits = value.bits;
        // SAFETY: as the caller promises.
        let text = || String::from_utf8_lossy(unsafe { value.text.as_bytes() });
        match value.kind {
            wire::Value::SIGNED => Self::Signed(bits.cast_signed()),
            wire::Value::UNSIGNED => Self::Unsigned(bits),
            wire::Value::FLOAT => Self::Float(f64::from_bits(bits)),
            wire::Value::BOOLEAN => Self::Boolean(bits != 0),
            wire::Value::STRING => Self::String(text()),
            _ => Self::Other(display(text())),
        }
    }

    fn as_value(&self) -> &dyn Value {
        match self {
            Self::Signed(value) => value,
            Self::Unsigned(value) => value,
            Self::Float(value) => value,
            Self::Boolean(value) => value,
            Self::String(Cow::Borrowed(value)) => value,
            Self::String(Cow::Owned(value)) => value,
            Self::Other(value) => value,
        }
    }
}

/// Calls `take` with the values of some fields of a callsite.
///
/// # Safety
///
/// - The values, and their texts, are borrowed for the call.
pub(super) unsafe fn with<R>(
    metadata: &Metadata<'static>,
    values: wire::Values,
    take: impl FnOnce(&ValueSet<'_>) -> R,
) -> R {
    let values = if values.data.is_null() {
        &[]
    } else {
        // SAFETY: as the caller promises.
        unsafe { std::slice::from_raw_parts(values.data, values.len) }
    };
    let decoded: Vec<(usize, Decoded<'_>)> = values
        .iter()
        // SAFETY: as above.
        .map(|value| (value.field as usize, unsafe { Decoded::new(value) }))
        .collect();
    let fields = metadata.fields();
    let mut slots: Vec<Option<&dyn Value>> = vec![None; fields.len()];
    for (field, value) in &decoded {
        if let Some(slot) = slots.get_mut(*field) {
            *slot = Some(value.as_value());
        }
    }
    take(&fields.value_set_all(&slots))
}
