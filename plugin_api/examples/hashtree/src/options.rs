//! How a tree is hashed.

use std::num::NonZero;

use plugin_api::mlua::{self, Table, Value};

/// What a script can choose.
pub(crate) struct Options {
    /// How many threads hash; one more walks. As many as there are processors by default.
    pub(crate) threads: usize,
    /// How many results wait at most to be taken, before the threads wait. 1000 by default.
    pub(crate) queue: usize,
    /// Whether files and folders count whose names begin with a dot. They do by default.
    pub(crate) hidden: bool,
    /// Whether what `.gitignore` and `.ignore` name is left out. It is not by default.
    pub(crate) ignore: bool,
    /// Whether symbolic links are followed. They are left out by default.
    pub(crate) follow: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            threads: std::thread::available_parallelism().map_or(1, NonZero::get),
            queue: 1000,
            hidden: true,
            ignore: false,
            follow: false,
        }
    }
}

impl Options {
    /// Reads them from a table, in which nothing else may be.
    pub(crate) fn read(table: Option<Table>) -> mlua::Result<Self> {
        let mut options = Self::default();
        let Some(table) = table else {
            return Ok(options);
        };
        for pair in table.pairs::<Value, Value>() {
            let (name, value) = pair?;
            let name = name.to_string()?;
            match name.as_str() {
                "threads" => options.threads = count(&name, &value, 256)?,
                "queue" => options.queue = count(&name, &value, 1 << 24)?,
                "hidden" => options.hidden = truth(&name, &value)?,
                "ignore" => options.ignore = truth(&name, &value)?,
                "follow" => options.follow = truth(&name, &value)?,
                _ => {
                    return Err(mlua::Error::runtime(format!(
                        "unknown option '{name}'; choose among: threads, queue, hidden, ignore, follow"
                    )));
                }
            }
        }
        Ok(options)
    }
}

fn count(name: &str, value: &Value, most: usize) -> mlua::Result<usize> {
    let number = value
        .as_usize()
        .filter(|number| (1..=most).contains(number));
    number.ok_or_else(|| {
        let found = value.to_string().unwrap_or_default();
        mlua::Error::runtime(format!(
            "option '{name}': expected an integer from 1 to {most}, got {found}"
        ))
    })
}

fn truth(name: &str, value: &Value) -> mlua::Result<bool> {
    value.as_boolean().ok_or_else(|| {
        mlua::Error::runtime(format!(
            "option '{name}': expected a boolean, got {}",
            value.type_name()
        ))
    })
}
