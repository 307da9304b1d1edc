//! An embedded, durable key-value store, with the `redb` crate.
//!
//! ```lua
//! local store = require "cygnixy".load "store"
//! local db = store.open "app.redb"
//! db:set("user/ann", "1")
//! db:write(function(tx)                 -- all of it, or nothing
//!   tx:set("user/bob", "2")
//!   tx:delete "user/ann"
//! end)
//! for key, value in db:prefix "user/" do print(key, value) end
//! db:close()
//! ```
//!
//! Keys and values are strings of any bytes; keys are in the order of their bytes.
//!
//! # What is durable
//!
//! When `set`, `delete`, `commit` or `write` has returned, the change is on the disk (`fdatasync`), and it
//! is there after a crash of the process or of the system, as far as the disk keeps what it acknowledges. A
//! change that has not returned, or has raised an error, is there as a whole or not at all. A new file
//! appears when it is complete; a crash before can leave a file `.store-….new` beside it. A file that was
//! not closed is checked as a whole when it is opened next, which takes a time in proportion to its size.
//!
//! # Handles and reloads
//!
//! A handle is a table whose methods are the functions of the plugin's table (`handle.lua`), and its state
//! is here, under a number. [`save_state`](PluginLua::save_state) closes the files, as only one version can
//! have a file open, and gives their numbers and paths; [`restore_state`](PluginLua::restore_state) of the
//! new version opens them. If the reload is given up after that, the old version opens them again when they
//! are next used. Between closing and opening, another process may open a file: then the reload is given up,
//! and the handle raises an error until the other has closed it. A reload is refused while a transaction is
//! open. Loops over keys are not in its way, as each step looks for the next key anew.
#![forbid(unsafe_code)]
#![allow(
    clippy::result_large_err,
    reason = "the library's errors are that large"
)]

use std::collections::HashMap;
use std::error::Error;
use std::ops::Bound;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use plugin_api::mlua::{self, FromLua as _, Function, Lua, Table, Value};
use plugin_api::tracing::debug;
use plugin_api::{FunctionDoc, LuaExt as _, PluginLua, export_plugin};

mod database;
mod docs;
mod error;
mod file;
mod path;
mod stores;

use error::StoreError;
use stores::{Handle, Stores};

#[derive(Default)]
struct Store(Arc<Mutex<Stores>>);

impl PluginLua for Store {
    fn name(&self) -> &str {
        "store"
    }

    fn on_load(&mut self) -> Result<(), Box<dyn Error>> {
        Ok(())
    }

    fn on_unload(&mut self) -> Result<(), Box<dyn Error>> {
        lock(&self.0).clear();
        Ok(())
    }

    #[allow(clippy::panic)]
    fn get_lua_functions(&self, lua: &Lua) -> HashMap<String, Function> {
        // A panic here makes the load fail, and its message is the reason that Lua sees.
        functions(lua, &self.0).unwrap_or_else(|error| panic!("cannot make the functions: {error}"))
    }

    fn docs(&self) -> Vec<FunctionDoc> {
        docs::docs()
    }

    fn save_state(&mut self) -> Result<Option<Vec<u8>>, Box<dyn Error>> {
        Ok(Some(lock(&self.0).hand_over()?))
    }

    fn restore_state(&mut self, state: &[u8]) -> Result<(), Box<dyn Error>> {
        *lock(&self.0) = Stores::take(state)?;
        Ok(())
    }
}

/// The lock is never held while Lua runs, as a finaliser may close a handle at any time.
fn lock(stores: &Mutex<Stores>) -> MutexGuard<'_, Stores> {
    stores.lock().unwrap_or_else(PoisonError::into_inner)
}

fn functions(lua: &Lua, stores: &Arc<Mutex<Stores>>) -> mlua::Result<HashMap<String, Function>> {
    let handles: Table = lua
        .load(include_str!("handle.lua"))
        .set_name("=store")
        .eval()?;
    let mut functions = HashMap::new();
    let mut add = |name: &str, function| functions.insert(name.to_owned(), function);

    let (shared, new): (_, Function) = (Arc::clone(stores), handles.get("new")?);
    add(
        "open",
        lua.create_fast_function(move |lua: &Lua, path: &[u8]| {
            let plugin = lua.plugin_table("store")?;
            let opened = lock(&shared).open(&path::of(path)?);
            let (handle, path) = opened.map_err(mlua::Error::external)?;
            debug!(path = %path.display(), "opened");
            let path = lua.create_string(path::bytes(&path))?;
            new.call::<Table>((plugin, handle.store, handle.transaction, path))
        })?,
    );
    let (shared, new): (_, Function) = (Arc::clone(stores), handles.get("new")?);
    add(
        "begin",
        lua.create_function(move |lua, store: Value| {
            let plugin = lua.plugin_table("store")?;
            let of = lua.unpack(store.clone())?;
            let begun = lock(&shared).begin(of);
            let (handle, path) = begun.map_err(mlua::Error::external)?;
            let path = lua.create_string(path::bytes(&path))?;
            new.call::<Table>((plugin, handle.store, handle.transaction, path, store))
        })?,
    );

    let shared = Arc::clone(stores);
    add(
        "close",
        ending(lua, move |handle| {
            lock(&shared).close(handle);
            Ok(())
        })?,
    );
    let shared = Arc::clone(stores);
    add(
        "get",
        lua.create_fast_function(move |handle: Handle, key: &[u8]| {
            lock(&shared).of(handle)?.get(handle.transaction, key)
        })?,
    );
    let shared = Arc::clone(stores);
    add(
        "set",
        lua.create_fast_function(move |handle: Handle, key: &[u8], value: &[u8]| {
            lock(&shared)
                .of(handle)?
                .set(handle.transaction, key, value)
        })?,
    );
    let shared = Arc::clone(stores);
    add(
        "delete",
        lua.create_fast_function(move |handle: Handle, key: &[u8]| {
            lock(&shared).of(handle)?.delete(handle.transaction, key)
        })?,
    );
    let shared = Arc::clone(stores);
    add(
        "count",
        lua.create_fast_function(move |handle: Handle| {
            lock(&shared).of(handle)?.count(handle.transaction)
        })?,
    );
    let shared = Arc::clone(stores);
    add(
        "seek",
        lua.create_fast_function(
            move |handle: Handle, from: Option<&[u8]>, to: Option<&[u8]>| {
                let from = from.map_or(Bound::Unbounded, Bound::Included);
                lock(&shared)
                    .of(handle)?
                    .first(handle.transaction, from, to)
            },
        )?,
    );
    let shared = Arc::clone(stores);
    add(
        "next",
        lua.create_fast_function(move |handle: Handle, key: &[u8], to: Option<&[u8]>| {
            let from = Bound::Excluded(key);
            lock(&shared)
                .of(handle)?
                .first(handle.transaction, from, to)
        })?,
    );
    let shared = Arc::clone(stores);
    add(
        "commit",
        ending(lua, move |handle| {
            lock(&shared).of(handle)?.commit(handle.in_transaction()?)
        })?,
    );
    let shared = Arc::clone(stores);
    add(
        "rollback",
        ending(lua, move |handle| {
            let transaction = handle.in_transaction()?;
            lock(&shared).of(handle)?.roll_back(transaction);
            Ok(())
        })?,
    );
    for name in ["write", "range", "prefix"] {
        add(name, handles.get(name)?);
    }
    Ok(functions)
}

/// Makes a function that ends a transaction, which is noted in its handle for `write`.
fn ending(
    lua: &Lua,
    end: impl Fn(Handle) -> Result<(), StoreError> + 'static,
) -> mlua::Result<Function> {
    lua.create_fast_function(move |lua: &Lua, value: Value| {
        let handle = Handle::from_lua(value.clone(), lua)?;
        end(handle).map_err(mlua::Error::external)?;
        match value {
            Value::Table(table) if handle.transaction.is_some() => note_end(&table),
            _ => Ok(()),
        }
    })
}

/// Writes it into the handle, where a finaliser has not done so: on Lua 5.1, what mlua protects, as the writing to
/// a table, must not be done in finalisers, which may interrupt it where it is not prepared.
fn note_end(handle: &Table) -> mlua::Result<()> {
    match handle.raw_get(HAS_ENDED)? {
        Value::Nil => handle.raw_set(HAS_ENDED, true),
        _ => Ok(()),
    }
}

/// Where a handle says that its transaction was ended by hand.
const HAS_ENDED: i64 = 3;

export_plugin!(Store::default());
