//! Loads Rust plugins into any Lua.
//!
//! The same code is two things:
//!
//! - **A Lua C module** (feature `module`): `require "cygnixy"` in a stock Lua or LuaJIT gives a
//!   table with `load`, `unload`, `reload`, `watch`, `poll`, `get`, `list` and more. The user's page for it is the
//!   README; the annotated interface is `lua/meta/cygnixy.lua`.
//! - **A Rust library** for programs that embed Lua: [`PluginManager`].
//!
//! A plugin is written with the package `cygnixy-plugin-api`, re-exported as [`plugin_api`].
//!
//! ```
//! use cygnixy::PluginManager;
//! use cygnixy::plugin_api::mlua::Lua;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../build/lua54/plugins/greet.so");
//! let lua = Lua::new();
//! let mut manager = PluginManager::new();
//! manager.load_plugin(path)?; // of "libgreet.so", say
//! manager.register_all_plugins(&lua)?;
//! assert_eq!(lua.load("greet.hello('world')").eval::<String>()?, "Hello, world!");
//! println!("{}", manager.unload_plugin("greet")?);
//! # Ok(())
//! # }
//! ```
//!
//! The examples of this documentation are tests. They load the example plugin `greet` where
//! `make build ABI=lua54` puts it.
//!
//! # Contents
//!
//! - [`PluginManager`] and [`PluginInfo`]: loading, registering, unloading, reloading.
//! - [`LoadOptions`]: what is asked of a file before it is loaded: its hash ([`Sha256`]), and that nobody
//!   else can change it ([`Trusted`]).
//! - [`seal_state`]: no further plugin in a Lua state.
//! - [`inspect`]: what a plugin file says of itself, without running it; [`check`]: whether it fits.
//! - [`UnloadReport`]: what became of an unloaded plugin's library, and why it stays if it does.
//! - [`Error`]: everything that can go wrong, by step.
//!
//! # Logs
//!
//! Every step is an event of [`tracing`], and what plugins log is made again here, so
//! that it reaches the program's own subscriber. This library installs none.

mod call_stack;
mod error;
mod finaliser;
mod foreign;
mod library;
mod load_options;
mod loaded;
mod lock;
mod lock_file;
mod logs;
mod lua_state;
mod manager;
mod paths;
mod plugin_file;
mod plugin_info;
mod report;
mod residence;
mod runtime;
mod seal;
mod sha256;
mod trust;

#[cfg(feature = "module")]
mod module;
#[cfg(any(feature = "module", test))]
mod search;

pub use error::{Error, Hook, LockFileError};
pub use load_options::LoadOptions;
pub use loaded::PollResult;
pub use manager::PluginManager;
pub use plugin_api;
pub use plugin_api::instance::Failure;
pub use plugin_api::manifest::Manifest;
pub use plugin_file::{check, inspect};
pub use plugin_info::PluginInfo;
pub use report::{Reason, ReasonKind, UnloadReport};
pub use seal::seal_state;
pub use sha256::{NoSha256, Sha256};
pub use trust::Trusted;

/// The version of this crate.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
