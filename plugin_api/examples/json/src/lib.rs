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
//! tables are built and read by Lua's C API, as each of mlua's safe calls would cost more than the rest.
#![deny(unsafe_code)]

use std::collections::HashMap;
use std::error::Error;

use plugin_api::mlua::{self, Function, Lua, LuaString, Table, Value};
use plugin_api::{FunctionDoc, LuaExt, PluginLua, export_plugin};

mod decode;
mod encode;
mod stack;
mod tape;

use encode::Style;

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
    let mark = lua.create_string(MARK)?;

    let decode = {
        let arrays = arrays.clone();
        lua.create_fast_function(move |lua: &Lua, text: &[u8]| decode(lua, text, &arrays))?
    };
    let encode =
        lua.create_fast_function(move |lua: &Lua, value: Value, style: Option<Table>| {
            encode(lua, &value, style, &mark)
        })?;
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

fn decode(lua: &Lua, text: &[u8], arrays: &Table) -> mlua::Result<Value> {
    let tape = decode::parse(text)
        .map_err(|error| mlua::Error::runtime(format!("cannot decode JSON: {error}")))?;
    stack::build(lua, &tape, arrays)
}

fn encode(
    lua: &Lua,
    value: &Value,
    options: Option<Table>,
    mark: &LuaString,
) -> mlua::Result<LuaString> {
    let style = match options {
        Some(options) => style(&options)?,
        None => Style::default(),
    };
    stack::write(lua, value, mark, &style)?
        .map_err(|reason| mlua::Error::runtime(format!("cannot encode {reason}")))
}

/// The options of `encode`. What is not known is an error, lest a misspelt one is overlooked.
fn style(options: &Table) -> mlua::Result<Style> {
    let mut style = Style::default();
    for pair in options.pairs::<String, Value>() {
        let (name, value) = pair?;
        match (name.as_str(), &value) {
            ("pretty", Value::Boolean(pretty)) => style.indent = pretty.then(|| "  ".to_owned()),
            ("pretty", Value::String(indent)) => style.indent = Some(indent.to_str()?.to_owned()),
            ("sorted", Value::Boolean(sorted)) => style.sorted = *sorted,
            ("pretty", _) => return Err(misfit("pretty", "a boolean or a string", &value)),
            ("sorted", _) => return Err(misfit("sorted", "a boolean", &value)),
            (other, _) => {
                return Err(mlua::Error::runtime(format!(
                    "unknown option '{other}'; there are 'pretty' and 'sorted'"
                )));
            }
        }
    }
    Ok(style)
}

fn misfit(option: &str, expected: &str, found: &Value) -> mlua::Error {
    let found = found.type_name();
    mlua::Error::runtime(format!(
        "option '{option}': {expected} expected, got {found}"
    ))
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
