//! Words with numbers in a static: slices of text that lies on the heap before and behind all else.
#![forbid(unsafe_code)]

use std::sync::{Mutex, PoisonError};

use cygnixy_test_zoo::{Functions, Parts, with_ping};
use plugin_interface::export_plugin;
use plugin_interface::mlua::{self, Lua};

/// How often a word was counted, and the word.
static WORDS: Mutex<[(usize, &str); 512]> = Mutex::new([(0, ""); 512]);

/// `learn()` fills the table; returns how many words are in it.
fn functions(lua: &Lua) -> mlua::Result<Functions> {
    let learn = lua.create_function(|_, ()| {
        let mut words = WORDS.lock().unwrap_or_else(PoisonError::into_inner);
        for (index, word) in words.iter_mut().enumerate() {
            let text: &'static str = "word ".repeat(3 + index / 4).leak();
            // Not all of it: the slice begins within what was allocated.
            *word = (1000, &text[8..]);
        }
        Ok(words.iter().filter(|(_, word)| !word.is_empty()).count())
    })?;
    with_ping(lua, [("learn", learn)])
}

export_plugin!(Parts {
    name: || "words",
    functions,
    ..Parts::default()
});
