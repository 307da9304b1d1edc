//! A compiled pattern: the object that scripts work with.

use std::cell::Cell;
use std::iter;
use std::sync::Arc;

use plugin_api::LuaExt;
use plugin_api::fast::{FastMethods, Scalar};
use plugin_api::mlua::{
    self, Function, Lua, LuaString, MetaMethod, Table, UserData, UserDataFields, UserDataMethods,
    Value, Variadic,
};
use regex::bytes::{CaptureLocations, Regex, RegexBuilder};

use crate::gsub::Gsub;
use crate::matches::{self, Cursor};

pub(crate) struct Pattern {
    /// Shared with iterators: a clone would have to make the room that it works in anew.
    pub(crate) regex: Arc<Regex>,
    /// Room for groups, from one call to the next. A call that meets another, in a finaliser say, makes
    /// its own.
    groups: Cell<Option<CaptureLocations>>,
}

impl Pattern {
    /// Compiles a pattern.
    pub(crate) fn new(source: &str, options: Option<Table>) -> mlua::Result<Self> {
        let mut builder = RegexBuilder::new(source);
        if let Some(options) = options {
            for pair in options.pairs::<String, Value>() {
                let (name, value) = pair?;
                set(&mut builder, &name, &value)?;
            }
        }
        let regex = builder.build().map_err(mlua::Error::runtime)?;
        Ok(Self {
            regex: Arc::new(regex),
            groups: Cell::default(),
        })
    }

    fn has_groups(&self) -> bool {
        self.regex.captures_len() > 1
    }

    /// Gives the groups of the first match from an offset on to `then`; `None` if there is no match.
    fn with_groups<R>(
        &self,
        text: &[u8],
        start: usize,
        then: impl FnOnce(&CaptureLocations) -> R,
    ) -> Option<R> {
        let groups = self.groups.take();
        let mut groups = groups.unwrap_or_else(|| self.regex.capture_locations());
        let found = self.regex.captures_read_at(&mut groups, text, start);
        let result = found.is_some().then(|| then(&groups));
        self.groups.set(Some(groups));
        result
    }
}

/// Sets an option. One that is not known is an error, lest a misspelt one is overlooked.
fn set(builder: &mut RegexBuilder, name: &str, value: &Value) -> mlua::Result<()> {
    match (name, value) {
        ("ignore_case", Value::Boolean(on)) => builder.case_insensitive(*on),
        ("multi_line", Value::Boolean(on)) => builder.multi_line(*on),
        ("dot_all", Value::Boolean(on)) => builder.dot_matches_new_line(*on),
        ("extended", Value::Boolean(on)) => builder.ignore_whitespace(*on),
        ("unicode", Value::Boolean(on)) => builder.unicode(*on),
        ("size_limit", _) => match value.as_usize() {
            Some(bytes) => builder.size_limit(bytes),
            None => return Err(misfit(name, "a number of bytes", value)),
        },
        ("ignore_case" | "multi_line" | "dot_all" | "extended" | "unicode", _) => {
            return Err(misfit(name, "a boolean", value));
        }
        _ => {
            return Err(mlua::Error::runtime(format!(
                "unknown option '{name}'; there are 'ignore_case', 'multi_line', 'dot_all', \
                 'extended', 'unicode' and 'size_limit'"
            )));
        }
    };
    Ok(())
}

fn misfit(option: &str, expected: &str, found: &Value) -> mlua::Error {
    let found = found.type_name();
    mlua::Error::runtime(format!(
        "option '{option}': {expected} expected, got {found}"
    ))
}

impl UserData for Pattern {
    fn add_fields<F: UserDataFields<Self>>(fields: &mut F) {
        fields.add_fast_method("is_match", is_match);
        fields.add_fast_method("find", find);
        fields.add_fast_method("match", first_match);
        fields.add_fast_method("count", count);
        fields.add_fast_method("captures", captures);
        fields.add_fast_method("gmatch", gmatch);
        fields.add_fast_method("split", split);
        fields.add_field("gsub", Gsub);
    }

    fn add_methods<M: UserDataMethods<Self>>(methods: &mut M) {
        methods.add_meta_method(MetaMethod::ToString, |_, this, ()| {
            Ok(format!("regexp: {}", this.regex.as_str()))
        });
    }
}

/// `is_match(text [, init])`: whether the pattern occurs.
fn is_match(this: &Pattern, text: &[u8], init: Option<i64>) -> bool {
    let start = matches::start(init, text.len());
    start.is_some_and(|start| this.regex.is_match_at(text, start))
}

/// `find(text [, init])`: where the first match begins and ends, and its groups; or nil.
fn find<'a>(this: &Pattern, text: &'a [u8], init: Option<i64>) -> Variadic<Scalar<'a>> {
    let place = |start: usize, end: usize| {
        // No text is longer than a signed number can say.
        [start + 1, end].map(|place| Scalar::Integer(place as i64))
    };
    let found = matches::start(init, text.len()).and_then(|start| {
        if !this.has_groups() {
            let found = this.regex.find_at(text, start)?;
            return Some(place(found.start(), found.end()).into_iter().collect());
        }
        this.with_groups(text, start, |groups| {
            let (start, end) = groups.get(0).unwrap_or_default();
            let place = place(start, end).into_iter();
            place.chain(each_group(text, groups)).collect()
        })
    });
    found.unwrap_or_else(nothing)
}

/// `match(text [, init])`: the groups of the first match, or the match if there are none; or nil.
fn first_match<'a>(this: &Pattern, text: &'a [u8], init: Option<i64>) -> Variadic<Scalar<'a>> {
    let found = matches::start(init, text.len()).and_then(|start| {
        if !this.has_groups() {
            let found = this.regex.find_at(text, start)?;
            return Some(iter::once(found.as_bytes().into()).collect());
        }
        this.with_groups(text, start, |groups| each_group(text, groups).collect())
    });
    found.unwrap_or_else(nothing)
}

fn nothing<'a>() -> Variadic<Scalar<'a>> {
    iter::once(Scalar::Nil).collect()
}

/// The groups. One that took no part in the match is false: nil would end a loop over `gmatch`.
pub(crate) fn each_group<'a>(
    text: &'a [u8],
    groups: &CaptureLocations,
) -> impl Iterator<Item = Scalar<'a>> {
    (1..groups.len()).map(|index| match groups.get(index) {
        Some((start, end)) => text[start..end].into(),
        None => Scalar::Boolean(false),
    })
}

/// The text of a group; false if it took no part in the match.
pub(crate) fn group(
    lua: &Lua,
    text: &[u8],
    groups: &CaptureLocations,
    index: usize,
) -> mlua::Result<Value> {
    match groups.get(index) {
        Some((start, end)) => lua.create_string(&text[start..end]).map(Value::String),
        None => Ok(Value::Boolean(false)),
    }
}

/// `captures(text [, init])`: a table with the match at 0, its groups by number and by name; or nil.
fn captures(
    lua: &Lua,
    this: &Pattern,
    text: &[u8],
    init: Option<i64>,
) -> mlua::Result<Option<Table>> {
    let found = matches::start(init, text.len()).and_then(|start| {
        this.with_groups(text, start, |groups| {
            let table = lua.create_table_with_capacity(groups.len(), groups.len())?;
            for (index, name) in this.regex.capture_names().enumerate() {
                let group = group(lua, text, groups, index)?;
                if let Some(name) = name {
                    table.raw_set(name, group.clone())?;
                }
                table.raw_set(index, group)?;
            }
            Ok(table)
        })
    });
    found.transpose()
}

/// `count(text)`: how often the pattern occurs.
fn count(this: &Pattern, text: &[u8]) -> usize {
    this.regex.find_iter(text).count()
}

/// `gmatch(text)`: a function that gives what `match` would, of one match after the other.
fn gmatch(lua: &Lua, this: &Pattern, text: LuaString) -> mlua::Result<Function> {
    let regex = Arc::clone(&this.regex);
    if !this.has_groups() {
        let cursor = Cell::new(Cursor::default());
        return lua.create_fast_function(move || {
            let text = text.as_bytes();
            let mut at = cursor.take();
            let found = at.next(&regex, &text);
            cursor.set(at);
            found.map(|(start, end)| text[start..end].to_vec())
        });
    }
    let state = Cell::new((Cursor::default(), Some(regex.capture_locations())));
    lua.create_fast_function(move || {
        let text = text.as_bytes();
        let (mut cursor, groups) = state.take();
        let mut groups = groups.unwrap_or_else(|| regex.capture_locations());
        let found = cursor.next_with_groups(&regex, &text, &mut groups);
        let values: Variadic<Scalar> = match found {
            // The text is Lua's, which holds it no longer than the call.
            Some(_) => each_group(&text, &groups).map(Scalar::into_owned).collect(),
            None => nothing(),
        };
        state.set((cursor, Some(groups)));
        values
    })
}

/// `split(text [, limit])`: the texts between the matches; with a limit, so many at most, the last of which
/// is all that is left. So a limit below 1 gives none.
fn split(lua: &Lua, this: &Pattern, text: &[u8], limit: Option<i64>) -> mlua::Result<Table> {
    let limit = match limit {
        Some(limit) => usize::try_from(limit.max(0)).unwrap_or(usize::MAX),
        None => usize::MAX,
    };
    let mut parts = Vec::new();
    for part in this.regex.splitn(text, limit) {
        parts.push(lua.create_string(part)?);
    }
    lua.create_sequence_from(parts)
}
