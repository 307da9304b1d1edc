//! The plugins that one manager, or one Lua state, has loaded.
//!
//! A plugin's hooks and functions may call back into the loader. So no lock is held while code of
//! a plugin runs: what is to be worked on is taken out of the list first, or put there last.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use plugin_api::PluginLua;
use plugin_api::mlua::{Lua, Table};
use tracing::{Span, debug, error, field, info, info_span};

use crate::Error;
use crate::error::Hook;
use crate::library::Library;
use crate::load_options::LoadOptions;
use crate::lock::lock;
use crate::lua_state;
use crate::lua_state::StateId;
use crate::plugin_file::PluginFile;
use crate::report::UnloadReport;
use crate::residence;
use crate::seal;

mod admission;
mod entry;
pub(crate) mod facts;
mod jit;
mod left;
mod object;
mod registration;
mod reload;
mod saying;
mod watch;

use admission::Admission;
pub(crate) use entry::{Entry, Origin};
use left::Left;
pub use watch::PollResult;
use watch::Watches;

/// A list of loaded plugins, in the order in which they were loaded.
#[derive(Debug, Default)]
pub(crate) struct LoadedPlugins {
    entries: Mutex<Vec<Arc<Entry>>>,
    /// Files whose hooks are running.
    loading: Mutex<Vec<PathBuf>>,
    /// States that are being closed or were closed.
    closed: Mutex<Vec<StateId>>,
    /// What plugins have in Lua states, and libraries that could not be unmapped yet.
    left: Left,
    watches: Watches,
    admission: Admission,
}

impl LoadedPlugins {
    pub(crate) fn entries(&self) -> Vec<Arc<Entry>> {
        lock(&self.entries).clone()
    }

    pub(crate) fn get(&self, name: &str) -> Option<Arc<Entry>> {
        lock(&self.entries)
            .iter()
            .find(|entry| entry.name() == name)
            .cloned()
    }

    /// Loads a plugin file; gives the loaded plugin, and false, if the file is loaded already.
    /// It is going to be used in the given states.
    pub(crate) fn load(
        &self,
        path: &Path,
        options: &LoadOptions,
        states: &[Lua],
    ) -> Result<(Arc<Entry>, bool), Error> {
        let span = info_span!("load", path = %path.display(), plugin = field::Empty);
        let _entered = span.enter();
        self.load_in_span(path, options, states, &span)
            .inspect_err(|error| {
                debug!(step = "load", path = %path.display(), error = error.report(), "failed");
            })
    }

    fn load_in_span(
        &self,
        path: &Path,
        options: &LoadOptions,
        states: &[Lua],
        span: &Span,
    ) -> Result<(Arc<Entry>, bool), Error> {
        let found = |entry: Arc<Entry>| {
            self.check_loaded(&entry, options)?;
            let plugin = entry.name();
            span.record("plugin", plugin);
            debug!(step = "found", plugin, path = %entry.path().display(), "it is loaded already");
            Ok((entry, false))
        };
        // Whatever is in the file by now: it does not have to be read.
        if let Ok(absolute) = path.canonicalize()
            && let Some(entry) = self.loaded_from(&absolute)
        {
            self.judge(path, &absolute, options)?;
            return found(entry);
        }
        let file = self.read(path, options)?;
        let plugin = file.manifest.name.as_str();
        span.record("plugin", plugin);
        debug!(step = "read", plugin, path = %file.path.display(), "read the manifest");
        if let Some(entry) = self.loaded_with(&file) {
            return found(entry);
        }
        file.check()?;
        self.admit(&file, states)?;
        debug!(step = "check", plugin, path = %file.path.display(), "the plugin fits");
        let _loading = Loading::begin(self, &file.path)?;
        self.pin(&file.path, options.sha256);
        let library = Library::open(&file)?;
        let added = Entry::create(Arc::clone(&library)).and_then(|entry| self.add(entry));
        match added {
            Ok(entry) => {
                self.left.is_used_again(&library);
                Ok((entry, true))
            }
            Err(error) => {
                self.left.give_up(library);
                Err(error)
            }
        }
    }

    /// Adds a plugin that is part of the program.
    pub(crate) fn add_instance(&self, plugin: Box<dyn PluginLua>) -> Result<Arc<Entry>, Error> {
        let entry = Entry::from_program(plugin)?;
        self.check_unsealed(entry.name(), &entry.path(), &[])?;
        self.add(entry)
    }

    /// Runs `on_load` and lists the plugin, unless its name is taken.
    fn add(&self, entry: Entry) -> Result<Arc<Entry>, Error> {
        self.check_name(&entry)?;
        entry.on_load()?;
        let entry = Arc::new(entry);
        {
            let mut entries = lock(&self.entries);
            // A hook may have loaded another plugin of that name meanwhile.
            if !entries.iter().any(|other| other.name() == entry.name()) {
                entries.push(Arc::clone(&entry));
                drop(entries);
                info!(step = "load", plugin = entry.name(), path = %entry.path().display(), "loaded");
                return Ok(entry);
            }
        }
        let taken = self.check_name(&entry);
        entry.end()?;
        // It may have been unloaded again by now; it was there when this one was to be added.
        Err(taken.err().unwrap_or_else(|| Error::NameTaken {
            name: entry.name().to_owned(),
            path: entry.path(),
            loaded: "a file that was unloaded since".to_owned(),
        }))
    }

    fn check_name(&self, entry: &Entry) -> Result<(), Error> {
        match self.get(entry.name()) {
            None => Ok(()),
            Some(other) => Err(Error::NameTaken {
                name: entry.name().to_owned(),
                path: entry.path(),
                loaded: other.path().display().to_string(),
            }),
        }
    }

    /// The plugin that was loaded from a path, absolute and without symbolic links.
    fn loaded_from(&self, path: &Path) -> Option<Arc<Entry>> {
        // Paths of one form are equal if their bytes are, which is found out faster.
        self.find_library(|library| library.path.as_os_str() == path.as_os_str())
    }

    /// The plugin that was loaded from a file of the same content.
    fn loaded_with(&self, file: &PluginFile) -> Option<Arc<Entry>> {
        self.find_library(|library| library.is_from(file))
    }

    fn find_library(&self, is_it: impl Fn(&Library) -> bool) -> Option<Arc<Entry>> {
        let entries = lock(&self.entries);
        let found = entries.iter().find(|entry| match entry.origin() {
            Origin::File(library) => is_it(library),
            Origin::Program => false,
        });
        found.cloned()
    }

    /// The functions of a plugin in a state as LuaJIT can call them through its FFI.
    pub(crate) fn direct_calls(&self, name: &str, lua: &Lua) -> Result<Table, Error> {
        let entry = self.get(name).ok_or_else(|| self.not_loaded(name))?;
        match entry.direct_calls(lua)? {
            Some(table) => Ok(table),
            None => Err(self.not_loaded(name)),
        }
    }

    /// The functions of a plugin, a line each, with their types: `greet.add(a: number) -> number`. What
    /// is said of a function stands below it.
    pub(crate) fn help(&self, name: &str) -> Result<String, Error> {
        let functions = self.help_by_function(name)?;
        let texts: Vec<String> = functions.into_iter().map(|(_, text)| text).collect();
        Ok(texts.join("\n"))
    }

    /// The same, for each function with its name.
    pub(crate) fn help_by_function(&self, name: &str) -> Result<Vec<(String, String)>, Error> {
        let entry = self.get(name).ok_or_else(|| self.not_loaded(name))?;
        let facts = entry.facts();
        let lines = entry.functions().into_iter().map(|function| {
            let known = facts.iter().find(|one| one.name == function);
            let types = known.and_then(|one| one.signature.as_deref());
            let mut text = format!("{name}.{function}{}", types.unwrap_or("(...)"));
            for line in known
                .and_then(|one| one.doc.as_deref())
                .unwrap_or_default()
                .lines()
            {
                text.push_str("\n    ");
                text.push_str(line);
            }
            (function, text)
        });
        Ok(lines.collect())
    }

    /// Makes a plugin's functions in a Lua state, once; gives its table there.
    pub(crate) fn register(self: &Arc<Self>, entry: &Entry, lua: &Lua) -> Result<Table, Error> {
        let path = entry.path();
        let _span = info_span!("register", plugin = entry.name(), path = %path.display()).entered();
        lua_state::watch_close(lua, self).map_err(|source| Error::Lua {
            plugin: entry.name().to_owned(),
            step: "keep a watch on the state",
            source,
        })?;
        if lock(&self.closed).contains(&StateId::of(lua)) {
            return Err(Error::Closing {
                plugin: entry.name().to_owned(),
                path,
            });
        }
        let state = StateId::of(lua);
        if let Some(table) = entry.table(state) {
            return Ok(table);
        }
        if residence::is_looked_at(state) {
            return Err(Error::Collecting {
                plugin: entry.name().to_owned(),
                path,
            });
        }
        seal::check(entry.name(), &path, lua)?;
        let Origin::File(library) = entry.origin() else {
            return entry.register(lua).map(|registered| registered.table);
        };
        self.left.enter(library, lua);
        let registered = entry
            .register(lua)
            .inspect_err(|_| self.left.deactivate(library, Some(state)))?;
        self.left.note_functions(library, state, &registered.names);
        Ok(registered.table)
    }

    /// Forgets a closed state of the same identity.
    pub(crate) fn state_opened(&self, state: StateId) {
        lock(&self.closed).retain(|closed| *closed != state);
    }

    /// Loads a file and makes its functions in a Lua state. If the second fails, what was loaded
    /// by this call is unloaded.
    pub(crate) fn load_into(
        self: &Arc<Self>,
        path: &Path,
        options: &LoadOptions,
        lua: &Lua,
    ) -> Result<Table, Error> {
        let (entry, is_new) = self.load(path, options, std::slice::from_ref(lua))?;
        self.register(&entry, lua).inspect_err(|_| {
            if is_new {
                self.remove(&entry);
                if let Err(error) = entry.end() {
                    log_failure("undo", &entry, &error);
                }
                self.left.end(&entry, false);
            }
        })
    }

    /// Revokes a plugin's functions in every state, runs `on_unload` and drops it; then unmaps its
    /// library unless something may still call into it. `collect` allows full collections, without
    /// which nothing that was in a Lua state is unmapped.
    ///
    /// The plugin is gone whatever the result says, unless it is in use.
    pub(crate) fn unload(&self, name: &str, collect: bool) -> Result<UnloadReport, Error> {
        let entry = self.get(name).ok_or_else(|| self.not_loaded(name))?;
        let path = entry.path();
        let _span = info_span!("unload", plugin = name, path = %path.display()).entered();
        // From here on, code of the script that runs in between cannot unload or reload it.
        let busy = entry.begin(Hook::OnUnload)?;
        entry.check_idle(collect)?;
        self.remove(&entry);
        self.watches.remove(name);
        let result = entry.end_now();
        drop(busy);
        let ended = self.left.end(&entry, false);
        drop(entry);
        let report = self.left.look(ended, collect);
        info!(step = "unload", plugin = name, path = %path.display(), ok = result.is_ok(), %report, "unloaded");
        result.map(|()| report)
    }

    /// Looks again at the libraries that could not be unmapped; gives a report for each.
    pub(crate) fn collect(&self) -> Vec<UnloadReport> {
        let _span = info_span!("collect").entered();
        self.left.look_again(true)
    }

    /// Unloads every plugin, the last loaded first. Failures are logged.
    pub(crate) fn unload_all(&self) {
        let names: Vec<String> = self.entries().iter().map(|e| e.name().to_owned()).collect();
        for name in names.iter().rev() {
            if let Err(error) = self.unload(name, true) {
                error!(
                    step = "unload",
                    plugin = name,
                    error = error.report(),
                    "failed"
                );
            }
        }
    }

    fn not_loaded(&self, name: &str) -> Error {
        let entries = self.entries();
        Error::NotLoaded {
            name: name.to_owned(),
            loaded: entries
                .iter()
                .map(|entry| entry.name().to_owned())
                .collect(),
        }
    }

    fn remove(&self, entry: &Arc<Entry>) {
        lock(&self.entries).retain(|other| !Arc::ptr_eq(other, entry));
    }

    /// Ends what plugins have in a state that is being closed, without touching the state.
    pub(crate) fn state_closed(&self, state: StateId) {
        let _span = info_span!("state_closed").entered();
        lock(&self.closed).push(state);
        crate::logs::state_closes(state);
        for entry in self.entries().iter().rev() {
            if let Err(error) = entry.state_closed(state) {
                log_failure("close", entry, &error);
            }
        }
        self.left.state_closed(state);
    }
}

/// Marks a file as being loaded, until dropped.
struct Loading<'a> {
    plugins: &'a LoadedPlugins,
    path: &'a Path,
}

impl<'a> Loading<'a> {
    fn begin(plugins: &'a LoadedPlugins, path: &'a Path) -> Result<Self, Error> {
        let mut loading = lock(&plugins.loading);
        if loading.iter().any(|other| other == path) {
            return Err(Error::Loading {
                path: path.to_owned(),
            });
        }
        loading.push(path.to_owned());
        Ok(Self { plugins, path })
    }
}

impl Drop for Loading<'_> {
    fn drop(&mut self) {
        lock(&self.plugins.loading).retain(|path| path != self.path);
    }
}

/// Logs a failure that nobody can be told of.
fn log_failure(step: &str, entry: &Entry, error: &Error) {
    let (plugin, path) = (entry.name(), entry.path());
    error!(step, plugin, path = %path.display(), error = error.report(), "failed");
}
