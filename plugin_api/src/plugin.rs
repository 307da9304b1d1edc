//! The trait that makes a type a plugin.

use std::collections::HashMap;
use std::error::Error;

use mlua::{Function, Lua};

use crate::docs::FunctionDoc;

/// A plugin: a named set of Lua functions with a beginning and an end.
///
/// # The life of a plugin
///
/// 1. **Created.** The loader has read the manifest from the file, found that it fits, mapped the
///    library, and evaluates the expression given to [`export_plugin!`](crate::export_plugin).
///    This happens once for each Lua state that loads the plugin; states share the plugin's
///    statics and nothing else. A panic here makes the load fail.
/// 2. [`name`](Self::name) is asked, once, right after creation. If the state has a plugin of
///    that name from another file, the load fails and the value is dropped. A panic makes the
///    load fail.
/// 3. [`on_load`](Self::on_load) runs, once. An error or a panic makes the load fail: the value is
///    dropped, nothing else is called.
/// 4. [`get_lua_functions`](Self::get_lua_functions) runs, once for each Lua state the value is
///    registered in: once for a plugin that was loaded from a file. A panic makes the load fail;
///    as `on_load` succeeded, `on_unload` then runs before the value is dropped. [`docs`](Self::docs)
///    is asked next, in the same way.
/// 5. **In use.** Lua code calls the functions. An error they return and a panic they raise are
///    Lua errors for the caller; the plugin stays loaded.
/// 6. **Revoked.** The plugin is unloaded: from now on its functions raise
///    `plugin 'NAME' has been unloaded`.
/// 7. [`on_unload`](Self::on_unload) runs, once, also when the Lua state is closed with the plugin
///    still loaded. It does not run when the process ends without closing the state (`os.exit`
///    in most Lua versions, a signal, a crash). An error or a panic is reported to whoever
///    unloads; the plugin is gone from Lua's view all the same.
/// 8. **Dropped.** A panic in `Drop` is caught and reported.
/// 9. **Unmapped**, if nothing can call into the library any more: no function or object of it is
///    held by a script, none of its threads runs, no hook of it is installed. Thread-locals of the
///    library are dropped on the thread that unloads. Otherwise the library stays mapped, and the
///    one who unloads is told why.
///
/// When a plugin is **reloaded**, its new version is created and loaded (1 to 3); the old one gives
/// its state ([`save_state`](Self::save_state)), the new one takes it
/// ([`restore_state`](Self::restore_state)) and makes its functions (4), which take the place of the
/// old ones; then the old one ends (7 to 9).
///
/// Every step runs on the thread that runs the Lua state at that moment, called by the loader. No
/// hook is called while another hook of the same value runs.
///
/// # Thread safety
///
/// Several states on several threads may use one library at a time, hence `Send + Sync`.
pub trait PluginLua: Send + Sync {
    /// The plugin's name: what `cygnixy.get(name)` finds, and the global table's name where a
    /// Rust host registers all plugins.
    ///
    /// Called by the loader once, after creation. A panic makes the load fail.
    fn name(&self) -> &str;

    /// Prepares the plugin for use.
    ///
    /// Called by the loader once, before Lua sees the plugin.
    ///
    /// # Errors
    ///
    /// An error, or a panic, makes the load fail with this error as its cause.
    fn on_load(&mut self) -> Result<(), Box<dyn Error>>;

    /// Releases what the plugin holds.
    ///
    /// Called by the loader once, after the functions were revoked; the Lua state may be closing.
    ///
    /// # Errors
    ///
    /// An error, or a panic, is reported to the caller of the unload; the plugin is gone all the
    /// same.
    fn on_unload(&mut self) -> Result<(), Box<dyn Error>>;

    /// Makes the functions that Lua code sees in the plugin's table.
    ///
    /// Called by the loader once for each Lua state the value is registered in, after
    /// [`on_load`](Self::on_load). A panic makes the load fail. Functions made with
    /// [`Lua::create_function`] are revoked at no cost per call; any other function is called
    /// through a thin wrapper so that it can be revoked too.
    fn get_lua_functions(&self, lua: &Lua) -> HashMap<String, Function>;

    /// What the functions do and what their parameters are called, for `cygnixy.help` and for the
    /// annotations that `cygnixy stubs` writes. What is said of functions that do not exist is left
    /// out. There is nothing by default.
    ///
    /// Called by the loader once for each Lua state the value is registered in, after
    /// [`get_lua_functions`](Self::get_lua_functions). A panic makes the load fail.
    ///
    /// ```
    /// # use plugin_api::FunctionDoc;
    /// fn docs() -> Vec<FunctionDoc> {
    ///     vec![FunctionDoc::new("add").text("Adds two numbers.").parameters(["a", "b"])]
    /// }
    /// ```
    fn docs(&self) -> Vec<FunctionDoc> {
        Vec::new()
    }

    /// What a newer version of the plugin needs to go on: bytes of a form that the plugin chooses,
    /// or `None` (the default) if there is nothing.
    ///
    /// Called by the loader at most once, when the plugin is reloaded, before the functions change
    /// over. The reload may still be given up, so the plugin must stay usable as it is. Objects that scripts
    /// have go on working with the old version; what they change after this does not reach the new one.
    ///
    /// # Errors
    ///
    /// An error, or a panic, gives the reload up with this error as its cause; the plugin goes on.
    fn save_state(&mut self) -> Result<Option<Vec<u8>>, Box<dyn Error>> {
        Ok(None)
    }

    /// Takes what the older version of the plugin saved.
    ///
    /// Called by the loader at most once, after [`on_load`](Self::on_load), when the older version
    /// had a state.
    ///
    /// # Errors
    ///
    /// An error, or a panic, gives the reload up with this error as its cause; the older version
    /// goes on. The default is such an error: a state that nobody takes would be lost.
    ///
    /// ```
    /// use plugin_api::PluginLua;
    /// use plugin_api::mlua::{Function, Lua};
    /// use std::collections::HashMap;
    /// use std::error::Error;
    /// use std::sync::Arc;
    /// use std::sync::atomic::{AtomicU64, Ordering};
    ///
    /// // Functions have a share of what the plugin keeps. `export_plugin!(Counter::default());`
    /// #[derive(Default)]
    /// struct Counter(Arc<AtomicU64>);
    ///
    /// impl PluginLua for Counter {
    /// #   fn name(&self) -> &str { "counter" }
    /// #   fn on_load(&mut self) -> Result<(), Box<dyn Error>> { Ok(()) }
    /// #   fn on_unload(&mut self) -> Result<(), Box<dyn Error>> { Ok(()) }
    ///     fn get_lua_functions(&self, lua: &Lua) -> HashMap<String, Function> {
    ///         let count = Arc::clone(&self.0);
    ///         let next = lua.create_function(move |_, ()| Ok(count.fetch_add(1, Ordering::Relaxed) + 1));
    ///         HashMap::from([("next".to_owned(), next.expect("there is memory"))])
    ///     }
    ///
    ///     fn save_state(&mut self) -> Result<Option<Vec<u8>>, Box<dyn Error>> {
    ///         Ok(Some(self.0.load(Ordering::Relaxed).to_le_bytes().to_vec()))
    ///     }
    ///
    ///     fn restore_state(&mut self, state: &[u8]) -> Result<(), Box<dyn Error>> {
    ///         self.0.store(u64::from_le_bytes(state.try_into()?), Ordering::Relaxed);
    ///         Ok(())
    ///     }
    ///     // … and the other methods
    /// }
    ///
    /// # fn main() -> Result<(), Box<dyn Error>> {
    /// # let lua = Lua::new();
    /// let (mut old, mut new) = (Counter::default(), Counter::default());
    /// let of_old = old.get_lua_functions(&lua);
    /// assert_eq!(of_old["next"].call::<u64>(())?, 1);
    /// new.restore_state(&old.save_state()?.unwrap())?;
    /// let of_new = new.get_lua_functions(&lua);
    /// assert_eq!(of_new["next"].call::<u64>(())?, 2);
    /// # Ok(())
    /// # }
    /// ```
    fn restore_state(&mut self, state: &[u8]) -> Result<(), Box<dyn Error>> {
        let _ = state;
        Err("this version of the plugin takes no state (it has no `restore_state`)".into())
    }
}
