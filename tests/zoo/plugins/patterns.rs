//! The crate `regex`: a static with memory that nobody frees, and caches for each thread.
#![forbid(unsafe_code)]

use std::sync::LazyLock;

use cygnixy_test_zoo::{Functions, Parts, with_ping};
use plugin_interface::export_plugin;
use plugin_interface::mlua::{self, Error, Lua};
use regex::Regex;

#[expect(clippy::expect_used, reason = "a constant")]
static WORD: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"^\w+$").expect("it is a pattern"));

/// - `matches(pattern, text)`: compiled for the call;
/// - `is_word(text)`: compiled once.
fn functions(lua: &Lua) -> mlua::Result<Functions> {
    let matches = lua.create_function(|_, (pattern, text): (String, String)| {
        let regex = Regex::new(&pattern).map_err(Error::external)?;
        Ok(regex.is_match(&text))
    })?;
    let is_word = lua.create_function(|_, text: String| Ok(WORD.is_match(&text)))?;
    with_ping(lua, [("matches", matches), ("is_word", is_word)])
}

export_plugin!(Parts {
    name: || "patterns",
    functions,
    ..Parts::default()
});
