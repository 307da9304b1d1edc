//! Functions that cost what a hand-written C function costs.
//!
//! [`LuaExt::create_fast_function`] makes an ordinary [`mlua::Function`] of a Rust function or closure.
//! Where the types allow it, Lua calls a C function that was compiled for this one Rust function: it
//! reads the arguments straight from the Lua stack, strings without a copy, and no part of mlua runs.
//!
//! ```
//! use plugin_api::LuaExt;
//! use plugin_api::mlua::{Function, Lua};
//! use std::collections::HashMap;
//!
//! fn functions(lua: &Lua) -> plugin_api::mlua::Result<HashMap<String, Function>> {
//!     Ok(HashMap::from([
//!         ("add".into(), lua.create_fast_function(|a: f64, b: f64| a + b)?),
//!         ("count".into(), lua.create_fast_function(|text: &str| text.chars().count())?),
//!         ("parse".into(), lua.create_fast_function(|text: &str| text.parse::<f64>())?),
//!     ]))
//! }
//! ```
//!
//! # Arguments
//!
//! | type | from Lua |
//! | --- | --- |
//! | `i8` … `u64`, `isize`, `usize` | an integer, or a number or string that stands for one |
//! | `f32`, `f64` | a number, or a string that reads as one |
//! | `bool` | any value: false and nil are false |
//! | `&str`, `String` | a string of valid UTF-8, or a number |
//! | `&[u8]`, `Vec<u8>` | any string, or a number |
//! | `Option<T>` of these | nil or nothing is `None` |
//! | `&T`, `&mut T` for a `T: UserData` | a userdata of that type, borrowed for the call |
//! | [`Variadic<T>`](mlua::Variadic), last | all arguments that are left |
//! | [`StackArgument`] | any value, which the function reads itself by Lua's C API |
//! | [`&Lua`](mlua::Lua) | nothing: it is the state |
//! | any other [`FromLua`](mlua::FromLua) type | by way of mlua |
//!
//! # Results
//!
//! The same numbers, booleans and strings, borrowed ones too; `()`, tuples of up to eight, `Option`,
//! `Result` with any error that can be displayed, any other [`IntoLua`](mlua::IntoLua) type,
//! [`Variadic`](mlua::Variadic) and [`MultiValue`](mlua::MultiValue). A string that is put together of
//! pieces can be given as [`Concat`], which needs no `String`; a value whose type depends on the data as
//! [`Scalar`]; what the function pushes itself by Lua's C API, tables say, as [`StackResult`].
//!
//! A function with an argument or result that only mlua can convert costs what mlua's callbacks cost.
//!
//! # Methods
//!
//! [`FastMethods::add_fast_method`] gives a userdata type methods that are fast functions.
//!
//! # Errors
//!
//! An argument that does not fit raises what Lua's own library would say: `bad argument #2 to 'add'
//! (number expected, got string)`. An error of the function, and a panic, is raised as a string with
//! the position of the caller. Whatever Lua does, all that the function owns is dropped.

use mlua::{Error, Function, Lua, MaybeSend, Result, Table};

use crate::instance::TABLES;

mod argument;
mod blocks;
mod by_hand;
mod by_mlua;
mod call;
mod concat;
mod data;
mod function;
mod jit;
mod made;
mod methods;
mod names;
mod outcome;
mod primitive;
mod raw;
mod room;
mod same;
mod scalar;
mod signature;
mod simple;
mod userdata;

pub use argument::Argument;
pub use by_hand::{StackArgument, StackResult};
pub use concat::Concat;
pub use function::FastFunction;
pub use jit::{FfiArgument, FfiFunction, FfiOutcome};
pub use methods::FastMethods;
pub use outcome::Outcome;
pub use scalar::Scalar;
pub use signature::{Signature, Type};

pub(crate) use blocks::is_called_directly;
pub(crate) use data::{find, note_revoked};
pub(crate) use made::{Signatures, collect, recollect};

/// What [`Lua`] can do for plugins besides what mlua offers.
pub trait LuaExt {
    /// Makes a Lua function of a Rust function or closure, at the cost of a C function.
    ///
    /// It is revoked and reloaded like any other function of a plugin. See the
    /// [module](crate::fast) for the types.
    ///
    /// # Errors
    ///
    /// If Lua runs out of memory.
    ///
    /// ```
    /// # // A program that brings its own Lua takes plugins too: this runs as it stands.
    /// use plugin_api::LuaExt;
    /// use plugin_api::mlua::Lua;
    ///
    /// # fn main() -> plugin_api::mlua::Result<()> {
    /// let lua = Lua::new();
    /// let divide = lua.create_fast_function(|a: i64, b: i64| a.checked_div(b).ok_or("no result"))?;
    /// assert_eq!(divide.call::<i64>((7, 2))?, 3);
    /// assert!(divide.call::<i64>((7, 0)).is_err());
    /// # Ok(())
    /// # }
    /// ```
    fn create_fast_function<F, M>(&self, function: F) -> Result<Function>
    where
        F: FastFunction<M> + MaybeSend;

    /// As [`create_fast_function`](Self::create_fast_function), for a function that LuaJIT's compiled
    /// code may also call directly.
    ///
    /// Scripts get the direct call by `cygnixy.ffi(name)`. With other Luas the function is a fast
    /// function like others.
    ///
    /// # Errors
    ///
    /// If Lua runs out of memory.
    ///
    /// # Safety
    ///
    /// - The function does not use a Lua state: neither by a handle that it captured (a function, a
    ///   table, a [`Lua`]), nor by one that it finds elsewhere, say in a thread-local. LuaJIT's
    ///   compiled code does not expect its state to change in such a call.
    ///
    /// ```
    /// # use plugin_api::LuaExt;
    /// # use plugin_api::mlua::Lua;
    /// # fn main() -> plugin_api::mlua::Result<()> {
    /// # let lua = Lua::new();
    /// // SAFETY: the closure captures nothing and uses no Lua state.
    /// let add = unsafe { lua.create_ffi_function(|a: f64, b: f64| a + b) }?;
    /// assert_eq!(add.call::<f64>((1, 2))?, 3.0);
    /// # Ok(())
    /// # }
    /// ```
    unsafe fn create_ffi_function<F, M>(&self, function: F) -> Result<Function>
    where
        F: FfiFunction<M> + MaybeSend;

    /// The table of a loaded plugin's functions, which scripts have and which stays the same when the
    /// plugin is reloaded.
    ///
    /// With it as the `__index` of their metatables, tables that a plugin gives to scripts have methods
    /// that are always those of the newest version, and keep no library mapped. It is there when functions
    /// of the plugin run, and not yet in [`get_lua_functions`](crate::PluginLua::get_lua_functions). If
    /// several managers of a Rust program have a plugin of that name in one state, it is the table of the
    /// last.
    ///
    /// # Errors
    ///
    /// If no plugin of that name is loaded in this state, or Lua runs out of memory.
    fn plugin_table(&self, plugin: &str) -> Result<Table>;
}

impl LuaExt for Lua {
    fn create_fast_function<F, M>(&self, function: F) -> Result<Function>
    where
        F: FastFunction<M> + MaybeSend,
    {
        let made = if F::is_direct() {
            data::create(self, function, None)
        } else {
            by_mlua::create(self, function)
        }?;
        made::note(self, &made, F::signature());
        Ok(made)
    }

    unsafe fn create_ffi_function<F, M>(&self, function: F) -> Result<Function>
    where
        F: FfiFunction<M> + MaybeSend,
    {
        if !F::is_direct() {
            return self.create_fast_function(function);
        }
        let block = jit::IS_POSSIBLE.then(jit::Block::new::<F, M>);
        let made = data::create(self, function, block)?;
        made::note(self, &made, F::signature());
        Ok(made)
    }

    fn plugin_table(&self, plugin: &str) -> Result<Table> {
        let tables: Option<Table> = self.named_registry_value(TABLES)?;
        let table = match tables {
            Some(tables) => tables.raw_get(plugin)?,
            None => None,
        };
        table.ok_or_else(|| Error::runtime(format!("plugin '{plugin}' is not loaded")))
    }
}
