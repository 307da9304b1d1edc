//! What `gsub` puts in the place of a match.

use plugin_api::mlua::{self, Lua, Table, Value};
use regex::bytes::{CaptureLocations, Regex};

/// What a match is replaced by.
pub(crate) enum Replacement {
    Template(Template),
    /// The value of the first group, or of the whole match.
    Table(Table),
    /// What Lua code finds: the result of a function, or of a table's metatable.
    Called,
}

impl Replacement {
    pub(crate) fn new(lua: &Lua, value: Value, regex: &Regex) -> mlua::Result<Self> {
        let value = match value {
            Value::Integer(_) | Value::Number(_) => {
                lua.coerce_string(value)?.map_or(Value::Nil, Value::String)
            }
            value => value,
        };
        Ok(match value {
            Value::String(text) => Self::Template(Template::parse(&text.as_bytes(), regex)?),
            Value::Table(table) if table.metatable().is_none() => Self::Table(table),
            Value::Table(_) | Value::Function(_) => Self::Called,
            other => {
                return Err(mlua::Error::runtime(format!(
                    "bad replacement (string, table or function expected, got {})",
                    other.type_name()
                )));
            }
        })
    }

    /// Whether the groups are needed, and not only where the match is.
    pub(crate) fn needs_groups(&self, regex: &Regex) -> bool {
        match self {
            Self::Template(template) => template.needs_groups(),
            Self::Table(_) | Self::Called => regex.captures_len() > 1,
        }
    }
}

/// Adds what a table has for a key. What it does not have stays as it is.
pub(crate) fn append_value(
    lua: &Lua,
    table: &Table,
    key: Value,
    whole: &[u8],
    to: &mut Vec<u8>,
) -> mlua::Result<()> {
    match table.raw_get(key)? {
        Value::Nil | Value::Boolean(false) => to.extend_from_slice(whole),
        Value::String(new) => to.extend_from_slice(&new.as_bytes()),
        number @ (Value::Integer(_) | Value::Number(_)) => {
            if let Some(new) = lua.coerce_string(number)? {
                to.extend_from_slice(&new.as_bytes());
            }
        }
        other => {
            let name = other.type_name();
            return Err(mlua::Error::runtime(format!(
                "invalid replacement value (a {name})"
            )));
        }
    }
    Ok(())
}

/// A text with references to groups: `$1`, `${1}`, `$name`, `${name}`, and `$$` for a dollar.
///
/// The crate has this too, but takes a group that the pattern does not have for an empty one.
pub(crate) struct Template(Vec<Part>);

enum Part {
    Literal(Vec<u8>),
    Group(usize),
}

impl Template {
    fn parse(text: &[u8], regex: &Regex) -> mlua::Result<Self> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some(dollar) = rest.iter().position(|byte| *byte == b'$') {
            let (before, reference) = (&rest[..dollar], &rest[dollar + 1..]);
            let length = match reference {
                [b'$', ..] => 1,
                [b'{', name @ ..] => match name.iter().position(|byte| *byte == b'}') {
                    Some(end) => end + 2,
                    None => return Err(mlua::Error::runtime("bad replacement: '${' without '}'")),
                },
                name => name.iter().take_while(|byte| is_word(**byte)).count(),
            };
            let (reference, behind) = reference.split_at(length);
            parts.push(Part::Literal(before.to_vec()));
            parts.push(match reference {
                b"$" => Part::Literal(b"$".to_vec()),
                [b'{', name @ .., b'}'] => Part::Group(group_of(name, regex)?),
                name => Part::Group(group_of(name, regex)?),
            });
            rest = behind;
        }
        parts.push(Part::Literal(rest.to_vec()));
        Ok(Self(parts))
    }

    fn needs_groups(&self) -> bool {
        let mut parts = self.0.iter();
        parts.any(|part| matches!(part, Part::Group(index) if *index > 0))
    }

    /// Adds what takes the place of a match. `whole` is where it is.
    pub(crate) fn append(
        &self,
        text: &[u8],
        whole: (usize, usize),
        groups: Option<&CaptureLocations>,
        to: &mut Vec<u8>,
    ) {
        for part in &self.0 {
            match part {
                Part::Literal(bytes) => to.extend_from_slice(bytes),
                Part::Group(0) => to.extend_from_slice(&text[whole.0..whole.1]),
                Part::Group(index) => {
                    if let Some((start, end)) = groups.and_then(|groups| groups.get(*index)) {
                        to.extend_from_slice(&text[start..end]);
                    }
                }
            }
        }
    }
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// The index of the group that a number or a name stands for.
fn group_of(name: &[u8], regex: &Regex) -> mlua::Result<usize> {
    let name = String::from_utf8_lossy(name);
    let index = match name.parse::<usize>() {
        Ok(index) => (index < regex.captures_len()).then_some(index),
        Err(_) => regex
            .capture_names()
            .position(|other| other == Some(&*name)),
    };
    index.ok_or_else(|| {
        mlua::Error::runtime(format!(
            "bad replacement: the pattern has no group '{name}'"
        ))
    })
}
