//! Reloading: a new version of a plugin takes the place of the loaded one, or nothing happens.

use std::sync::Arc;

use plugin_api::mlua::Lua;
use tracing::{debug, info, info_span};

use super::{Entry, LoadedPlugins, Loading, Origin, log_failure};
use crate::Error;
use crate::error::Hook;
use crate::library::Library;
use crate::lock::lock;
use crate::lua_state::StateId;
use crate::plugin_file::PluginFile;
use crate::report::{Reason, ReasonKind, UnloadReport};
use crate::residence;

impl LoadedPlugins {
    /// Loads the newer version of a plugin that is in its file, as [`replace`](Self::replace) does.
    pub(crate) fn reload(&self, name: &str) -> Result<UnloadReport, Error> {
        let old = self.get_from_file(name)?;
        let file = self.read_again(&old.path());
        self.replace(old, file)
    }

    /// The loaded plugin of that name, if it is from a file.
    pub(super) fn get_from_file(&self, name: &str) -> Result<Arc<Entry>, Error> {
        let entry = self.get(name).ok_or_else(|| self.not_loaded(name))?;
        match entry.origin() {
            Origin::File(_) => Ok(entry),
            Origin::Program => Err(Error::NotFromFile {
                plugin: name.to_owned(),
            }),
        }
    }

    /// Lets the version of a plugin in a file take the place of the loaded one: hands the state over,
    /// changes the functions in all states, and unloads the older version, on which it reports.
    ///
    /// Until the new version is complete, nothing of the loaded one has changed, and it goes on if
    /// anything fails.
    pub(super) fn replace(
        &self,
        old: Arc<Entry>,
        file: Result<PluginFile, Error>,
    ) -> Result<UnloadReport, Error> {
        let (name, path) = (old.name().to_owned(), old.path());
        let _span = info_span!("reload", plugin = name, path = %path.display()).entered();
        // Until the old version is gone: code of the script that runs in between cannot unload it.
        let busy = old.begin(Hook::Reload)?;
        old.check_idle(true)?;
        let new = file
            .and_then(|file| self.prepare(&old, &file))
            .map_err(|source| {
                let error = source.report();
                debug!(step = "reload", plugin = name, path = %path.display(), error, "given up");
                Error::Reload {
                    plugin: name.clone(),
                    path: path.clone(),
                    source: Box::new(source),
                }
            })?;
        new.take_over(&old);
        let new = Arc::new(new);
        for entry in lock(&self.entries).iter_mut() {
            if Arc::ptr_eq(entry, &old) {
                *entry = Arc::clone(&new);
            }
        }
        info!(step = "reload", plugin = name, path = %path.display(), "reloaded");
        let retired = old.end_now();
        drop(busy);
        let ended = self.left.end(&old, true);
        let is_unchanged = match (old.origin(), new.origin()) {
            (Origin::File(old), Origin::File(new)) => Arc::ptr_eq(old, new),
            _ => false,
        };
        drop(old);
        let mut report = if is_unchanged {
            let text = "the file has not changed, so that the same library is used again";
            if let Origin::File(library) = new.origin() {
                self.left.is_used_again(library);
            }
            ended.report(vec![Reason::new(ReasonKind::State, text)])
        } else {
            drop(new);
            self.left.look(ended, true)
        };
        if let Err(error) = retired {
            // The one that is known already does not say what happened.
            report
                .reasons
                .retain(|reason| reason.kind != ReasonKind::Failed);
            report
                .reasons
                .insert(0, Reason::new(ReasonKind::Failed, error.report()));
        }
        Ok(report)
    }

    /// Makes a new version, complete but for being seen.
    fn prepare(&self, old: &Entry, file: &PluginFile) -> Result<Entry, Error> {
        file.check()?;
        let states: Vec<Lua> = old.states().into_iter().flatten().collect();
        self.admit(file, &states)?;
        let _loading = Loading::begin(self, &file.path)?;
        let library = Library::open(file)?;
        let new = old.successor(&library);
        let mut entered = Vec::new();
        let Err(error) = self.fill(&new, old, &library, &mut entered) else {
            return Ok(new);
        };
        if let Err(failure) = new.end() {
            log_failure("undo", &new, &failure);
        }
        for state in entered {
            self.left.deactivate(&library, Some(state));
        }
        drop(new);
        let is_unchanged =
            matches!(old.origin(), Origin::File(present) if Arc::ptr_eq(present, &library));
        if !is_unchanged {
            self.left.give_up(library);
        }
        Err(error)
    }

    fn fill(
        &self,
        new: &Entry,
        old: &Entry,
        library: &Arc<Library>,
        entered: &mut Vec<StateId>,
    ) -> Result<(), Error> {
        for (place, states) in old.states().into_iter().enumerate() {
            new.add_object(old, place)?;
            for lua in states {
                let state = StateId::of(&lua);
                if residence::is_looked_at(state) {
                    return Err(Error::Collecting {
                        plugin: new.name().to_owned(),
                        path: new.path(),
                    });
                }
                self.left.enter(library, &lua);
                entered.push(state);
                new.add_functions(place, &lua)?;
                if let Some(registered) = new.registered(state) {
                    self.left.note_functions(library, state, &registered.names);
                }
            }
        }
        Ok(())
    }
}
