//! The Lua states that have the module, and their log functions.

use std::cell::Cell;
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use plugin_api::mlua::ffi::lua_State;
use plugin_api::mlua::{self, Lua, Value};
use tracing_subscriber::filter::EnvFilter;

use super::layer::{install, output};
use super::queue::Queue;
use super::record::Record;
use crate::lock::lock;
use crate::lua_state::{self, StateId};

/// A state, as far as logging goes.
pub(super) struct StateLog {
    pub(super) state: StateId,
    /// The thread of Lua that functions are called on; it lives as long as the state.
    pub(super) thread: *mut lua_State,
    inner: Mutex<Inner>,
}

// SAFETY: the Lua thread is used on the state's own thread alone.
unsafe impl Send for StateLog {}
// SAFETY: as above.
unsafe impl Sync for StateLog {}

struct Inner {
    /// The thread that the state runs on, as far as is known.
    owner: Option<u64>,
    /// The filter of the log function, if one is set.
    filter: Option<Arc<EnvFilter>>,
    queue: Queue,
}

impl StateLog {
    /// The filter of the log function, if there is one.
    pub(super) fn filter(&self) -> Option<Arc<EnvFilter>> {
        lock(&self.inner).filter.clone()
    }

    pub(super) fn set_filter(&self, filter: Option<Arc<EnvFilter>>) {
        let old = std::mem::replace(&mut lock(&self.inner).filter, filter.clone());
        let output = output();
        if let Some(new) = &filter {
            output.filters().add(new);
        }
        if let Some(old) = &old {
            output.filters().remove(old);
        }
        if old.is_some() || filter.is_some() {
            tracing::callsite::rebuild_interest_cache();
        }
    }

    /// Whether the state runs on the calling thread, and no other.
    pub(super) fn is_here(&self) -> bool {
        lock(&self.inner).owner == Some(this_thread())
    }

    /// Notes that the state runs on the calling thread.
    pub(super) fn come_here(&self) {
        lock(&self.inner).owner = Some(this_thread());
    }

    /// Notes that the state may run on another thread than it did.
    pub(super) fn go_away(&self) {
        lock(&self.inner).owner = None;
    }

    /// Lets a record wait for the log function, or be told next; gives it back if there is none any more.
    pub(super) fn push(&self, record: Record, is_next: bool) -> Option<Record> {
        let mut inner = lock(&self.inner);
        if inner.filter.is_none() {
            return Some(record);
        }
        inner.queue.push(record, is_next);
        None
    }

    /// How many records wait.
    pub(super) fn waiting(&self) -> usize {
        lock(&self.inner).queue.len()
    }

    pub(super) fn pop(&self) -> Option<Record> {
        lock(&self.inner).queue.pop()
    }
}

impl fmt::Debug for StateLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StateLog")
            .field("state", &self.state)
            .finish_non_exhaustive()
    }
}

/// A number for the calling thread that no other has or will have. Unlike those of the standard library it
/// can be asked for while the thread ends.
fn this_thread() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    thread_local! {
        static NUMBER: Cell<u64> = const { Cell::new(0) };
    }
    if NUMBER.get() == 0 {
        NUMBER.set(NEXT.fetch_add(1, Ordering::Relaxed));
    }
    NUMBER.get()
}

static STATES: Mutex<Vec<Arc<StateLog>>> = Mutex::new(Vec::new());

/// All states that are open.
pub(super) fn all() -> Vec<Arc<StateLog>> {
    lock(&STATES).clone()
}

pub(super) fn find(state: StateId) -> Option<Arc<StateLog>> {
    lock(&STATES).iter().find(|log| log.state == state).cloned()
}

/// Begins logging in a state, and in the process if it is the first.
pub(crate) fn open(lua: &Lua) -> mlua::Result<()> {
    /// Tells the end of the state.
    struct Watch {
        state: StateId,
        is_kept: Arc<AtomicBool>,
    }
    impl Drop for Watch {
        fn drop(&mut self) {
            if self.is_kept.load(Ordering::Relaxed) {
                state_closes(self.state);
            }
        }
    }
    const KEY: &str = "cygnixy.log.watch";
    install();
    if !lua.named_registry_value::<Value>(KEY)?.is_nil() {
        return Ok(());
    }
    let state = StateId::of(lua);
    let mut thread = std::ptr::null_mut();
    let out = &raw mut thread;
    // SAFETY: `out` outlives the call; nothing needs a destructor if there is no memory.
    unsafe { lua.exec_raw::<()>((), |state| *out = lua_state::thread(state))? };
    let is_kept = Arc::new(AtomicBool::new(false));
    let watch = Watch {
        state,
        is_kept: Arc::clone(&is_kept),
    };
    // A function, for what it captures, as in `lua_state`.
    let holder = lua.create_function(move |_, ()| {
        let _ = &watch;
        Ok(())
    })?;
    lua.set_named_registry_value(KEY, holder)?;
    is_kept.store(true, Ordering::Relaxed);
    let mut states = lock(&STATES);
    states.retain(|log| log.state != state);
    states.push(Arc::new(StateLog {
        state,
        thread,
        inner: Mutex::new(Inner {
            owner: Some(this_thread()),
            filter: None,
            queue: Queue::default(),
        }),
    }));
    Ok(())
}

/// Forgets a state that is being closed. What waits for its log function goes to standard error.
pub(crate) fn state_closes(state: StateId) {
    let log = {
        let mut states = lock(&STATES);
        let place = states.iter().position(|log| log.state == state);
        place.map(|place| states.remove(place))
    };
    if let Some(log) = log {
        log.set_filter(None);
        while let Some(record) = log.pop() {
            output().print(&record);
        }
    }
}
