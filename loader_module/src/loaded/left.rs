//! What the plugins of a manager have left: in Lua states, and in the process. Looked at again at each
//! unload, until nothing is left and the library is unmapped.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, Weak};

use plugin_api::mlua::{Lua, Table};

use crate::library::Library;
use crate::loaded::{Entry, Origin};
use crate::lock::lock;
use crate::lua_state::StateId;
use crate::report::{Reason, ReasonKind, UnloadReport};
use crate::residence::{self, Residence};

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Left {
    residences: Mutex<Vec<Held>>,
    ended: Mutex<Vec<Ended>>,
}

/// What a plugin has in a state, and how many plugin objects use it there.
#[derive(Debug)]
struct Held {
    residence: Residence,
    users: usize,
}

/// A plugin that was unloaded, but whose library is mapped as far as is known.
#[derive(Debug, Clone)]
pub(super) struct Ended {
    name: String,
    path: Option<PathBuf>,
    /// None if the plugin was part of the program.
    library: Option<Weak<Library>>,
    /// Whether a newer version took its place.
    reloaded: bool,
}

impl Left {
    /// Notes that functions of a library are going to be made in a state.
    pub(super) fn enter(&self, library: &Arc<Library>, lua: &Lua) {
        let state = StateId::of(lua);
        library.logs.note_state(state);
        let mut residences = lock(&self.residences);
        residences.retain(|held| !held.residence.was_ended_elsewhere());
        match residences
            .iter_mut()
            .find(|held| held.is_of(library, state))
        {
            Some(held) => held.users += 1,
            None => residences.push(Held {
                residence: Residence::begin(library, lua),
                users: 1,
            }),
        }
        library.use_in(state, true);
    }

    /// Adds the functions that were made, so that those which are still there can be named.
    pub(super) fn note_functions(&self, library: &Arc<Library>, state: StateId, names: &Table) {
        let mut residences = lock(&self.residences);
        if let Some(held) = residences
            .iter_mut()
            .find(|held| held.is_of(library, state))
        {
            held.residence.add_names(names);
        }
    }

    /// Notes that an object of a library has gone from one state, or from all.
    pub(super) fn deactivate(&self, library: &Arc<Library>, state: Option<StateId>) {
        for held in lock(&self.residences).iter_mut() {
            let is_it = state.is_none_or(|state| held.residence.state == state);
            if is_it && held.users > 0 && Arc::ptr_eq(&held.residence.library, library) {
                held.users -= 1;
                library.use_in(held.residence.state, false);
            }
        }
    }

    /// Notes that a plugin was ended; `reloaded` if a newer version took its place.
    pub(super) fn end(&self, entry: &Entry, reloaded: bool) -> Ended {
        let ended = match entry.origin() {
            Origin::File(library) => {
                self.deactivate(library, None);
                Ended {
                    name: entry.name().to_owned(),
                    path: Some(library.path.clone()),
                    library: Some(Arc::downgrade(library)),
                    reloaded,
                }
            }
            Origin::Program => Ended {
                name: entry.name().to_owned(),
                path: None,
                library: None,
                reloaded,
            },
        };
        if ended.library.is_some() {
            let mut all = lock(&self.ended);
            // One report for each library: the last plugin of it is the one to name.
            all.retain(|other| !other.is_same(&ended));
            all.push(ended.clone());
        }
        ended
    }

    /// Notes that no plugin came out of a library, and unmaps it if that is possible without looking
    /// into any state.
    pub(super) fn give_up(&self, library: Arc<Library>) {
        let ended = Ended {
            name: library.manifest.name.clone(),
            path: Some(library.path.clone()),
            library: Some(Arc::downgrade(&library)),
            reloaded: false,
        };
        if Library::close(&library).is_err() {
            let mut all = lock(&self.ended);
            all.retain(|other| !other.is_same(&ended));
            all.push(ended);
        }
    }

    /// Takes back that a library is left over: a plugin of it is in use.
    pub(super) fn is_used_again(&self, library: &Arc<Library>) {
        let library = Arc::downgrade(library);
        lock(&self.ended).retain(|ended| {
            let ended = ended.library.as_ref();
            !ended.is_some_and(|ended| Weak::ptr_eq(ended, &library))
        });
    }

    /// Looks at everything that is left, and reports on one plugin that was just ended.
    pub(super) fn look(&self, ended: Ended, collect: bool) -> UnloadReport {
        if ended.library.is_none() {
            let text = "it is part of the program";
            return ended.report(vec![Reason::new(ReasonKind::Program, text)]);
        }
        let reports = self.look_again(collect);
        let is_it = |report: &UnloadReport| report.name == ended.name && report.path == ended.path;
        let found = reports.into_iter().rfind(is_it);
        found.unwrap_or_else(|| ended.report(Vec::new()))
    }

    /// Looks at everything that is left; gives a report for each plugin.
    pub(super) fn look_again(&self, collect: bool) -> Vec<UnloadReport> {
        self.look_at_residences(collect);
        let ended = std::mem::take(&mut *lock(&self.ended));
        let mut reports = Vec::new();
        for ended in ended {
            let reasons = self.reasons(&ended);
            if !reasons.is_empty() && ended.is_mapped() {
                lock(&self.ended).push(ended.clone());
            }
            reports.push(ended.report(reasons));
        }
        reports
    }

    /// Unmaps the library of a plugin that was ended, or says why not.
    fn reasons(&self, ended: &Ended) -> Vec<Reason> {
        let Some(library) = ended.library.as_ref().and_then(Weak::upgrade) else {
            return Vec::new();
        };
        let reasons: Vec<Reason> = lock(&self.residences)
            .iter()
            .filter(|held| Arc::ptr_eq(&held.residence.library, &library))
            .flat_map(|held| held.residence.reasons().to_vec())
            .collect();
        match Library::close(&library) {
            Ok(()) => Vec::new(),
            // That it is used in states is said better by what is left there.
            Err(others) => reasons
                .iter()
                .cloned()
                .chain(
                    others
                        .into_iter()
                        .filter(|reason| reasons.is_empty() || reason.kind != ReasonKind::State),
                )
                .collect(),
        }
    }

    /// Ends the residences of which nothing is left.
    fn look_at_residences(&self, collect: bool) {
        // Taken out of the list: finalisers that run now may use the loader.
        let (mut idle, busy): (Vec<_>, Vec<_>) = std::mem::take(&mut *lock(&self.residences))
            .into_iter()
            .partition(|held| held.users == 0);
        lock(&self.residences).extend(busy);
        while let Some(state) = idle.first().map(|held| held.residence.state) {
            let (here, elsewhere) = idle
                .into_iter()
                .partition(|held| held.residence.state == state);
            idle = elsewhere;
            let kept = look_in_state(here, collect);
            lock(&self.residences).extend(kept);
        }
    }

    /// Gives up what is left in a state that is being closed.
    pub(super) fn state_closed(&self, state: StateId) {
        let residences = std::mem::take(&mut *lock(&self.residences));
        let (closed, open): (Vec<_>, Vec<_>) = residences
            .into_iter()
            .partition(|held| held.residence.state == state);
        lock(&self.residences).extend(open);
        drop(closed);
    }
}

/// Looks at residences in one state; gives those that did not end.
fn look_in_state(here: Vec<Held>, collect: bool) -> Vec<Held> {
    let Some(lua) = here.first().and_then(|held| held.residence.lua()) else {
        // The state is closed, and what is left there is given up.
        return Vec::new();
    };
    let (mut asked, mut kept) = (Vec::new(), Vec::new());
    for mut held in here {
        let Residence { library, state, .. } = &held.residence;
        if held.residence.was_ended_elsewhere() {
            continue;
        } else if library.users_in(*state) > 0 {
            held.residence.keep(Reason::new(
                ReasonKind::State,
                "another loader uses it in the same Lua state",
            ));
            kept.push(held);
        } else if collect {
            asked.push(held.residence);
        } else {
            // What was found at an earlier look stands.
            if held.residence.reasons().is_empty() {
                held.residence
                    .not_looked_at("a collection was not wanted; what Lua has of it is not known");
            }
            kept.push(held);
        }
    }
    let left = residence::look(&lua, asked);
    kept.extend(left.into_iter().map(|residence| Held {
        residence,
        users: 0,
    }));
    kept
}

impl Held {
    fn is_of(&self, library: &Arc<Library>, state: StateId) -> bool {
        self.residence.state == state && Arc::ptr_eq(&self.residence.library, library)
    }
}

impl Ended {
    fn is_same(&self, other: &Self) -> bool {
        match (&self.library, &other.library) {
            (Some(one), Some(other)) => Weak::ptr_eq(one, other),
            _ => false,
        }
    }

    /// Whether the library is one that can be looked at again.
    fn is_mapped(&self) -> bool {
        self.library
            .as_ref()
            .is_some_and(|library| library.strong_count() > 0)
    }

    pub(super) fn report(&self, reasons: Vec<Reason>) -> UnloadReport {
        UnloadReport {
            name: self.name.clone(),
            path: self.path.clone(),
            reloaded: self.reloaded,
            unmapped: reasons.is_empty(),
            reasons,
        }
    }
}
