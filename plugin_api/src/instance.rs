//! A plugin object and the calls a loader makes on it, with errors and panics told apart.
//!
//! The functions in [`ffi`] are the same calls for the other side of the C boundary.

use std::collections::HashMap;
use std::{fmt, ptr};

use mlua::{Lua, Table};

use crate::abi::{FunctionInfo, FunctionSink, Str};
use crate::docs::Docs;
use crate::errors;
use crate::fast;
use crate::panics;
use crate::plugin::PluginLua;
use crate::protected::CollectorPause;
use crate::revoke::{self, Revocable};

pub mod ffi;

/// How a call into a plugin failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// It returned an error; the text is that of the whole chain of causes.
    Error(String),
    /// It panicked, with this message.
    Panic(String),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Error(text) => f.write_str(text),
            Self::Panic(text) => write!(f, "panic: {text}"),
        }
    }
}

impl std::error::Error for Failure {}

/// Where a state's registry has the tables of the loaded plugins, by name. The loader keeps it.
pub const TABLES: &str = "cygnixy.plugins";

/// What a function of an unloaded plugin says.
#[must_use]
pub fn unloaded(plugin: &str) -> String {
    format!("plugin '{plugin}' has been unloaded")
}

/// What is said of a function that a newer version of its plugin does not have.
#[must_use]
pub fn gone(plugin: &str, function: &str) -> String {
    format!("plugin '{plugin}' has no function '{function}' since it was reloaded")
}

/// A plugin object with the functions it made in Lua states.
pub struct Instance {
    plugin: Box<dyn PluginLua>,
    name: String,
    made: HashMap<usize, Made>,
}

/// What was made in a Lua state.
struct Made {
    functions: Revocable,
    docs: Docs,
}

impl Made {
    /// Each function, with all documentation.
    fn each(&self) -> impl Iterator<Item = (&revoke::Made, &Docs)> {
        let functions = self.functions.functions().iter();
        functions.map(|function| (function, &self.docs))
    }
}

// SAFETY: `PluginLua` requires `Send`. The other part is handles to Lua functions: they are used
// and dropped only by calls that take the Lua state they belong to, which its user serialises, or
// after the state was closed, when they no longer refer to anything.
unsafe impl Send for Instance {}

impl fmt::Debug for Instance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Instance")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

impl Instance {
    /// Makes a plugin object and asks it for its name.
    ///
    /// # Errors
    ///
    /// [`Failure::Panic`] if the constructor or `name` panics.
    pub fn new(construct: impl FnOnce() -> Box<dyn PluginLua>) -> Result<Self, Failure> {
        let plugin = panics::catch(construct).map_err(Failure::Panic)?;
        // The object is dropped outside of `catch`, lest its destructor panics while unwinding.
        match panics::catch(|| plugin.name().to_owned()) {
            Ok(name) => Ok(Self {
                plugin,
                name,
                made: HashMap::new(),
            }),
            Err(panic) => {
                let _ = panics::catch(|| drop(plugin));
                Err(Failure::Panic(panic))
            }
        }
    }

    /// The name the plugin gave.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Runs [`PluginLua::on_load`].
    ///
    /// # Errors
    ///
    /// [`Failure`] if the hook returns an error or panics.
    pub fn on_load(&mut self) -> Result<(), Failure> {
        run_hook(|| self.plugin.on_load())
    }

    /// Runs [`PluginLua::get_lua_functions`] and makes a table of them, each revocable; asks for
    /// [`PluginLua::docs`].
    ///
    /// # Errors
    ///
    /// [`Failure`] if a hook panics or Lua runs out of memory.
    pub fn functions(&mut self, lua: &Lua) -> Result<Table, Failure> {
        let functions = panics::catch(|| {
            fast::collect(lua);
            (self.plugin.get_lua_functions(lua), self.plugin.docs())
        });
        let (functions, docs) = functions.map_err(Failure::Panic)?;
        let made = panics::catch(|| {
            let _pause = pause(lua);
            Revocable::new(lua, &self.name, functions, &fast::recollect(lua))
        });
        let (table, revocable) = made.map_err(Failure::Panic)?.map_err(lua_failure)?;
        let docs = Docs::new(docs);
        let functions = revocable;
        self.made.insert(identity(lua), Made { functions, docs });
        Ok(table)
    }

    /// Tells what is known of the functions made in the given state: name, types, and what is needed
    /// to call them through LuaJIT's FFI.
    ///
    /// # Safety
    ///
    /// - `sink` is usable. What it is given is valid for the call, the block for as long as the
    ///   function is alive and not revoked.
    pub unsafe fn describe(&self, lua: &Lua, sink: FunctionSink) {
        let made = self.made.get(&identity(lua));
        for (made, docs) in made.into_iter().flat_map(Made::each) {
            let signature = docs.signature(&made.name, made.signature.as_ref());
            let ffi = made.block(lua);
            let info = FunctionInfo {
                size: size_of::<FunctionInfo>(),
                name: Str::new(&made.name),
                signature: Str::new(signature.as_deref().unwrap_or_default()),
                block: ffi.as_ref().map_or(ptr::null_mut(), |ffi| ffi.block),
                parameters: Str::new(ffi.as_ref().map_or("", |ffi| &ffi.parameters)),
                result: ffi.as_ref().map_or(b'v', |ffi| ffi.result as u8),
                doc: Str::new(docs.text(&made.name)),
            };
            // SAFETY: as the caller promises; the texts outlive the call.
            unsafe { (sink.add)(sink.context, &raw const info) };
        }
    }

    /// Revokes the functions made in the given state, if there are any.
    ///
    /// # Errors
    ///
    /// [`Failure`] if Lua runs out of memory; some functions may then not be revoked.
    pub fn revoke(&mut self, lua: &Lua) -> Result<(), Failure> {
        let Some(Made { functions, .. }) = self.made.remove(&identity(lua)) else {
            return Ok(());
        };
        let revoked = panics::catch(|| {
            let _pause = pause(lua);
            functions.revoke(lua)
        });
        revoked.map_err(Failure::Panic)?.map_err(lua_failure)
    }

    /// Lets the functions made in the given state run those of the same names in `current`, now and
    /// later; a name that is not there raises an error. Takes the place of [`revoke`](Self::revoke).
    ///
    /// # Errors
    ///
    /// [`Failure`] if Lua runs out of memory; some functions may then not be redirected.
    pub fn redirect(&mut self, lua: &Lua, current: &Table) -> Result<(), Failure> {
        let Some(Made { functions, .. }) = self.made.remove(&identity(lua)) else {
            return Ok(());
        };
        let redirected = panics::catch(|| {
            let _pause = pause(lua);
            functions.redirect(lua, &self.name, current)
        });
        redirected.map_err(Failure::Panic)?.map_err(lua_failure)
    }

    /// Runs [`PluginLua::save_state`].
    ///
    /// # Errors
    ///
    /// [`Failure`] if the hook returns an error or panics.
    pub fn save_state(&mut self) -> Result<Option<Vec<u8>>, Failure> {
        run_hook(|| self.plugin.save_state())
    }

    /// Runs [`PluginLua::restore_state`].
    ///
    /// # Errors
    ///
    /// [`Failure`] if the hook returns an error or panics.
    pub fn restore_state(&mut self, state: &[u8]) -> Result<(), Failure> {
        run_hook(|| self.plugin.restore_state(state))
    }

    /// Runs [`PluginLua::on_unload`].
    ///
    /// # Errors
    ///
    /// [`Failure`] if the hook returns an error or panics.
    pub fn on_unload(&mut self) -> Result<(), Failure> {
        run_hook(|| self.plugin.on_unload())
    }

    /// Drops the plugin object.
    ///
    /// # Errors
    ///
    /// [`Failure::Panic`] if a destructor panics.
    pub fn destroy(mut self) -> Result<(), Failure> {
        for (_, made) in self.made.drain() {
            made.functions.let_go();
        }
        panics::catch(|| drop(self)).map_err(Failure::Panic)
    }
}

fn run_hook<R>(hook: impl FnOnce() -> Result<R, Box<dyn std::error::Error>>) -> Result<R, Failure> {
    // The error is made text inside, where a panic of its own code is caught too.
    panics::catch(|| hook().map_err(|error| errors::chain(&*error)))
        .map_err(Failure::Panic)?
        .map_err(Failure::Error)
}

fn lua_failure(error: mlua::Error) -> Failure {
    Failure::Error(errors::Message::of(&error).text)
}

fn pause(lua: &Lua) -> CollectorPause {
    // SAFETY: the state outlives the handle, and the handle the caller's pause.
    lua.exec_raw_lua(|raw| unsafe { CollectorPause::new(raw.state()) })
}

/// Tells one Lua state from another while both are open: the address of its registry.
fn identity(lua: &Lua) -> usize {
    // SAFETY: the registry is always at this index; its address is only compared.
    lua.exec_raw_lua(|raw| unsafe {
        mlua::ffi::lua_topointer(raw.state(), mlua::ffi::LUA_REGISTRYINDEX).addr()
    })
}
