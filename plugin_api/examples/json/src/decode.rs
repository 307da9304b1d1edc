//! From JSON text to a tape, by serde.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use crate::tape::{MOST_LEVELS, Node, Tape};

/// Reads a document.
pub(crate) fn parse(text: &[u8]) -> serde_json::Result<Tape<'_>> {
    // A value every 16 bytes is more than most documents have.
    let mut tape = Tape::with_capacity(text.len() / 16);
    let mut source = serde_json::Deserializer::from_slice(text);
    // The values below count their levels themselves.
    source.disable_recursion_limit();
    let value = Value {
        tape: &mut tape,
        levels: MOST_LEVELS,
    };
    value.deserialize(&mut source)?;
    source.end()?;
    Ok(tape)
}

/// Adds any value to the tape; `levels` is how deep arrays and objects may still go.
struct Value<'t, 'a> {
    tape: &'t mut Tape<'a>,
    levels: usize,
}

impl<'t, 'a> Value<'t, 'a> {
    /// The levels within an array or object.
    fn within<E: Error>(&self) -> Result<usize, E> {
        self.levels
            .checked_sub(1)
            .ok_or_else(|| E::custom(format_args!("nested deeper than {MOST_LEVELS} levels")))
    }
}

impl<'a> DeserializeSeed<'a> for Value<'_, 'a> {
    type Value = ();

    fn deserialize<D: Deserializer<'a>>(self, source: D) -> Result<(), D::Error> {
        source.deserialize_any(self)
    }
}

impl<'a> Visitor<'a> for Value<'_, 'a> {
    type Value = ();

    fn expecting(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str("any JSON value")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        self.tape.push(Node::Null);
        Ok(())
    }

    fn visit_bool<E>(self, value: bool) -> Result<(), E> {
        self.tape.push(Node::Boolean(value));
        Ok(())
    }

    fn visit_i64<E>(self, value: i64) -> Result<(), E> {
        self.tape.push(Node::Integer(value));
        Ok(())
    }

    fn visit_u64<E>(self, value: u64) -> Result<(), E> {
        // What is too large for an integer is a float, as in Lua's own numerals.
        self.tape.push(match i64::try_from(value) {
            Ok(value) => Node::Integer(value),
            Err(_) => Node::Number(value as f64),
        });
        Ok(())
    }

    fn visit_f64<E>(self, value: f64) -> Result<(), E> {
        self.tape.push(Node::Number(value));
        Ok(())
    }

    fn visit_borrowed_str<E>(self, text: &'a str) -> Result<(), E> {
        self.tape.push(Node::Text(text));
        Ok(())
    }

    fn visit_str<E>(self, text: &str) -> Result<(), E> {
        self.tape.push_unescaped(text);
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'a>>(self, mut source: A) -> Result<(), A::Error> {
        let levels = self.within()?;
        let tape = self.tape;
        let at = tape.open(Node::Array);
        let mut count = 0;
        while source.next_element_seed(Value { tape, levels })?.is_some() {
            count += 1;
        }
        ended(tape.close(at, count))
    }

    fn visit_map<A: MapAccess<'a>>(self, mut source: A) -> Result<(), A::Error> {
        let levels = self.within()?;
        let tape = self.tape;
        let at = tape.open(Node::Object);
        let mut count = 0;
        while source.next_key_seed(Value { tape, levels })?.is_some() {
            source.next_value_seed(Value { tape, levels })?;
            count += 1;
        }
        ended(tape.close(at, count))
    }
}

fn ended<E: Error>(fits: bool) -> Result<(), E> {
    if fits {
        Ok(())
    } else {
        Err(E::custom("too many values for a Lua table"))
    }
}
