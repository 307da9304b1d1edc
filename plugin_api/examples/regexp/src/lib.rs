//! Regular expressions, with the crate `regex`: a search takes time that is linear in the text's length,
//! whatever the pattern and the text.
//!
//! ```lua
//! local regexp = require "cygnixy".load "regexp"
//! local date = regexp.compile [[(?<year>\d{4})-(?<month>\d\d)]]
//! print(date:find "on 2026-11-23")                      --> 4  10  2026  11
//! print(date:captures("2026-11").month)                 --> 11
//! print(date:gsub("2026-11", "${month}/${year}"))       --> 11/2026  1
//! for year, month in date:gmatch "2025-01 2026-02" do print(year, month) end
//! ```
//!
//! Texts are bytes, as Lua's strings are, and positions count bytes from 1. So an empty match is also found
//! between the bytes of one character: `regexp.compile "":gsub("é", "-")` takes the two bytes of it apart. The
//! syntax is that of the crate: no look-around and no references back, which is what linear time costs.
//!
//! Going through all matches (`count`, `gmatch`, `gsub`, `split`) is one search for each, and takes linear time
//! as long as a search ends near its match. A pattern that looks to the end of the text before it settles for a
//! short match makes that quadratic: `.*[^A-Z]|[A-Z]` finds a thousand matches in a thousand capital letters,
//! and looks through all that is left for each of them. What is given as `limit` bounds the number of searches.
//!
//! The function that `gsub` calls may yield, and what it raises arrives as it is.
#![forbid(unsafe_code)]

use std::collections::HashMap;
use std::error::Error;

use plugin_api::mlua::{self, Function, Lua, Table};
use plugin_api::{FunctionDoc, LuaExt, PluginLua, export_plugin};

mod gsub;
mod matches;
mod pattern;
mod replace;

use pattern::Pattern;

struct Regexp;

impl PluginLua for Regexp {
    fn name(&self) -> &str {
        "regexp"
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
            FunctionDoc::new("compile")
                .text(
                    "Compiles a regular expression; an error shows where it is wrong.\n\
                     The object has these methods; positions and `init` count bytes from 1:\n\
                     is_match(text, init?): whether it occurs\n\
                     find(text, init?): where the first match begins and ends, and its groups; or nil\n\
                     match(text, init?): the groups of the first match, or all of it if there are none; or nil\n\
                     captures(text, init?): a table of the match at 0 and its groups by number and name; or nil\n\
                     count(text): how often it occurs\n\
                     gmatch(text): an iterator over what `match` gives\n\
                     gsub(text, replacement, limit?): the text with matches replaced by a text with $1, $name or \
                     ${name}, by a table's value or by a function's result; and how many were, none if the limit \
                     is below 1\n\
                     split(text, limit?): an array of the texts between the matches; of so many at most, the last of \
                     which is all that is left, and of none if the limit is below 1",
                )
                .parameters(["pattern", "options"])
                .types(
                    [
                        "string",
                        "{ ignore_case: boolean?, multi_line: boolean?, dot_all: boolean?, \
                         extended: boolean?, unicode: boolean?, size_limit: integer? }?",
                    ],
                    ["Pattern"],
                ),
            FunctionDoc::new("escape")
                .text("The pattern that matches a text itself.")
                .parameters(["text"]),
        ]
    }
}

fn functions(lua: &Lua) -> mlua::Result<HashMap<String, Function>> {
    let compile = lua.create_fast_function(|source: &str, options: Option<Table>| {
        Pattern::new(source, options)
    })?;
    let escape = lua.create_fast_function(|text: &str| regex::escape(text))?;
    Ok(HashMap::from([
        ("compile".to_owned(), compile),
        ("escape".to_owned(), escape),
    ]))
}

export_plugin!(Regexp);
