//! A plugin that tests look through: it counts, fails and panics on request, and writes what
//! becomes of it to a file.
//!
//! What it counts is kept per object, so two Lua states that see each other's numbers share an
//! object, which they must not.
#![forbid(unsafe_code)]

use std::collections::HashMap;
use std::error::Error;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use plugin_api::mlua::{self, Function, Lua, MultiValue, Table, UserData, Value, Variadic};
use plugin_api::{PluginLua, export_plugin};

/// Objects made in this process, for the whole library.
static OBJECTS: AtomicU32 = AtomicU32::new(0);

/// What the functions share with the plugin object they belong to.
#[derive(Debug, Default)]
struct Shared {
    /// Calls of `count`.
    count: AtomicU32,
    /// Where the end of the plugin is written to, a line for each event.
    log: Mutex<Option<PathBuf>>,
}

impl Shared {
    /// Appends a line to the log, if there is one.
    fn note(&self, event: &str) {
        let log = self.log.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(path) = &*log else { return };
        let file = OpenOptions::new().append(true).create(true).open(path);
        if let Ok(mut file) = file {
            let _ = writeln!(file, "{event}");
        }
    }
}

/// The plugin object.
struct Probe(Arc<Shared>);

impl Probe {
    fn new() -> Self {
        OBJECTS.fetch_add(1, Ordering::Relaxed);
        // Its panics are on purpose and many; they need not be on standard error too.
        std::panic::set_hook(Box::new(|_| {}));
        Self(Arc::default())
    }
}

impl PluginLua for Probe {
    fn name(&self) -> &str {
        "probe"
    }

    fn on_load(&mut self) -> Result<(), Box<dyn Error>> {
        Ok(())
    }

    fn on_unload(&mut self) -> Result<(), Box<dyn Error>> {
        self.0.note("on_unload");
        Ok(())
    }

    fn get_lua_functions(&self, lua: &Lua) -> HashMap<String, Function> {
        functions(lua, &self.0).unwrap_or_default()
    }
}

impl Drop for Probe {
    fn drop(&mut self) {
        self.0.note("drop");
    }
}

/// An error with a cause, of a type that only Rust code of this plugin can tell.
#[derive(Debug)]
struct ProbeError(std::io::Error);

impl std::fmt::Display for ProbeError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the probe failed")
    }
}

impl Error for ProbeError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.0)
    }
}

fn probe_error() -> mlua::Error {
    mlua::Error::external(ProbeError(std::io::Error::other("no signal")))
}

/// An object for Lua code to hold.
struct Sample(i64);

impl UserData for Sample {
    fn add_methods<M: mlua::UserDataMethods<Self>>(methods: &mut M) {
        methods.add_method("value", |_, this, ()| Ok(this.0));
        methods.add_method("fail", |_, _, ()| Err::<(), _>(probe_error()));
    }
}

fn functions(lua: &Lua, shared: &Arc<Shared>) -> mlua::Result<HashMap<String, Function>> {
    let counter = Arc::clone(shared);
    let logger = Arc::clone(shared);
    let functions = [
        (
            "add",
            lua.create_function(|_, (a, b): (i64, i64)| Ok(a + b))?,
        ),
        (
            "echo",
            lua.create_function(|_, values: MultiValue| Ok(values))?,
        ),
        // How often this object's `count` was called.
        (
            "count",
            lua.create_function(
                move |_, ()| Ok(counter.count.fetch_add(1, Ordering::Relaxed) + 1),
            )?,
        ),
        (
            "objects",
            lua.create_function(|_, ()| Ok(OBJECTS.load(Ordering::Relaxed)))?,
        ),
        // From now on `on_unload` and the destructor write a line each to this file.
        (
            "log_to",
            lua.create_function(move |_, path: PathBuf| {
                *logger.log.lock().unwrap_or_else(PoisonError::into_inner) = Some(path);
                Ok(())
            })?,
        ),
        ("object", lua.create_function(|_, value| Ok(Sample(value)))?),
        (
            "fail",
            lua.create_function(|_, ()| Err::<(), _>(probe_error()))?,
        ),
        ("panic", lua.create_function(panic)?),
        (
            "call",
            lua.create_function(|_, (function, arguments): (Function, Variadic<Value>)| {
                function.call::<MultiValue>(arguments)
            })?,
        ),
        ("catch", lua.create_function(catch)?),
    ];
    Ok(functions
        .into_iter()
        .map(|(name, function)| (name.to_owned(), function))
        .collect())
}

/// `panic(message)`.
#[expect(clippy::panic, reason = "this is what it is for")]
fn panic(_: &Lua, message: Option<String>) -> mlua::Result<()> {
    panic!(
        "{}",
        message.unwrap_or_else(|| "the probe panicked".to_owned())
    )
}

/// `catch(f)` calls a function and tells how Rust sees its error: a table with `text`, and
/// `is_probe_error` if the error is still the structured one.
fn catch(lua: &Lua, function: Function) -> mlua::Result<Option<Table>> {
    let Err(error) = function.call::<()>(()) else {
        return Ok(None);
    };
    let table = lua.create_table()?;
    table.raw_set("text", error.to_string())?;
    table.raw_set(
        "is_probe_error",
        error.downcast_ref::<ProbeError>().is_some(),
    )?;
    Ok(Some(table))
}

export_plugin!(Probe::new());
