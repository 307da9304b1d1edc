//! From a tape to JSON text, by serde.

use serde::Serialize;
use serde::ser::{SerializeMap, SerializeSeq, Serializer};
use serde_json::ser::PrettyFormatter;

use crate::tape::{Node, Tape};

/// How the text is to look.
#[derive(Debug, Default)]
pub(crate) struct Style {
    /// A line for each value, and this for each level; everything on one line without.
    pub(crate) indent: Option<String>,
    /// Whether keys are put in the order of their bytes.
    pub(crate) sorted: bool,
}

/// Writes a document to the end of a text.
pub(crate) fn write(tape: &Tape<'_>, style: &Style, text: &mut Vec<u8>) {
    text.reserve(tape.nodes.len() * 8 + 64);
    let value = Value {
        tape,
        at: 0,
        sorted: style.sorted,
    };
    let written = match &style.indent {
        None => value.serialize(&mut serde_json::Serializer::new(text)),
        Some(indent) => {
            let formatter = PrettyFormatter::with_indent(indent.as_bytes());
            value.serialize(&mut serde_json::Serializer::with_formatter(text, formatter))
        }
    };
    // Writing to memory does not fail, and what JSON cannot express is not on a tape.
    debug_assert!(written.is_ok());
}

/// The value that begins at a node.
#[derive(Clone, Copy)]
struct Value<'t> {
    tape: &'t Tape<'t>,
    at: usize,
    sorted: bool,
}

impl<'t> Value<'t> {
    fn at(self, at: usize) -> Self {
        Self { at, ..self }
    }

    fn key(self) -> &'t str {
        let key = self.tape.nodes.get(self.at);
        key.and_then(|key| self.tape.text(*key)).unwrap_or_default()
    }
}

impl Serialize for Value<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let node = self.tape.nodes.get(self.at);
        match *node.unwrap_or(&Node::Null) {
            Node::Null => to.serialize_unit(),
            Node::Boolean(value) => to.serialize_bool(value),
            Node::Integer(value) => to.serialize_i64(value),
            Node::Number(value) => to.serialize_f64(value),
            Node::Text(_) | Node::Unescaped(..) => to.serialize_str(self.key()),
            Node::Array(extent) => {
                let mut array = to.serialize_seq(Some(extent.count as usize))?;
                for member in self.tape.members(self.at) {
                    array.serialize_element(&self.at(member))?;
                }
                array.end()
            }
            Node::Object(extent) => {
                let mut object = to.serialize_map(Some(extent.count as usize))?;
                let mut entry =
                    |key: usize| object.serialize_entry(self.at(key).key(), &self.at(key + 1));
                if self.sorted {
                    let mut keys: Vec<usize> = self.tape.members(self.at).collect();
                    keys.sort_unstable_by_key(|key| self.at(*key).key());
                    keys.into_iter().try_for_each(&mut entry)?;
                } else {
                    self.tape.members(self.at).try_for_each(&mut entry)?;
                }
                object.end()
            }
        }
    }
}
