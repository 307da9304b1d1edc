//! Which destination an event has.

use std::cell::RefCell;
use std::sync::Arc;

use plugin_api::mlua::Lua;

use super::states::{self, StateLog};
use super::whereabouts::is_panicking;
use crate::call_stack;
use crate::logs::Source;
use crate::lua_state::StateId;

/// Where an event goes.
pub(super) enum Route {
    StandardError,
    /// To the log functions of some states.
    Functions {
        states: Vec<Arc<StateLog>>,
        /// Whether they can be called now.
        is_now: bool,
    },
}

thread_local! {
    /// The states from which the thread has called the loader, the outermost first.
    static CALLS: RefCell<Vec<StateId>> = const { RefCell::new(Vec::new()) };
}

/// Notes a call of a state into the loader until it is dropped.
pub(super) struct Calling;

impl Calling {
    pub(super) fn begin(state: StateId) -> Self {
        CALLS.with_borrow_mut(|calls| calls.push(state));
        Self
    }
}

impl Drop for Calling {
    fn drop(&mut self) {
        CALLS.with_borrow_mut(Vec::pop);
    }
}

/// The state that the thread has called the loader from.
pub(super) fn caller() -> Option<StateId> {
    let last = CALLS.try_with(|calls| calls.borrow().last().copied());
    last.ok().flatten()
}

/// The route of an event of a plugin, or of the loader itself, on the calling thread:
///
/// 1. In a call into the loader, the state that has called. Code of the script cannot run in between.
/// 2. On the thread of a state with a log function, that function, if the plugin is running in that
///    state. With one state in the process it is.
/// 3. On other threads, the functions of all states that the plugin is used in. If it is not a thread
///    that the plugin has started, these states may be running there.
pub(super) fn route(source: Option<&Source>) -> Route {
    if let Some(state) = caller() {
        let log = states::find(state).filter(|log| log.filter().is_some());
        return match log {
            Some(log) => Route::later(vec![log]),
            None => Route::StandardError,
        };
    }
    let all = states::all();
    let (here, elsewhere): (Vec<_>, Vec<_>) = all.iter().partition(|log| log.is_here());
    if !here.is_empty() {
        let with_function = here.into_iter().filter(|log| log.filter().is_some());
        let mut running = with_function.filter(|log| all.len() == 1 || is_running(log, source));
        return match running.next() {
            Some(log) => Route::Functions {
                states: vec![Arc::clone(log)],
                is_now: !is_panicking() && !may_be_direct(log, source),
            },
            None => Route::StandardError,
        };
    }
    let Some(whereabouts) = source.map(|source| &source.whereabouts) else {
        return Route::StandardError;
    };
    let users = elsewhere
        .into_iter()
        .filter(|log| log.filter().is_some() && whereabouts.is_used_in(log.state));
    let users: Vec<_> = users.map(Arc::clone).collect();
    if users.is_empty() {
        return Route::StandardError;
    }
    if !whereabouts.has_started_this_thread() {
        users.iter().for_each(|log| log.go_away());
    }
    Route::later(users)
}

impl Route {
    fn later(states: Vec<Arc<StateLog>>) -> Self {
        Self::Functions {
            states,
            is_now: false,
        }
    }
}

/// Whether code of a plugin is running in a state of the calling thread.
fn is_running(log: &StateLog, source: Option<&Source>) -> bool {
    let Some(source) = source.filter(|source| source.whereabouts.is_used_in(log.state)) else {
        return false;
    };
    source.whereabouts.is_called_directly(log.state)
        || call_stack::is_running_code_of(lua_of(log), source.whereabouts.addresses(), &|_| false)
}

/// Whether the plugin may have been called through LuaJIT's FFI: then nothing of Lua can be called, neither
/// from compiled code nor from code that is being compiled while it is interpreted.
fn may_be_direct(log: &StateLog, source: Option<&Source>) -> bool {
    source.is_some_and(|source| source.whereabouts.is_called_directly(log.state))
}

fn lua_of(log: &StateLog) -> &Lua {
    // SAFETY: the state is open, and runs on this thread; mlua has made its data for it.
    unsafe { Lua::get_or_init_from_ptr(log.thread) }
}
