//! The arguments of the module's functions, with errors that read like those of Lua's own.

use std::sync::Arc;
use std::time::Duration;

use plugin_api::mlua::{self, Error, Function, Lua, Value};

use crate::loaded::{Entry, LoadedPlugins};
use crate::lua_state::StateId;
use crate::sha256::Sha256;

/// The name of a loaded plugin that is given by name, or by the table that `load` returned.
pub(super) fn plugin_argument(
    lua: &Lua,
    plugins: &LoadedPlugins,
    which: Option<&Value>,
    function: &str,
) -> mlua::Result<String> {
    match which {
        Some(Value::String(name)) => Ok(String::from_utf8_lossy(&name.as_bytes()).into_owned()),
        Some(Value::Table(table)) => {
            let state = StateId::of(lua);
            let is_it = |entry: &Arc<Entry>| entry.table(state).is_some_and(|t| t == *table);
            match plugins.entries().into_iter().find(is_it) {
                Some(entry) => Ok(entry.name().to_owned()),
                None => Err(bad_argument(
                    function,
                    "this table is not that of a loaded plugin",
                )),
            }
        }
        other => Err(expected(1, function, "plugin table or name", other)),
    }
}

/// The field `collect` of a table of options, true if it is not given.
pub(super) fn collect_option(options: Option<&Value>, function: &str) -> mlua::Result<bool> {
    match option(options, "collect", function)? {
        Value::Nil => Ok(true),
        Value::Boolean(collect) => Ok(collect),
        other => Err(bad_option("collect", "boolean", &other, function)),
    }
}

/// The field `quiet` of a table of options, in seconds; a tenth of one if it is not given.
pub(super) fn quiet_option(options: Option<&Value>, function: &str) -> mlua::Result<Duration> {
    const DEFAULT: Duration = Duration::from_millis(100);
    let value = option(options, "quiet", function)?;
    #[expect(clippy::cast_precision_loss, reason = "nobody waits that long")]
    let seconds = match value {
        Value::Nil => return Ok(DEFAULT),
        Value::Number(seconds) => seconds,
        Value::Integer(seconds) => seconds as f64,
        other => return Err(bad_option("quiet", "number", &other, function)),
    };
    Duration::try_from_secs_f64(seconds).map_err(|_| {
        let problem = format!("field 'quiet': expected seconds, got {seconds}");
        bad_argument_at(2, function, &problem)
    })
}

/// The field `sha256` of a table of options.
pub(super) fn sha256_option(
    options: Option<&Value>,
    function: &str,
) -> mlua::Result<Option<Sha256>> {
    let text = match option(options, "sha256", function)? {
        Value::Nil => return Ok(None),
        Value::String(text) => text,
        other => return Err(bad_option("sha256", "string", &other, function)),
    };
    let hash = text.to_string_lossy().parse::<Sha256>();
    let wrong = |error| bad_argument_at(2, function, &format!("field 'sha256': {error}"));
    hash.map(Some).map_err(wrong)
}

/// The field `trusted` of a table of options, false if it is not given.
pub(super) fn trusted_option(options: Option<&Value>, function: &str) -> mlua::Result<bool> {
    match option(options, "trusted", function)? {
        Value::Nil => Ok(false),
        Value::Boolean(trusted) => Ok(trusted),
        other => Err(bad_option("trusted", "boolean", &other, function)),
    }
}

/// Checks that a table of options has no others: one that is misspelt would not be missed.
pub(super) fn check_options(
    options: Option<&Value>,
    known: &[&str],
    function: &str,
) -> mlua::Result<()> {
    let Some(Value::Table(options)) = options else {
        return Ok(());
    };
    for pair in options.pairs::<Value, Value>() {
        let name = match pair?.0 {
            Value::String(name) => name.to_string_lossy(),
            other => format!("a {}", type_name(&other)),
        };
        if !known.contains(&name.as_str()) {
            let known = known.join("' or '");
            let problem = format!("unknown field '{name}', expected '{known}'");
            return Err(bad_argument_at(2, function, &problem));
        }
    }
    Ok(())
}

/// A field of the table of options, which may not be given.
fn option(options: Option<&Value>, name: &str, function: &str) -> mlua::Result<Value> {
    match options {
        None | Some(Value::Nil) => Ok(Value::Nil),
        Some(Value::Table(options)) => options.raw_get(name),
        Some(other) => {
            let problem = format!("table expected, got {}", type_name(other));
            Err(bad_argument_at(2, function, &problem))
        }
    }
}

fn bad_option(name: &str, expected: &str, found: &Value, function: &str) -> Error {
    let found = type_name(found);
    bad_argument_at(
        2,
        function,
        &format!("field '{name}': {expected} expected, got {found}"),
    )
}

/// The bytes of a string argument. A number is not taken for a string.
pub(super) fn text_argument(value: Option<&Value>, function: &str) -> mlua::Result<Vec<u8>> {
    text_argument_at(1, value, function)
}

/// The same for an argument that is not the first.
pub(super) fn text_argument_at(
    position: usize,
    value: Option<&Value>,
    function: &str,
) -> mlua::Result<Vec<u8>> {
    match value {
        Some(Value::String(text)) => Ok(text.as_bytes().to_vec()),
        other => Err(expected(position, function, "string", other)),
    }
}

/// A function, or nil.
pub(super) fn function_argument(
    value: Option<&Value>,
    function: &str,
) -> mlua::Result<Option<Function>> {
    match value {
        Some(Value::Function(given)) => Ok(Some(given.clone())),
        Some(Value::Nil) => Ok(None),
        other => Err(expected(1, function, "function or nil", other)),
    }
}

/// The text of a filter, which may not be given.
pub(super) fn filter_argument(
    value: Option<&Value>,
    function: &str,
) -> mlua::Result<Option<String>> {
    match value {
        None | Some(Value::Nil) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.to_string_lossy())),
        Some(other) => {
            let problem = format!("string expected, got {}", type_name(other));
            Err(bad_argument_at(2, function, &problem))
        }
    }
}

/// The bytes of a string argument that may be left out.
pub(super) fn optional_text_argument(
    value: Option<&Value>,
    position: usize,
    function: &str,
) -> mlua::Result<Option<Vec<u8>>> {
    match value {
        None | Some(Value::Nil) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.as_bytes().to_vec())),
        Some(other) => {
            let problem = format!("string expected, got {}", type_name(other));
            Err(bad_argument_at(position, function, &problem))
        }
    }
}

fn expected(position: usize, function: &str, expected: &str, found: Option<&Value>) -> Error {
    let found = found.map_or("no value", type_name);
    let problem = format!("{expected} expected, got {found}");
    bad_argument_at(position, function, &problem)
}

fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Integer(_) => "number",
        value => value.type_name(),
    }
}

/// An error that reads like those of Lua's own functions.
pub(super) fn bad_argument(function: &str, problem: &str) -> Error {
    bad_argument_at(1, function, problem)
}

pub(super) fn bad_argument_at(position: usize, function: &str, problem: &str) -> Error {
    Error::runtime(format!(
        "bad argument #{position} to '{function}' ({problem})"
    ))
}
