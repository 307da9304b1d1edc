//! Linear-time regular expressions over log files, with the `regex` crate.
//!
//! Lua's patterns have no alternation and no repetition of groups, and a backtracking engine can
//! take forever on a hostile line. This plugin reads a file line by line and matches each line in
//! time that is linear in its length, whatever the pattern.
//!
//! ```lua
//! local logscan = require "cygnixy".load "logscan"
//! local counts, lines = logscan.tally("access.log", [[" (\d\d\d) ]])
//! logscan.scan("access.log", [[^(?<ip>\S+) .*(?:union\s+select|\.\./)]], function(m)
//!   print(m.line, m.ip)
//! end)
//! ```
#![forbid(unsafe_code)]

use std::collections::HashMap;
use std::error::Error;

use plugin_api::mlua::{self, Function, Lua, LuaString, Table, Value};
use plugin_api::{FunctionDoc, PluginLua, export_plugin};

mod lines;

use lines::MatchingLines;

struct LogScan;

impl PluginLua for LogScan {
    fn name(&self) -> &str {
        "logscan"
    }

    fn on_load(&mut self) -> Result<(), Box<dyn Error>> {
        Ok(())
    }

    fn on_unload(&mut self) -> Result<(), Box<dyn Error>> {
        Ok(())
    }

    #[allow(clippy::panic)]
    fn get_lua_functions(&self, lua: &Lua) -> HashMap<String, Function> {
        // A panic here makes the load fail, and its message is the reason that Lua sees.
        functions(lua).unwrap_or_else(|error| panic!("cannot make the functions: {error}"))
    }

    fn docs(&self) -> Vec<FunctionDoc> {
        vec![
            FunctionDoc::new("tally")
                .text(
                    "How often each text was matched by the first group of the pattern, or by the whole\n\
                     pattern if it has no group; and the number of lines read.",
                )
                .parameters(["path", "pattern"])
                .types(["string", "string"], ["table<string, integer>", "integer"]),
            FunctionDoc::new("scan")
                .text(
                    "Calls a function with each match: the groups by number and name, the whole match as\n\
                     `[0]`, and the line's number as `line`. Stops when it returns false. Returns the number\n\
                     of lines read.",
                )
                .parameters(["path", "pattern", "callback"])
                .types(["string", "string", "fun(match: table): boolean|nil"], ["integer"]),
        ]
    }
}

fn functions(lua: &Lua) -> mlua::Result<HashMap<String, Function>> {
    Ok(HashMap::from([
        ("tally".to_owned(), lua.create_function(tally)?),
        ("scan".to_owned(), lua.create_function(scan)?),
    ]))
}

/// `tally(path, pattern)`: how often each text was matched by the first group of the pattern, or
/// by the whole pattern if it has no group; and the number of lines read.
fn tally(lua: &Lua, (path, pattern): (String, String)) -> mlua::Result<(Table, u64)> {
    let mut counts: HashMap<Vec<u8>, u64> = HashMap::new();
    let mut lines = MatchingLines::open(&path, &pattern).map_err(mlua::Error::external)?;
    while let Some(found) = lines.next_match().map_err(mlua::Error::external)? {
        let part = found.captures.get(1).or_else(|| found.captures.get(0));
        let text = part.map_or(&b""[..], |part| part.as_bytes());
        match counts.get_mut(text) {
            Some(count) => *count += 1,
            None => drop(counts.insert(text.to_owned(), 1)),
        }
    }
    let table = lua.create_table_with_capacity(0, counts.len())?;
    for (text, count) in counts {
        table.raw_set(lua.create_string(text)?, count)?;
    }
    Ok((table, lines.lines_read()))
}

/// `scan(path, pattern, callback)`: calls `callback` with each match, a table of the groups by
/// number and name, the whole match as `[0]`, and the line number as `line`. Stops when the
/// callback returns `false`. Returns the number of lines read.
fn scan(lua: &Lua, (path, pattern, callback): (String, String, Function)) -> mlua::Result<u64> {
    let mut lines = MatchingLines::open(&path, &pattern).map_err(mlua::Error::external)?;
    let names: Vec<Option<LuaString>> = lines
        .group_names()
        .map(|name| name.map(|name| lua.create_string(name)).transpose())
        .collect::<mlua::Result<_>>()?;
    while let Some(found) = lines.next_match().map_err(mlua::Error::external)? {
        let table = lua.create_table_with_capacity(names.len(), names.len())?;
        table.raw_set("line", found.line)?;
        for (index, name) in names.iter().enumerate() {
            let Some(group) = found.captures.get(index) else {
                continue;
            };
            let text = lua.create_string(group.as_bytes())?;
            if let Some(name) = name {
                table.raw_set(name, &text)?;
            }
            table.raw_set(index, text)?;
        }
        if callback.call::<Value>(table)? == Value::Boolean(false) {
            break;
        }
    }
    Ok(lines.lines_read())
}

export_plugin!(LogScan);
