//! The plugin libraries mapped into this process: each is opened once, by content, and closed when
//! nothing of it is left.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

use plugin_api::abi::{Descriptor, Inventory, Usage};
use plugin_api::manifest::Manifest;
use plugin_api::mlua::ffi::lua_State;
use tracing::{debug, info_span};

use crate::Error;
use crate::lock::lock;
use crate::logs;
use crate::lua_state::StateId;
use crate::plugin_file::{Identity, PluginFile, kept};
use crate::report::{Reason, ReasonKind};
use crate::sha256::Sha256;

mod copy;
mod mapped;
mod open;
mod signals;

pub(crate) use mapped::Addresses;
use mapped::is_mapped;

/// A mapped plugin library with its Lua API bound.
///
/// It stays mapped while anything but the list of open libraries has it: a loaded plugin, a plugin
/// object, or what it left in a Lua state.
#[derive(Debug)]
pub(crate) struct Library {
    /// The plugin file; what is mapped is a private copy of it.
    pub(crate) path: PathBuf,
    pub(crate) manifest: Manifest,
    /// Where its code and data are; empty where that is not known.
    pub(crate) addresses: Addresses,
    /// What it logs.
    pub(crate) logs: Arc<logs::Source>,
    descriptor: *const Descriptor,
    identity: Identity,
    /// The SHA-256 of the file's content, once it was asked for.
    sha256: OnceLock<Sha256>,
    /// The handle that unmaps the library when it is dropped, until `close` takes it.
    handle: Mutex<Option<libloading::Library>>,
    /// The states in which it may have left something.
    states: Mutex<Vec<Stay>>,
    /// Whether one of its plugins failed to end.
    has_failed: AtomicBool,
    /// Whether a state in which it left something was closed: its end cannot be seen from here.
    was_abandoned: AtomicBool,
}

/// A library in a Lua state.
#[derive(Debug)]
struct Stay {
    state: StateId,
    /// How many managers have something of it there.
    residences: usize,
    /// How many plugin objects of it are in use there.
    users: usize,
}

// SAFETY: the descriptor is immutable and readable from every thread.
unsafe impl Send for Library {}
// SAFETY: as above.
unsafe impl Sync for Library {}

/// Every library this loader has open. Holding the lock while opening and closing also keeps two
/// threads from binding or unmapping one library at a time.
static OPEN: Mutex<Vec<Arc<Library>>> = Mutex::new(Vec::new());

impl Library {
    /// Whether this is the library of the given file, by content.
    pub(crate) fn is_from(&self, file: &PluginFile) -> bool {
        let known = self.sha256.get().zip(file.sha256.as_ref());
        self.identity == file.identity && known.is_none_or(|(ours, its)| ours == its)
    }

    /// The SHA-256 of the file's content, if it is known.
    pub(crate) fn sha256(&self) -> Option<Sha256> {
        self.sha256.get().copied()
    }

    /// Notes the SHA-256 of a file of the same content, if it is known.
    pub(crate) fn note_sha256(&self, file: &PluginFile) {
        if let Some(sha256) = file.sha256 {
            let _ = self.sha256.set(sha256);
        }
    }

    /// What tells the file's content from others.
    pub(crate) fn identity(&self) -> Identity {
        self.identity
    }

    /// Maps the library of a checked file and binds it, or finds it mapped already.
    pub(crate) fn open(file: &PluginFile) -> Result<Arc<Self>, Error> {
        let (plugin, path) = (file.manifest.name.as_str(), file.path.display());
        let _span = info_span!("open", plugin, %path).entered();
        let mut open = lock(&OPEN);
        if let Some(library) = open.iter().find(|library| library.is_from(file)) {
            library.note_sha256(file);
            debug!(step = "reuse", plugin, %path, "the library is mapped already");
            return Ok(Arc::clone(library));
        }
        let is_known = |descriptor| open.iter().any(|library| library.descriptor == descriptor);
        let (handle, descriptor, copy) = open::map(file, &is_known)?;
        debug!(step = "open", plugin, %path, "mapped the library");
        // SAFETY: the handle keeps the library mapped.
        if let Err(error) = open::bind(unsafe { &*descriptor }, file) {
            // Nothing tells what it would take to unmap it.
            std::mem::forget(handle);
            return Err(error);
        }
        debug!(step = "bind", plugin, %path, "bound the Lua API");
        let addresses = Addresses::around(descriptor.cast());
        // SAFETY: as above.
        let logs = logs::Source::listen(unsafe { &*descriptor }, addresses.clone(), plugin);
        let library = Arc::new(Self {
            path: file.path.clone(),
            manifest: file.manifest.clone(),
            addresses,
            logs,
            descriptor,
            identity: file.identity,
            sha256: file.sha256.map_or_else(OnceLock::new, OnceLock::from),
            handle: Mutex::new(Some(handle)),
            states: Mutex::new(Vec::new()),
            has_failed: AtomicBool::new(false),
            was_abandoned: AtomicBool::new(false),
        });
        if let Some(copy) = copy {
            copy.keep(file);
        }
        open.push(Arc::clone(&library));
        Ok(library)
    }

    /// What the plugin offers.
    pub(crate) fn descriptor(&self) -> &Descriptor {
        // SAFETY: the descriptor is a static of the library, which is mapped: `close` succeeds only
        // if nobody else has this value, and nobody uses the value afterwards.
        unsafe { &*self.descriptor }
    }

    /// Notes that a manager may leave something of the library in a state.
    pub(crate) fn enter(&self, state: StateId) {
        let mut stays = lock(&self.states);
        match stays.iter_mut().find(|stay| stay.state == state) {
            Some(stay) => stay.residences += 1,
            None => stays.push(Stay {
                state,
                residences: 1,
                users: 0,
            }),
        }
    }

    /// Notes that a manager has given a state up without knowing that nothing is left there; tells
    /// whether another has found out meanwhile that nothing is.
    pub(crate) fn give_up(&self, state: StateId) -> bool {
        let mut stays = lock(&self.states);
        let Some(index) = stays.iter().position(|stay| stay.state == state) else {
            return true;
        };
        stays[index].residences -= 1;
        if stays[index].residences == 0 {
            stays.swap_remove(index);
        }
        false
    }

    /// Notes that nothing of the library is left in a state.
    pub(crate) fn leave(&self, state: StateId) {
        lock(&self.states).retain(|stay| stay.state != state);
    }

    /// Whether something of the library may be in a state.
    pub(crate) fn is_in(&self, state: StateId) -> bool {
        lock(&self.states).iter().any(|stay| stay.state == state)
    }

    /// Notes that a plugin object is in use in a state, or is so no longer.
    pub(crate) fn use_in(&self, state: StateId, begins: bool) {
        let mut stays = lock(&self.states);
        if let Some(stay) = stays.iter_mut().find(|stay| stay.state == state) {
            stay.users = if begins {
                stay.users + 1
            } else {
                stay.users.saturating_sub(1)
            };
        }
    }

    /// How many plugin objects are in use in a state.
    pub(crate) fn users_in(&self, state: StateId) -> usize {
        let stays = lock(&self.states);
        let stay = stays.iter().find(|stay| stay.state == state);
        stay.map_or(0, |stay| stay.users)
    }

    /// Notes that a plugin of the library failed to end: the library stays.
    pub(crate) fn note_failure(&self) {
        self.has_failed.store(true, Ordering::Relaxed);
    }

    /// Notes that something of the library was left in a state that was closed: the library stays.
    pub(crate) fn note_abandoned(&self) {
        self.was_abandoned.store(true, Ordering::Relaxed);
    }

    /// What the library has in a state, apart from Lua values.
    ///
    /// # Safety
    ///
    /// - `state` is valid.
    pub(crate) unsafe fn inventory(&self, state: *mut lua_State) -> LeftBehind {
        unsafe extern "C" fn reference(context: *mut std::ffi::c_void, reference: i32) {
            // SAFETY: the context is that of `inventory` below, for the length of its call.
            unsafe { &mut *context.cast::<LeftBehind>() }
                .references
                .push(reference);
        }
        unsafe extern "C" fn name(context: *mut std::ffi::c_void, name: plugin_api::abi::Str) {
            // SAFETY: as above; the name is borrowed for the call.
            unsafe {
                let name = name.to_vec();
                (*context.cast::<LeftBehind>()).names.push(name);
            }
        }
        let mut left = LeftBehind::default();
        let mut inventory = Inventory {
            size: size_of::<Inventory>(),
            context: (&raw mut left).cast(),
            reference,
            name,
            anchor: std::ptr::null(),
            flags: 0,
        };
        // SAFETY: the caller's state; the context outlives the call.
        unsafe { (self.descriptor().inventory)(state, &raw mut inventory) };
        left.anchor = inventory.anchor;
        left.flags = inventory.flags;
        left
    }

    /// Makes the library forget a state that has nothing of it any more.
    ///
    /// # Safety
    ///
    /// - `state` is valid.
    pub(crate) unsafe fn forget(&self, state: *mut lua_State) {
        // SAFETY: as the caller promises.
        unsafe { (self.descriptor().forget)(state) }
    }

    /// Unmaps the library unless something may still call into it; says what.
    pub(crate) fn close(library: &Arc<Self>) -> Result<(), Vec<Reason>> {
        let mut open = lock(&OPEN);
        let mut handle = lock(&library.handle);
        // Once somebody has closed it, nothing of it can be asked any more.
        let is_open = handle.is_some();
        if is_open {
            let reasons = library.obstacles(Arc::strong_count(library));
            if !reasons.is_empty() {
                return Err(reasons);
            }
            open.retain(|other| !Arc::ptr_eq(other, library));
            // SAFETY: no Lua state, thread or C library refers to the library, and nobody has a
            // value by which it could be called: its code runs for the last time.
            unsafe { (library.descriptor().close)() };
            library.logs.close();
            *handle = None;
        }
        let is_mapped = is_mapped(&library.addresses);
        if is_open {
            kept::note_closed(library.identity, is_mapped);
        }
        if is_mapped {
            return Err(vec![Reason::new(
                ReasonKind::Linker,
                "the dynamic linker keeps it mapped",
            )]);
        }
        let plugin = &library.manifest.name;
        debug!(step = "close", plugin, path = %library.path.display(), "unmapped the library");
        Ok(())
    }

    /// What keeps the library from being unmapped. `holders` is how many have it, with the list of
    /// open libraries and the caller.
    fn obstacles(&self, holders: usize) -> Vec<Reason> {
        if !self.addresses.are_known() {
            let text = "this platform does not tell whether a library can be unmapped";
            return vec![Reason::new(ReasonKind::Platform, text)];
        }
        let mut reasons = Vec::new();
        if self.has_failed.load(Ordering::Relaxed) {
            let text = "a plugin of it failed to end";
            reasons.push(Reason::new(ReasonKind::Failed, text));
        }
        if self.was_abandoned.load(Ordering::Relaxed) {
            let text = "a Lua state that it was used in was closed before it was unloaded";
            reasons.push(Reason::new(ReasonKind::ClosedState, text));
        }
        let states = lock(&self.states).len();
        if states > 0 {
            reasons.push(Reason::counted(
                ReasonKind::State,
                states,
                "it is used in another Lua state",
                "it is used in N other Lua states",
            ));
        } else if holders > 2 {
            let text = "it is used elsewhere in the program";
            reasons.push(Reason::new(ReasonKind::State, text));
        }
        let mut usage = Usage {
            size: size_of::<Usage>(),
            threads: 0,
            thread_locals: 0,
            exit_handlers: 0,
        };
        // SAFETY: the library is mapped, and `usage` can be written.
        unsafe { (self.descriptor().usage)(&raw mut usage) };
        let counts = [
            (
                ReasonKind::Thread,
                usage.threads,
                "a thread of it is still running",
                "N threads of it are still running",
            ),
            (
                ReasonKind::ThreadLocal,
                usage.thread_locals,
                "another thread has thread-local values of it",
                "N other threads have thread-local values of it",
            ),
            (
                ReasonKind::ExitHandler,
                usage.exit_handlers,
                "a function of it is to run when the process exits",
                "N functions of it are to run when the process exits",
            ),
            (
                ReasonKind::SignalHandler,
                signals::handled_in(&self.addresses),
                "a function of it handles a signal",
                "functions of it handle N signals",
            ),
        ];
        for (kind, count, one, many) in counts {
            if count > 0 {
                reasons.push(Reason::counted(kind, count, one, many));
            }
        }
        reasons
    }
}

/// What a library has in a Lua state, apart from Lua values.
#[derive(Debug)]
pub(crate) struct LeftBehind {
    /// The key, in the registry, of the table that all functions of the library refer to.
    pub(crate) anchor: *const std::ffi::c_void,
    /// Numbers in the registry.
    pub(crate) references: Vec<i32>,
    /// Names in the registry.
    pub(crate) names: Vec<Vec<u8>>,
    /// See [`Inventory`].
    pub(crate) flags: u32,
}

impl Default for LeftBehind {
    fn default() -> Self {
        Self {
            anchor: std::ptr::null(),
            references: Vec::new(),
            names: Vec::new(),
            flags: 0,
        }
    }
}
