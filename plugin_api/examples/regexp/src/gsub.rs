//! The method `gsub`.
//!
//! For a text or a plain table, all is done here. A function is called by Lua code (`gsub.lua`), which asks
//! for one match after the other: what the function raises arrives as it is, and it may yield.

use std::iter;
use std::mem;
use std::sync::Arc;

use plugin_api::LuaExt as _;
use plugin_api::fast::{FastMethods as _, Scalar};
use plugin_api::mlua::{self, IntoLua, Lua, LuaString, UserData, UserDataFields, Value, Variadic};
use regex::bytes::{CaptureLocations, Regex};

use crate::matches::Cursor;
use crate::pattern::{Pattern, each_group, group};
use crate::replace::{Replacement, append_value};

/// The method, a function of `gsub.lua`, which is read when a pattern is first made in a state.
pub(crate) struct Gsub;

impl IntoLua for Gsub {
    fn into_lua(self, lua: &Lua) -> mlua::Result<Value> {
        let gsub = lua.create_fast_function(gsub)?;
        // Functions under this name have no part in the positions of errors.
        let chunk = lua.load(include_str!("gsub.lua")).set_name("=[cygnixy]");
        chunk.call(gsub)
    }
}

/// `gsub(text, replacement [, limit])`, as `gsub.lua` calls it: the text with its matches replaced, and how
/// many were; or the object that goes through the matches, nil, and whether there are several groups.
fn gsub(
    lua: &Lua,
    text: LuaString,
    replacement: Value,
    limit: Option<i64>,
    pattern: Value,
) -> mlua::Result<(Value, Option<i64>, bool)> {
    let userdata = pattern.as_userdata();
    let Some(pattern) = userdata.and_then(|pattern| pattern.borrow::<Pattern>().ok()) else {
        let found = pattern.type_name();
        return Err(mlua::Error::runtime(format!(
            "calling 'gsub' on bad self (Pattern expected, got {found})"
        )));
    };
    let regex = &pattern.regex;
    let replacement = Replacement::new(lua, replacement, regex)?;
    let mut replacing = Replacing::new(regex, replacement.needs_groups(regex), limit);
    let bytes = text.as_bytes();
    match &replacement {
        Replacement::Called => {
            let has_several_groups = regex.captures_len() > 2;
            let matches = lua.create_userdata(replacing)?;
            return Ok((Value::UserData(matches), None, has_several_groups));
        }
        Replacement::Template(template) => {
            while let Some(found) = replacing.find(&bytes) {
                let groups = replacing.groups.as_ref();
                template.append(&bytes, found, groups, &mut replacing.made);
            }
        }
        Replacement::Table(table) => {
            while let Some((start, end)) = replacing.find(&bytes) {
                let whole = &bytes[start..end];
                let key = match &replacing.groups {
                    Some(groups) => group(lua, &bytes, groups, 1)?,
                    None => Value::String(lua.create_string(whole)?),
                };
                append_value(lua, table, key, whole, &mut replacing.made)?;
            }
        }
    }
    let made = match replacing.finish(&bytes) {
        Some(made) => lua.create_string(made)?,
        None => text.clone(),
    };
    Ok((Value::String(made), Some(replacing.count), false))
}

/// A replacement under way.
struct Replacing {
    regex: Arc<Regex>,
    /// The groups of the match that was found last, if they are needed.
    groups: Option<CaptureLocations>,
    cursor: Cursor,
    /// The match that waits for what takes its place.
    waiting: Option<(usize, usize)>,
    made: Vec<u8>,
    /// How much of the text is done.
    done: usize,
    count: i64,
    limit: i64,
}

impl UserData for Replacing {
    fn add_fields<F: UserDataFields<Self>>(fields: &mut F) {
        fields.add_fast_method("next", next);
        fields.add_fast_method("next_groups", next_groups);
    }
}

/// Goes on to the next match; `new` takes the place of the one before, nothing leaves that as it is. Gives the
/// first group, or the match if there are none; at the end the new text, and how many there were.
fn next<'a>(this: &mut Replacing, text: &'a [u8], new: Option<&[u8]>) -> (Scalar<'a>, Option<i64>) {
    let Some((start, end)) = this.replace(text, new) else {
        return (this.result(text), Some(this.count));
    };
    let first = match &this.groups {
        Some(groups) => each_group(text, groups).next().unwrap_or_default(),
        None => text[start..end].into(),
    };
    (first, None)
}

/// As [`next`], but gives true and all groups, and at the end false and the results.
fn next_groups<'a>(
    this: &mut Replacing,
    text: &'a [u8],
    new: Option<&[u8]>,
) -> Variadic<Scalar<'a>> {
    let is_found = this.replace(text, new).is_some();
    let flag = iter::once(Scalar::Boolean(is_found));
    match &this.groups {
        Some(groups) if is_found => flag.chain(each_group(text, groups)).collect(),
        _ => flag
            .chain([this.result(text), Scalar::Integer(this.count)])
            .collect(),
    }
}

impl Replacing {
    fn new(regex: &Arc<Regex>, needs_groups: bool, limit: Option<i64>) -> Self {
        Self {
            regex: Arc::clone(regex),
            groups: needs_groups.then(|| regex.capture_locations()),
            cursor: Cursor::default(),
            waiting: None,
            made: Vec::new(),
            done: 0,
            count: 0,
            limit: limit.unwrap_or(i64::MAX),
        }
    }

    /// Finds the next match that is to be replaced, and takes over what is before it.
    fn find(&mut self, text: &[u8]) -> Option<(usize, usize)> {
        if self.count >= self.limit {
            return None;
        }
        let (start, end) = match &mut self.groups {
            Some(groups) => self.cursor.next_with_groups(&self.regex, text, groups),
            None => self.cursor.next(&self.regex, text),
        }?;
        self.made.extend_from_slice(&text[self.done..start]);
        self.done = end;
        self.count += 1;
        Some((start, end))
    }

    /// Puts something in the place of the match that waits, and finds the next one.
    fn replace(&mut self, text: &[u8], new: Option<&[u8]>) -> Option<(usize, usize)> {
        if let Some((start, end)) = self.waiting.take() {
            self.made
                .extend_from_slice(new.unwrap_or(&text[start..end]));
        }
        self.waiting = self.find(text);
        self.waiting
    }

    fn result<'a>(&mut self, text: &'a [u8]) -> Scalar<'a> {
        self.finish(text).map_or(text.into(), Scalar::from)
    }

    /// The new text; nothing if it is the old one.
    fn finish(&mut self, text: &[u8]) -> Option<Vec<u8>> {
        if self.count == 0 {
            return None;
        }
        self.made.extend_from_slice(&text[self.done..]);
        Some(mem::take(&mut self.made))
    }
}
