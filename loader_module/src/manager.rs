//! The Rust face of the loader.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use plugin_api::PluginLua;
use plugin_api::mlua::{Lua, Table};

use crate::Error;
use crate::load_options::LoadOptions;
use crate::loaded::{LoadedPlugins, PollResult};
use crate::plugin_info::PluginInfo;
use crate::report::UnloadReport;

/// Loads plugins and registers them in Lua states.
///
/// Each plugin's functions form one table. A plugin that is registered in several states gets an
/// object of its own in each; one that is part of the program
/// ([`register_plugin_instance`](Self::register_plugin_instance)) serves all of them.
///
/// Dropping the manager unloads its plugins, the last loaded first. Manager and Lua states may be
/// dropped in any order: a state that is closed first ends the plugin objects it has.
///
/// The library of an unloaded plugin is unmapped when nothing refers to it any more; see
/// [`unload_plugin`](Self::unload_plugin).
///
/// ```
/// use cygnixy::{Error, PluginManager};
///
/// let mut manager = PluginManager::new();
/// let missing = manager.load_plugin("no/such/file.so");
/// assert!(matches!(missing, Err(Error::Read { .. })));
/// assert_eq!(manager.plugins().count(), 0);
/// ```
#[derive(Debug, Default)]
pub struct PluginManager {
    plugins: Arc<LoadedPlugins>,
}

impl PluginManager {
    /// A manager without plugins.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Loads a plugin file and runs the plugin's `on_load`. Loading a loaded file again changes
    /// nothing.
    ///
    /// Code of the file runs: load only files you trust as you trust your own program. Nothing of
    /// a file that does not fit is run.
    ///
    /// # Errors
    ///
    /// [`Error`] for each step: reading the file, checking it, opening the library, binding its
    /// Lua API, making the plugin, its name, `on_load`. Nothing is loaded then, and what was
    /// loaded before stays usable.
    ///
    /// ```
    /// # let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../build/lua54/plugins/greet.so");
    /// let mut manager = cygnixy::PluginManager::new();
    /// let greet = manager.load_plugin(path)?;
    /// assert_eq!(greet.name, "greet");
    /// # Ok::<(), cygnixy::Error>(())
    /// ```
    pub fn load_plugin(&mut self, path: impl AsRef<Path>) -> Result<PluginInfo, Error> {
        self.load_plugin_with(path, &LoadOptions::default())
    }

    /// Loads a plugin file, as [`load_plugin`](Self::load_plugin) does, if it is what the options ask
    /// for.
    ///
    /// # Errors
    ///
    /// As for `load_plugin`; [`Error::WrongHash`] if the content is another, also if that is loaded
    /// already; [`Error::Changed`] if the plugin is loaded and its file has changed since;
    /// [`Error::Untrusted`] if others can change the file.
    ///
    /// ```
    /// use cygnixy::{Error, LoadOptions, PluginManager, Sha256};
    ///
    /// # let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../build/lua54/plugins/greet.so");
    /// let options = LoadOptions::new().sha256(Sha256([0; 32]));
    /// let refused = PluginManager::new().load_plugin_with(path, &options);
    /// assert!(matches!(refused, Err(Error::WrongHash { .. })));
    /// ```
    pub fn load_plugin_with(
        &mut self,
        path: impl AsRef<Path>,
        options: &LoadOptions,
    ) -> Result<PluginInfo, Error> {
        let (entry, _) = self.plugins.load(path.as_ref(), options, &[])?;
        Ok(PluginInfo::of(&entry))
    }

    /// Loads a plugin file, as [`load_plugin`](Self::load_plugin) does, and makes its functions in
    /// a Lua state; gives the table of them, without a global.
    ///
    /// # Errors
    ///
    /// As for `load_plugin`, and [`Error::Hook`] if `get_lua_functions` panics. Nothing is loaded
    /// then, unless it was before.
    ///
    /// ```
    /// # use cygnixy::plugin_api::mlua::{Function, Lua};
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../build/lua54/plugins/greet.so");
    /// let lua = Lua::new();
    /// let mut manager = cygnixy::PluginManager::new();
    /// let greet = manager.load_plugin_into(path, &lua)?;
    /// let hello: Function = greet.get("hello")?;
    /// assert_eq!(hello.call::<String>("world")?, "Hello, world!");
    /// # Ok(())
    /// # }
    /// ```
    pub fn load_plugin_into(&mut self, path: impl AsRef<Path>, lua: &Lua) -> Result<Table, Error> {
        let options = LoadOptions::default();
        self.plugins.load_into(path.as_ref(), &options, lua)
    }

    /// Adds a plugin that is linked into the program, and runs its `on_load`.
    ///
    /// # Errors
    ///
    /// [`Error::NameTaken`] if a plugin of that name is loaded, [`Error::Hook`] if `name` panics
    /// or `on_load` fails.
    ///
    /// ```
    /// use cygnixy::PluginManager;
    /// use cygnixy::plugin_api::PluginLua;
    /// use cygnixy::plugin_api::mlua::{Function, Lua};
    /// use std::collections::HashMap;
    /// use std::error::Error;
    ///
    /// struct Answers;
    ///
    /// impl PluginLua for Answers {
    ///     fn name(&self) -> &str {
    ///         "answers"
    ///     }
    ///     fn on_load(&mut self) -> Result<(), Box<dyn Error>> {
    ///         Ok(())
    ///     }
    ///     fn on_unload(&mut self) -> Result<(), Box<dyn Error>> {
    ///         Ok(())
    ///     }
    ///     fn get_lua_functions(&self, lua: &Lua) -> HashMap<String, Function> {
    ///         let answer = lua.create_function(|_, ()| Ok(42)).expect("there is memory");
    ///         HashMap::from([("answer".to_owned(), answer)])
    ///     }
    /// }
    ///
    /// # fn main() -> Result<(), Box<dyn Error>> {
    /// let lua = Lua::new();
    /// let mut manager = PluginManager::new();
    /// manager.register_plugin_instance(Box::new(Answers))?;
    /// manager.register_all_plugins(&lua)?;
    /// assert_eq!(lua.load("answers.answer()").eval::<u8>()?, 42);
    /// # Ok(())
    /// # }
    /// ```
    pub fn register_plugin_instance(
        &mut self,
        plugin: Box<dyn PluginLua>,
    ) -> Result<PluginInfo, Error> {
        let entry = self.plugins.add_instance(plugin)?;
        Ok(PluginInfo::of(&entry))
    }

    /// Makes the functions of every loaded plugin in a Lua state and sets one global table per
    /// plugin, under the plugin's name. A plugin that is registered in the state already keeps its
    /// table there.
    ///
    /// # Errors
    ///
    /// [`Error`] for the first plugin that fails; those before it are registered.
    pub fn register_all_plugins(&self, lua: &Lua) -> Result<(), Error> {
        for entry in self.plugins.entries() {
            let table = self.plugins.register(&entry, lua)?;
            let set = lua.globals().raw_set(entry.name(), table);
            set.map_err(|source| Error::Lua {
                plugin: entry.name().to_owned(),
                step: "set the global table",
                source,
            })?;
        }
        Ok(())
    }

    /// Makes the functions of one plugin in a Lua state and gives its table, without a global.
    ///
    /// # Errors
    ///
    /// [`Error::NotLoaded`] if there is no such plugin, [`Error::Hook`] if it fails.
    pub fn register_plugin(&self, name: &str, lua: &Lua) -> Result<Table, Error> {
        match self.plugins.get(name) {
            Some(entry) => self.plugins.register(&entry, lua),
            None => Err(Error::NotLoaded {
                name: name.to_owned(),
                loaded: self.plugins().map(|plugin| plugin.name).collect(),
            }),
        }
    }

    /// The functions of a plugin as LuaJIT's compiled code can call them, through its FFI: those that the
    /// plugin made by `create_ffi_function`, and the ordinary ones otherwise. With another Lua it is the
    /// plugin's own table. The plugin's functions have to be registered in the state.
    ///
    /// # Errors
    ///
    /// [`Error::NotLoaded`] if there is no such plugin in the state, [`Error::Lua`] if Lua runs out of
    /// memory.
    pub fn ffi_functions(&self, name: &str, lua: &Lua) -> Result<Table, Error> {
        self.plugins.direct_calls(name, lua)
    }

    /// The functions of a plugin, a line each and sorted, with their types where they are known:
    /// `greet.add(number, number) -> number`, and `greet.hello(...)` otherwise.
    ///
    /// # Errors
    ///
    /// [`Error::NotLoaded`] if there is no such plugin.
    ///
    /// ```
    /// # let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../build/lua54/plugins/greet.so");
    /// # let lua = cygnixy::plugin_api::mlua::Lua::new();
    /// let mut manager = cygnixy::PluginManager::new();
    /// manager.load_plugin_into(path, &lua)?;
    /// assert!(manager.help("greet")?.starts_with("greet.hello(name: string) -> string\n"));
    /// # Ok::<(), cygnixy::Error>(())
    /// ```
    pub fn help(&self, name: &str) -> Result<String, Error> {
        self.plugins.help(name)
    }

    /// Unloads a plugin: its functions raise an error from now on, in every state; its `on_unload`
    /// runs; it is dropped. Then each of its Lua states is asked, by full collections, whether it
    /// still has something of the library, and if nothing else can call into it either, the library
    /// is unmapped. The report says so, or why not.
    ///
    /// # Errors
    ///
    /// [`Error::NotLoaded`] if there is no such plugin. [`Error::InUse`], [`Error::Busy`] or
    /// [`Error::Suspended`] if its code is running further up the call stack, or a coroutine is
    /// suspended in it; then nothing has changed. [`Error::Hook`] if `on_unload` or a destructor
    /// fails; the plugin is gone all the same, and its library stays mapped.
    ///
    /// ```
    /// # use cygnixy::plugin_api::mlua::{Function, Lua};
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../build/lua54/plugins/greet.so");
    /// # let lua = Lua::new();
    /// # let mut manager = cygnixy::PluginManager::new();
    /// let hello: Function = manager.load_plugin_into(path, &lua)?.get("hello")?;
    /// let report = manager.unload_plugin("greet")?;
    /// assert!(!report.unmapped); // as `hello` is still here
    /// let late = hello.call::<String>("world").unwrap_err();
    /// assert!(late.to_string().contains("plugin 'greet' has been unloaded"));
    ///
    /// drop((late, hello));
    /// assert!(manager.collect()[0].unmapped);
    /// # Ok(())
    /// # }
    /// ```
    pub fn unload_plugin(&mut self, name: &str) -> Result<UnloadReport, Error> {
        self.plugins.unload(name, true)
    }

    /// Unloads a plugin, as [`unload_plugin`](Self::unload_plugin) does, without collecting garbage
    /// in its Lua states, which takes time in proportion to their size. If it was registered in any,
    /// the library stays mapped until it is looked at again.
    ///
    /// # Errors
    ///
    /// As for `unload_plugin`, but that a coroutine may be suspended in the plugin is not noticed.
    pub fn unload_plugin_without_collecting(&mut self, name: &str) -> Result<UnloadReport, Error> {
        self.plugins.unload(name, false)
    }

    /// Loads the plugin's file again, which may have changed, and lets the new version take the place
    /// of the old one: its `on_load` runs; it gets what the old one's `save_state` gives; in each
    /// state, the plugin's table keeps its identity and gets the new functions, and functions that
    /// scripts hold run the new ones of the same name from now on. Then the old version is unloaded,
    /// and the report tells what became of its library.
    ///
    /// # Errors
    ///
    /// [`Error::Reload`] with its cause if the new version cannot be loaded; the old one goes on as if
    /// nothing had happened. [`Error::NotLoaded`] and [`Error::NotFromFile`] if there is nothing to
    /// reload. [`Error::InUse`], [`Error::Busy`] or [`Error::Suspended`] as for
    /// [`unload_plugin`](Self::unload_plugin). That the old version's `on_unload` fails is a reason in
    /// the report.
    ///
    /// ```
    /// # let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../build/lua54/plugins/greet.so");
    /// # let lua = cygnixy::plugin_api::mlua::Lua::new();
    /// # let mut manager = cygnixy::PluginManager::new();
    /// let greet = manager.load_plugin_into(path, &lua)?;
    /// // The file is built anew, and then:
    /// let report = manager.reload_plugin("greet")?;
    /// assert!(report.reloaded);
    /// assert_eq!(manager.register_plugin("greet", &lua)?, greet); // the same table
    /// # Ok::<(), cygnixy::Error>(())
    /// ```
    pub fn reload_plugin(&mut self, name: &str) -> Result<UnloadReport, Error> {
        self.plugins.reload(name)
    }

    /// Watches a plugin's file: [`poll`](Self::poll) reloads the plugin after the file was rebuilt.
    /// The file is taken to be complete when it was not changed for as long as `quiet`; a tenth of a
    /// second serves compilers. The watch ends with [`unwatch_plugin`](Self::unwatch_plugin) or the
    /// unload; in a process that is forked meanwhile it goes on.
    ///
    /// # Errors
    ///
    /// [`Error::NotLoaded`] and [`Error::NotFromFile`] if there is no file, [`Error::Watch`] if the
    /// system does not let it be watched, or no thread can be started for it.
    pub fn watch_plugin(&mut self, name: &str, quiet: Duration) -> Result<(), Error> {
        self.plugins.watch(name, quiet)
    }

    /// Ends the watch over a plugin's file; tells whether there was one.
    pub fn unwatch_plugin(&mut self, name: &str) -> bool {
        self.plugins.unwatch(name)
    }

    /// Reloads the watched plugins whose files were rebuilt, as [`reload_plugin`](Self::reload_plugin)
    /// does, and tells how it went for each. A new file that cannot be loaded is tried once.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// # let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../build/lua54/plugins/greet.so");
    /// # let mut manager = cygnixy::PluginManager::new();
    /// manager.load_plugin(path)?;
    /// manager.watch_plugin("greet", Duration::from_millis(100))?;
    /// for result in manager.poll() {
    ///     println!("{result:?}");
    /// }
    /// # Ok::<(), cygnixy::Error>(())
    /// ```
    pub fn poll(&mut self) -> Vec<PollResult> {
        self.plugins.poll()
    }

    /// Writes a lock file that lists the plugins that are loaded from files: the name and the version of
    /// the crate, the Lua ABI, and the SHA-256 of the content. It takes the place of a file that is there.
    ///
    /// # Errors
    ///
    /// [`LockFileError::Write`]; [`Error::Changed`] or one that says why a plugin file cannot be read,
    /// if its hash is not known yet. Nothing is written then.
    ///
    /// [`LockFileError::Write`]: crate::LockFileError::Write
    pub fn write_lock_file(&self, path: impl AsRef<Path>) -> Result<(), Error> {
        self.plugins.write_lock_file(path.as_ref())
    }

    /// Lets this manager load no file from now on but those that a lock file lists, also when it reloads.
    /// What is loaded from files has to be listed too. A manager uses one lock file, for good. Plugins
    /// that are part of the program are not asked for.
    ///
    /// # Errors
    ///
    /// [`LockFileError`](crate::LockFileError) if the file cannot be read, is wrong, or another is in use;
    /// [`Error::NotLocked`] or [`Error::OtherThanLocked`] for the first loaded plugin that is not listed,
    /// and those of `write_lock_file` if that cannot be told. Then the lock file is not in use.
    ///
    /// ```
    /// use cygnixy::{Error, PluginManager};
    ///
    /// # let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../build/lua54/plugins/greet.so");
    /// # let folder = tempfile::tempdir().unwrap();
    /// # let lock_file = folder.path().join("plugins.lock");
    /// // Once, with the plugins that are wanted:
    /// PluginManager::new().write_lock_file(&lock_file)?;
    ///
    /// // In each run of the program. This file lists none.
    /// let mut manager = PluginManager::new();
    /// manager.use_lock_file(&lock_file)?;
    /// assert!(matches!(manager.load_plugin(path), Err(Error::NotLocked { .. })));
    /// # Ok::<(), cygnixy::Error>(())
    /// ```
    pub fn use_lock_file(&mut self, path: impl AsRef<Path>) -> Result<(), Error> {
        self.plugins.use_lock_file(path.as_ref())
    }

    /// Seals the manager for good: it loads and reloads nothing any more, and adds no plugin that is part of
    /// the program. What is loaded goes on working, can be registered in other states, and unloaded. See
    /// [`seal_state`](crate::seal_state) for a Lua state.
    pub fn seal(&mut self) {
        self.plugins.seal();
    }

    /// Looks again at the libraries of unloaded plugins that could not be unmapped, by full
    /// collections of their Lua states, and unmaps those that nothing refers to any more. Gives a
    /// report for each.
    pub fn collect(&mut self) -> Vec<UnloadReport> {
        self.plugins.collect()
    }

    /// The loaded plugin of that name.
    #[must_use]
    pub fn get_plugin(&self, name: &str) -> Option<PluginInfo> {
        self.plugins.get(name).map(|entry| PluginInfo::of(&entry))
    }

    /// The loaded plugins, in the order in which they were loaded.
    pub fn plugins(&self) -> impl Iterator<Item = PluginInfo> + use<> {
        self.plugins
            .entries()
            .into_iter()
            .map(|entry| PluginInfo::of(&entry))
    }
}

impl Drop for PluginManager {
    fn drop(&mut self) {
        self.plugins.unload_all();
    }
}
