//! What plugin libraries have in Lua states, and taking it out.
//!
//! A *residence* begins when a plugin's functions are made in a state, and ends when nothing of the
//! library is left there: nothing that scripts could reach, nor anything of mlua's. A library with a
//! residence stays mapped.

use std::fmt;
use std::sync::{Arc, Mutex};

use plugin_api::abi::Inventory;
use plugin_api::mlua::{self, Lua, Table, WeakLua};
use tracing::{debug, warn};

use crate::library::{LeftBehind, Library};
use crate::lock::lock;
use crate::lua_state::StateId;
use crate::report::{Reason, ReasonKind};

mod collector;
mod hooks;
mod probe;
mod release;
mod survivors;
mod walk;

use collector::Quiet;
use probe::{Answer, Candidate, Verdict, probe};
use walk::c_function;

/// A library in a Lua state.
pub(crate) struct Residence {
    pub(crate) library: Arc<Library>,
    pub(crate) state: StateId,
    lua: WeakLua,
    /// Tables of the plugin's functions with their names, which let go of a function that dies.
    names: Vec<Table>,
    /// Whether nothing of the library is left in the state.
    has_ended: bool,
    /// Why the library was still there when it was looked at last.
    reasons: Vec<Reason>,
}

impl Residence {
    pub(crate) fn begin(library: &Arc<Library>, lua: &Lua) -> Self {
        let state = StateId::of(lua);
        library.enter(state);
        Self {
            library: Arc::clone(library),
            state,
            lua: lua.weak(),
            names: Vec::new(),
            has_ended: false,
            reasons: Vec::new(),
        }
    }

    /// Adds a table of functions with their names.
    pub(crate) fn add_names(&mut self, names: &Table) {
        if !self.names.contains(names) {
            self.names.push(names.clone());
        }
    }

    /// Whether another manager has found out that nothing is left.
    pub(crate) fn was_ended_elsewhere(&self) -> bool {
        !self.library.is_in(self.state)
    }

    /// The state, if it is open.
    pub(crate) fn lua(&self) -> Option<Lua> {
        self.lua.try_upgrade()
    }

    /// The reasons that the last look found.
    pub(crate) fn reasons(&self) -> &[Reason] {
        &self.reasons
    }

    /// Notes why it was not looked at.
    pub(crate) fn not_looked_at(&mut self, text: &str) {
        self.keep(Reason::new(ReasonKind::NotCollected, text));
    }

    /// Notes why it stays.
    pub(crate) fn keep(&mut self, reason: Reason) {
        self.reasons = vec![reason];
    }
}

impl fmt::Debug for Residence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Residence")
            .field("path", &self.library.path)
            .field("state", &self.state)
            .finish_non_exhaustive()
    }
}

impl Drop for Residence {
    fn drop(&mut self) {
        if !self.has_ended && !self.library.give_up(self.state) {
            self.library.note_abandoned();
        }
    }
}

/// Looks at residences in one open state, and ends those of which nothing is left; gives the
/// others.
pub(crate) fn look(lua: &Lua, residences: Vec<Residence>) -> Vec<Residence> {
    if residences.is_empty() {
        return residences;
    }
    let Some(_looking) = Looking::begin(StateId::of(lua)) else {
        return all(residences, "another unload is looking at this moment");
    };
    if !collector::is_possible(lua) {
        return all(residences, "no collection is possible at this moment");
    }
    let quiet = Quiet::begin(lua);
    let (mut kept, mut open) = (Vec::new(), residences);
    let (mut rounds, mut were_traces_flushed) = (ROUNDS, false);
    let mut is_settled = false;
    loop {
        // Finalisers that are due run first, while everything is in its place. They may change what
        // the libraries have in the state, so that is asked anew.
        if !is_settled && !quiet.settle() {
            kept.extend(all(open, "the collector does not run"));
            break;
        }
        let (asked, others) = take_inventory(lua, &quiet, open);
        kept.extend(others);
        rounds -= 1;
        let (still_open, alive) = ask(lua, &quiet, asked, rounds > 0, &mut is_settled);
        open = still_open;
        if !alive.is_empty() && !were_traces_flushed && flush_traces(lua) {
            // Compiled traces refer to functions. Without them, another look may say otherwise.
            (rounds, were_traces_flushed) = (ROUNDS, true);
            open.extend(alive.into_iter().map(|(residence, _)| residence));
        } else {
            for (mut residence, left) in alive {
                let found = candidate(&residence, &left);
                let reasons = survivors::reasons(lua, &found, &residence.names);
                residence.reasons = reasons;
                kept.push(residence);
            }
        }
        if open.is_empty() {
            break;
        }
    }
    kept
}

/// How often the collector is asked. What is left after a finaliser ran goes in the next round; in
/// older Lua, what only a weak table's value refers to takes one more.
const ROUNDS: usize = 4;

/// A residence, and what the library has there.
type Found = (Residence, LeftBehind);

/// What the libraries have in a state. Those that Lua may call at any time, without any value leading
/// to them, are not asked about: their code needs what mlua has for the state. They come second.
fn take_inventory(
    lua: &Lua,
    quiet: &Quiet<'_>,
    residences: Vec<Residence>,
) -> (Vec<Found>, Vec<Residence>) {
    let (mut asked, mut others) = (Vec::new(), Vec::new());
    for mut residence in residences {
        // SAFETY: the state is open.
        let left = lua.exec_raw_lua(|raw| unsafe { residence.library.inventory(raw.state()) });
        let found = candidate(&residence, &left);
        if let Err(error) = hooks::tidy(lua, quiet, &found) {
            let (plugin, path) = (&residence.library.manifest.name, &residence.library.path);
            warn!(step = "leave", plugin, path = %path.display(), %error, "could not look for hooks");
        }
        let reasons = hooks::reasons(lua, quiet, &found);
        if reasons.is_empty() {
            asked.push((residence, left));
        } else {
            residence.reasons = reasons;
            others.push(residence);
        }
    }
    (asked, others)
}

/// Asks the collector, and ends the residences of which nothing is left. Gives those that another
/// round may tell more about, if there is one, and those of which something is left. Notes in
/// `is_settled` whether no finaliser is due afterwards.
fn ask(
    lua: &Lua,
    quiet: &Quiet<'_>,
    asked: Vec<Found>,
    is_another: bool,
    is_settled: &mut bool,
) -> (Vec<Residence>, Vec<Found>) {
    let candidates: Vec<Candidate<'_>> = asked.iter().map(|(r, left)| candidate(r, left)).collect();
    let answer = probe(lua, quiet, &candidates).unwrap_or_else(|error| {
        warn!(step = "leave", %error, "could not ask the collector");
        Answer::nothing(asked.len())
    });
    *is_settled = answer.is_settled;
    drop(candidates);
    let (mut open, mut alive) = (Vec::new(), Vec::new());
    for ((mut residence, left), verdict) in asked.into_iter().zip(answer.verdicts) {
        match verdict {
            Verdict::Gone => leave(lua, &mut residence, &left),
            Verdict::Unclear | Verdict::Unknown if is_another => open.push(residence),
            _ => alive.push((residence, left)),
        }
    }
    (open, alive)
}

/// States that are being looked at. A finaliser that runs meanwhile must not bring a library back.
static LOOKING: Mutex<Vec<StateId>> = Mutex::new(Vec::new());

/// Whether a state is being looked at.
pub(crate) fn is_looked_at(state: StateId) -> bool {
    lock(&LOOKING).contains(&state)
}

/// Marks a state as being looked at, until dropped.
struct Looking(StateId);

impl Looking {
    fn begin(state: StateId) -> Option<Self> {
        let mut looking = lock(&LOOKING);
        (!looking.contains(&state)).then(|| {
            looking.push(state);
            Self(state)
        })
    }
}

impl Drop for Looking {
    fn drop(&mut self) {
        lock(&LOOKING).retain(|state| *state != self.0);
    }
}

fn all(mut residences: Vec<Residence>, text: &str) -> Vec<Residence> {
    for residence in &mut residences {
        residence.not_looked_at(text);
    }
    residences
}

fn candidate<'a>(residence: &'a Residence, left: &'a LeftBehind) -> Candidate<'a> {
    Candidate {
        addresses: &residence.library.addresses,
        left,
    }
}

/// Takes the last of a library out of a state.
fn leave(lua: &Lua, residence: &mut Residence, left: &LeftBehind) {
    let (plugin, path) = (
        &residence.library.manifest.name,
        residence.library.path.display(),
    );
    match release::release(lua, &candidate(residence, left)) {
        Ok(()) => {
            debug!(step = "leave", plugin, %path, "nothing of the library is left in the state")
        }
        Err(error) => {
            warn!(step = "leave", plugin, %path, %error, "something may be left in the state");
            residence.library.note_abandoned();
        }
    }
    // SAFETY: the state is open.
    lua.exec_raw_lua(|raw| unsafe { residence.library.forget(raw.state()) });
    residence.names.clear();
    residence.has_ended = true;
    residence.library.leave(residence.state);
}

/// Whether a coroutine, other than those that are being run, is suspended in code of a library or in
/// one of the given functions written in Lua. Walks over the whole state.
pub(crate) fn is_suspended_in(
    lua: &Lua,
    library: &Library,
    is_it: &dyn Fn(*const std::ffi::c_void) -> bool,
) -> mlua::Result<bool> {
    // Nothing may change while it is looked at.
    let _quiet = Quiet::begin(lua);
    survivors::is_suspended_in(lua, &library.addresses, is_it)
}

/// Whether C functions of the library have yielded.
pub(crate) fn has_yielded(lua: &Lua, library: &Library) -> bool {
    // SAFETY: the state is open.
    let left = lua.exec_raw_lua(|raw| unsafe { library.inventory(raw.state()) });
    left.flags & Inventory::YIELD != 0
}

/// Drops LuaJIT's compiled traces; tells whether there may have been any. The build for Lua 5.1
/// also runs in LuaJIT.
#[cfg(any(feature = "lua51", feature = "luajit"))]
fn flush_traces(lua: &Lua) -> bool {
    let flush = || {
        let loaded: Table = lua.named_registry_value("_LOADED")?;
        let jit: Table = loaded.raw_get("jit")?;
        jit.raw_get::<mlua::Function>("flush")?.call::<()>(())
    };
    // Without its library the compiler cannot be reached, or is not there.
    flush().is_ok()
}

/// There are no traces.
#[cfg(not(any(feature = "lua51", feature = "luajit")))]
fn flush_traces(_lua: &Lua) -> bool {
    false
}
