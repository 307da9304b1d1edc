//! Watching plugin files, and reloading those that were rebuilt when the program asks for it.

use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant};
use std::{mem, process};

use notify::event::{AccessKind, AccessMode};
use notify::{Config, Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher};
use tracing::{debug, warn};

use super::{LoadedPlugins, Origin};
use crate::Error;
use crate::lock::lock;
use crate::plugin_file::Identity;
use crate::report::UnloadReport;

/// What polling did about one watched plugin.
#[derive(Debug)]
#[non_exhaustive]
pub struct PollResult {
    /// The plugin's name.
    pub name: String,
    /// The report on the old version, or why the new one was not taken. The old version goes on then.
    pub outcome: Result<UnloadReport, Error>,
    /// Whether it will be tried again without another change of the file, because the plugin is in
    /// use at this moment.
    pub is_pending: bool,
}

/// The plugins that are watched. The watcher, and its thread, exist while there are any.
#[derive(Debug, Default)]
pub(super) struct Watches(Mutex<Option<Active>>);

#[derive(Debug)]
struct Active {
    /// The process that has the watcher's thread.
    process: u32,
    watcher: RecommendedWatcher,
    events: Receiver<(Instant, notify::Result<Event>)>,
    watched: Vec<Watched>,
}

#[derive(Debug)]
struct Watched {
    plugin: String,
    path: PathBuf,
    /// How long the file has to be left alone before it is taken to be complete.
    quiet: Duration,
    /// When the file changed last, if it was not looked at since.
    changed: Option<Instant>,
    /// What could not be loaded, so that it is not tried again.
    refused: Option<Identity>,
    /// Whether the directory has to be watched anew, as it was removed.
    is_lost: bool,
}

impl Watches {
    fn add(&self, plugin: &str, path: &Path, quiet: Duration) -> Result<(), Error> {
        let failed = |source| Error::Watch {
            plugin: plugin.to_owned(),
            path: path.to_owned(),
            source: Box::new(source),
        };
        let mut slot = lock(&self.0);
        let active = match present(&mut slot).map_err(failed)? {
            Some(active) => active,
            None => slot.insert(Active::start().map_err(failed)?),
        };
        active
            .watcher
            .watch(folder(path), RecursiveMode::NonRecursive)
            .map_err(failed)?;
        active.watched.retain(|watched| watched.plugin != plugin);
        active.watched.push(Watched {
            plugin: plugin.to_owned(),
            path: path.to_owned(),
            quiet,
            // It may have changed since it was loaded.
            changed: Some(Instant::now()),
            refused: None,
            is_lost: false,
        });
        Ok(())
    }

    /// Ends the watch over a plugin; tells whether there was one.
    pub(super) fn remove(&self, plugin: &str) -> bool {
        let mut slot = lock(&self.0);
        let Some(active) = present_or_warn(&mut slot) else {
            return false;
        };
        let count = active.watched.len();
        active.watched.retain(|watched| watched.plugin != plugin);
        let was_watched = active.watched.len() < count;
        if active.watched.is_empty() {
            *slot = None;
        }
        was_watched
    }

    /// The plugins whose files have changed and were left alone since, with their files.
    fn due(&self) -> Vec<(String, PathBuf, Option<Identity>)> {
        let mut slot = lock(&self.0);
        let Some(active) = present_or_warn(&mut slot) else {
            return Vec::new();
        };
        active.take_events();
        let due = |watched: &&mut Watched| {
            watched
                .changed
                .is_some_and(|changed| changed.elapsed() >= watched.quiet)
        };
        let taken = active.watched.iter_mut().filter(due).map(|watched| {
            watched.changed = None;
            (
                watched.plugin.clone(),
                watched.path.clone(),
                watched.refused,
            )
        });
        taken.collect()
    }

    fn change(&self, plugin: &str, change: impl FnOnce(&mut Watched)) {
        if let Some(active) = lock(&self.0).as_mut() {
            let mut watched = active.watched.iter_mut();
            watched.find(|watched| watched.plugin == plugin).map(change);
        }
    }
}

impl Drop for Watches {
    fn drop(&mut self) {
        // A child that never polled: see `Active::leave`.
        let active = lock(&self.0).take();
        if let Some(active) = active.filter(Active::is_of_parent) {
            active.leave();
        }
    }
}

/// What is watched, by a watcher of this process. Where none can be made, the watches have ended.
fn present(slot: &mut Option<Active>) -> notify::Result<Option<&mut Active>> {
    if let Some(active) = slot.take_if(|active| active.is_of_parent()) {
        let watched = active.leave();
        *slot = Some(Active {
            watched,
            ..Active::start()?
        });
    }
    Ok(slot.as_mut())
}

/// The same, with a warning where they have ended.
fn present_or_warn(slot: &mut Option<Active>) -> Option<&mut Active> {
    present(slot).unwrap_or_else(|error| {
        warn!(step = "watch", %error, "the watches have ended");
        None
    })
}

impl Active {
    /// Whether this process was forked from the one that has the watcher's thread: to ask the watcher
    /// for anything would be to wait for ever.
    fn is_of_parent(&self) -> bool {
        self.process != process::id()
    }

    /// Leaves a watcher of the parent as it is, and returns what it watched, to be watched anew. The
    /// thread may have held its end of the channels when the process was forked, so they are not dropped.
    fn leave(self) -> Vec<Watched> {
        let Self {
            watcher,
            events,
            mut watched,
            ..
        } = self;
        mem::forget((watcher, events));
        for watched in &mut watched {
            watched.is_lost = true;
        }
        watched
    }

    fn start() -> notify::Result<Self> {
        let (sender, events) = mpsc::channel();
        let mut watcher = notify::recommended_watcher(move |event| {
            // Nobody listens any more when the watcher is being dropped.
            let _ = sender.send((Instant::now(), event));
        })?;
        // A watcher without its thread, where none may be started, does not say so. It would panic
        // when it is asked for anything else, and when it is dropped.
        if watcher.configure(Config::default()).is_err() {
            mem::forget(watcher);
            return Err(notify::Error::generic(
                "the watcher's thread cannot be started",
            ));
        }
        Ok(Self {
            process: process::id(),
            watcher,
            events,
            watched: Vec::new(),
        })
    }

    fn take_events(&mut self) {
        for (when, event) in self.events.try_iter() {
            match event {
                Ok(event) => {
                    for watched in &mut self.watched {
                        watched.hear(when, &event);
                    }
                }
                Err(error) => warn!(step = "watch", %error, "the watcher failed"),
            }
        }
        for watched in self.watched.iter_mut().filter(|watched| watched.is_lost) {
            let folder = folder(&watched.path);
            if self
                .watcher
                .watch(folder, RecursiveMode::NonRecursive)
                .is_ok()
            {
                watched.is_lost = false;
                watched.changed = Some(Instant::now());
            }
        }
    }
}

impl Watched {
    fn hear(&mut self, when: Instant, event: &Event) {
        let folder = folder(&self.path);
        let is_removed = matches!(event.kind, EventKind::Remove(_))
            && event.paths.iter().any(|path| path == folder);
        self.is_lost |= is_removed;
        let is_change = match event.kind {
            EventKind::Access(AccessKind::Close(AccessMode::Write)) => true,
            EventKind::Access(_) => false,
            _ => true,
        };
        let is_ours = event.paths.contains(&self.path);
        if event.need_rescan() || (is_change && is_ours) {
            self.changed = Some(self.changed.map_or(when, |before| before.max(when)));
        }
    }
}

/// Files are replaced, so it is the directory that is watched.
fn folder(path: &Path) -> &Path {
    path.parent().unwrap_or(path)
}

impl LoadedPlugins {
    /// Watches the file of a plugin, which is taken to be complete once nobody has changed it for as
    /// long as `quiet`.
    pub(crate) fn watch(&self, name: &str, quiet: Duration) -> Result<(), Error> {
        let entry = self.get_from_file(name)?;
        self.watches.add(name, &entry.path(), quiet)
    }

    /// Ends the watch; tells whether there was one.
    pub(crate) fn unwatch(&self, name: &str) -> bool {
        self.watches.remove(name)
    }

    /// Reloads the watched plugins whose files have changed.
    pub(crate) fn poll(&self) -> Vec<PollResult> {
        let due = self.watches.due();
        let polled = due.into_iter().filter_map(|(name, path, refused)| {
            let entry = self.get(&name)?;
            let Origin::File(library) = entry.origin() else {
                return None;
            };
            let file = self.read_again(&path);
            // It is between two lives; its return will be heard of.
            if matches!(file, Err(Error::Read { .. })) {
                return None;
            }
            let identity = file.as_ref().ok().map(|file| file.identity);
            let is_known = [Some(library.identity()), refused].contains(&identity);
            if identity.is_some() && is_known {
                debug!(step = "poll", plugin = name, path = %path.display(), "nothing new");
                return None;
            }
            let outcome = self.replace(entry, file);
            let is_pending = matches!(
                outcome,
                Err(Error::InUse { .. } | Error::Busy { .. } | Error::Suspended { .. })
            );
            self.watches.change(&name, |watched| {
                if is_pending {
                    watched.changed = watched.changed.or(Some(Instant::now()));
                } else {
                    watched.refused = outcome.is_err().then_some(identity).flatten();
                }
            });
            Some(PollResult {
                name,
                outcome,
                is_pending,
            })
        });
        polled.collect()
    }
}
