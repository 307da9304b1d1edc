//! JSON, with the crate `serde_json`.
//!
//! ```lua
//! local json = require "cygnixy".load "json"
//! local value = json.decode [[{ "name": "Zoë", "tags": [], "age": null }]]
//! print(value.name, value.age == json.null())
//! print(json.encode(value, { pretty = true, sorted = true }))
//! ```
//!
//! - `null` is a light userdata, `json.null()`, and so keeps its place in arrays and objects.
//! - Arrays and objects are tables. Arrays that were decoded have a metatable with `__jsontype = "array"`,
//!   so that they stay arrays when they are empty; `json.array` and `json.object` mark other tables.
//! - In Lua 5.3 and later `1` is an integer and `1.0` a float, both ways.
//!
//! The JSON itself is in [`decode`] and [`encode`], which are all serde. What is special is [`stack`]: Lua
//! tables are built and read by Lua's C API, as each of mlua's safe calls would cost more than the rest, and so
//! would the way into mlua for a small message.
#![deny(unsafe_code)]

use std::collections::HashMap;
use std::error::Error;
use std::ffi::c_int;

use plugin_api::fast::{StackArgument, StackResult};
use plugin_api::mlua::ffi::lua_State;
use plugin_api::mlua::{self, Function, Lua, Table, Value};
use plugin_api::{FunctionDoc, LuaExt, PluginLua, export_plugin};

mod decode;
mod encode;
mod stack;
mod tape;

/// The key in a metatable that says what a table is.
const MARK: &str = "__jsontype";

struct Json;

impl PluginLua for Json {
    fn name(&self) -> &str {
        "json"
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
            FunctionDoc::new("decode")
                .text("The value of a JSON text. An error tells line and column.")
                .parameters(["text"])
                .types(["string"], ["any"]),
            FunctionDoc::new("encode")
                .text(
                    "The JSON text of a value. An error tells where in the value it is.\n\
                     `pretty` is true or an indentation; `sorted` puts keys in order.",
                )
                .parameters(["value", "options"])
                .types(
                    ["any", "{ pretty: boolean|string|nil, sorted: boolean? }?"],
                    ["string"],
                ),
            FunctionDoc::new("null")
                .text("The value that stands for null.")
                .types([""; 0], ["lightuserdata"]),
            FunctionDoc::new("array")
                .text("Marks a table, or a new one, as an array, also if it is empty.")
                .parameters(["table"])
                .types(["table?"], ["table"]),
            FunctionDoc::new("object")
                .text("Marks a table, or a new one, as an object.")
                .parameters(["table"])
                .types(["table?"], ["table"]),
        ]
    }
}

fn functions(lua: &Lua) -> mlua::Result<HashMap<String, Function>> {
    let arrays = lua.create_table_from([(MARK, "array")])?;
    let objects = lua.create_table_from([(MARK, "object")])?;
    stack::prepare(lua, &arrays, MARK)?;

    let decode = lua.create_fast_function(decode)?;
    let encode = lua.create_fast_function(encode)?;
    let null = lua.create_fast_function(|| Value::NULL)?;
    let array = lua
        .create_fast_function(move |lua: &Lua, table: Option<Table>| marked(lua, table, &arrays))?;
    let object = lua.create_fast_function(move |lua: &Lua, table: Option<Table>| {
        marked(lua, table, &objects)
    })?;
    Ok(HashMap::from([
        ("decode".to_owned(), decode),
        ("encode".to_owned(), encode),
        ("null".to_owned(), null),
        ("array".to_owned(), array),
        ("object".to_owned(), object),
    ]))
}

fn decode(text: &[u8]) -> Result<StackResult<impl Fn(*mut lua_State) -> c_int>, String> {
    match decode::parse(text) {
        Ok(tape) => Ok(stack::build(tape)),
        Err(error) => Err(format!("cannot decode JSON: {error}")),
    }
}

fn encode(value: StackArgument<'_>, options: StackArgument<'_>) -> Result<Vec<u8>, String> {
    let style = stack::style(options)?;
    stack::write(value, &style).map_err(|reason| format!("cannot encode {reason}"))
}

/// Gives a table, or a new one, a metatable of ours, unless it has one that is something else.
fn marked(lua: &Lua, table: Option<Table>, metatable: &Table) -> mlua::Result<Table> {
    let table = match table {
        Some(table) => table,
        None => lua.create_table()?,
    };
    if let Some(other) = table.metatable()
        && other.raw_get::<Value>(MARK)?.is_nil()
    {
        return Err(mlua::Error::runtime("the table has another metatable"));
    }
    table.set_metatable(Some(metatable.clone()))?;
    Ok(table)
}

export_plugin!(Json);
