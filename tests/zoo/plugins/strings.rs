//! Strings: copied into Lua's memory, or, in Lua 5.5, left in the library's and freed by it.
#![forbid(unsafe_code)]

use cygnixy_test_zoo::{Functions, Parts, with_ping};
use plugin_interface::export_plugin;
use plugin_interface::mlua::{self, Lua};

/// - `big(n)` returns a string of `n` bytes;
/// - `external(n)`, in Lua 5.5 only, returns one that Lua gives back to the library to free.
fn functions(lua: &Lua) -> mlua::Result<Functions> {
    let big = lua.create_function(|lua, n: usize| lua.create_string(vec![b'b'; n]))?;
    #[cfg_attr(not(feature = "lua55"), expect(unused_mut, reason = "for 5.5"))]
    let mut functions = with_ping(lua, [("big", big)])?;
    #[cfg(feature = "lua55")]
    {
        let external = |lua: &Lua, n: usize| lua.create_external_string(vec![b'e'; n]);
        functions.insert("external".to_owned(), lua.create_function(external)?);
    }
    Ok(functions)
}

export_plugin!(Parts {
    name: || "strings",
    functions,
    ..Parts::default()
});
