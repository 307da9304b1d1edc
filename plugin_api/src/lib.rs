//! Everything a plugin author needs to write a Lua plugin in Rust.
//!
//! A plugin is a crate of type `cdylib` that implements [`PluginLua`] and says
//! [`export_plugin!`]. It needs this crate as its only dependency, with the feature of the Lua
//! ABI it is built for (`lua51`, `luajit`, `lua52`, `lua53`, `lua54` or `lua55`); [`mlua`] and
//! [`tracing`] are re-exported.
//!
//! ```
//! use plugin_api::mlua::{Function, Lua};
//! use plugin_api::{PluginLua, export_plugin};
//! use std::collections::HashMap;
//! use std::error::Error;
//!
//! struct Greet;
//!
//! impl PluginLua for Greet {
//!     fn name(&self) -> &str {
//!         "greet"
//!     }
//!
//!     fn on_load(&mut self) -> Result<(), Box<dyn Error>> {
//!         Ok(())
//!     }
//!
//!     fn on_unload(&mut self) -> Result<(), Box<dyn Error>> {
//!         Ok(())
//!     }
//!
//!     fn get_lua_functions(&self, lua: &Lua) -> HashMap<String, Function> {
//!         let hello = lua.create_function(|_, name: String| Ok(format!("Hello, {name}!")));
//!         HashMap::from([("hello".to_owned(), hello.unwrap())])
//!     }
//! }
//!
//! export_plugin!(Greet);
//! ```
//!
//! What a plugin logs, with [`tracing`] or the crate `log`, reaches the program that has loaded it.
//!
//! # Contents
//!
//! - [`PluginLua`]: the trait, and the life of a plugin step by step.
//! - [`export_plugin!`]: makes a crate a plugin.
//! - [`fast`]: functions at the cost of C functions, by [`LuaExt`].
//! - [`FunctionDoc`]: what the functions do and what their parameters are called, for help and editors.
//! - [`manifest`]: what a plugin file says of itself, readable without running it.
//! - [`abi`]: the C structures that cross between loader and plugin.
//! - [`instance`], [`coroutines`], [`errors`], [`late`], [`logs`], [`lua_api`], [`protected`], `image`, `process`: the
//!   two sides of the boundary. A plugin author does not call them; the loader (package `cygnixy`) does.

pub mod abi;
pub mod coroutines;
pub mod errors;
pub mod fast;
#[cfg(all(unix, not(target_vendor = "apple")))]
pub mod image;
pub mod instance;
pub mod late;
pub mod logs;
pub mod lua_abi;
pub mod lua_api;
pub mod manifest;
pub mod protected;

mod docs;
mod export;
mod panics;
mod plugin;
mod revoke;

#[cfg(bound_lua_api)]
#[doc(hidden)]
pub mod process;
#[cfg(bound_lua_api)]
mod residence;
#[cfg(not(bound_lua_api))]
#[path = "unwatched.rs"]
mod residence;
#[cfg(not(bound_lua_api))]
use residence as process;

pub use docs::FunctionDoc;
pub use fast::LuaExt;
pub use plugin::PluginLua;
pub use {mlua, tracing};

#[doc(hidden)]
pub use export::private as __private;
