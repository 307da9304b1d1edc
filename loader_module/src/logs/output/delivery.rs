//! Calling log functions.

use std::cell::Cell;
use std::sync::Arc;

use plugin_api::errors::Message;
use plugin_api::mlua::{self, FromLuaMulti, Function, IntoLuaMulti, Lua, Value};
use tracing_subscriber::filter::EnvFilter;

use super::filters;
use super::layer::output;
use super::queue::notice;
use super::record::{self, Record};
use super::route::{Calling, caller};
use super::states::{self, StateLog};
use crate::lua_state::StateId;

/// Where a state's registry has its log function.
const FUNCTION_KEY: &str = "cygnixy.log";

thread_local! {
    static IS_DELIVERING: Cell<bool> = const { Cell::new(false) };
}

/// Whether a log function is running on the calling thread.
pub(super) fn is_delivering() -> bool {
    IS_DELIVERING.get()
}

/// A function of the module, during whose call the state's events wait: they are told before it returns.
pub(crate) fn call<A: FromLuaMulti, R: IntoLuaMulti>(
    function: impl Fn(&Lua, A) -> mlua::Result<R>,
) -> impl Fn(&Lua, A) -> mlua::Result<R> {
    move |lua, arguments| {
        let state = StateId::of(lua);
        let log = states::find(state);
        if let Some(log) = &log {
            log.come_here();
        }
        let result = {
            let _calling = Calling::begin(state);
            function(lua, arguments)
        };
        if let Some(log) = log.filter(|_| caller().is_none()) {
            deliver(&log);
        }
        result
    }
}

/// Calls the log function of a state with all that waits for it now; gives how many there were. What comes
/// meanwhile waits on: with a thread that never stops logging there would be no end. The state has to run
/// on the calling thread, where code of the script may run now.
pub(super) fn deliver(log: &StateLog) -> usize {
    struct End;
    impl Drop for End {
        fn drop(&mut self) {
            IS_DELIVERING.set(false);
        }
    }
    if IS_DELIVERING.replace(true) {
        return 0;
    }
    let _end = End;
    let mut count = 0;
    for record in (0..log.waiting()).map_while(|_| log.pop()) {
        count += 1;
        if log.filter().is_none() {
            // The function has been taken away by itself.
            output().print(&record);
            continue;
        }
        if let Err(error) = tell(log, &record) {
            output().print(&record);
            let text = "the log function failed; the event before this one was for it";
            let values = [text.to_owned(), Message::of(&error).text].map(record::Value::Other);
            output().print(&notice(1, "error", values.to_vec()));
        }
    }
    count
}

fn tell(log: &StateLog, record: &Record) -> mlua::Result<()> {
    // SAFETY: the state is open, as it is listed, and runs on this thread. mlua has made its data for
    // it when the module was opened.
    let lua: &Lua = unsafe { Lua::get_or_init_from_ptr(log.thread) };
    let function: Function = lua.named_registry_value(FUNCTION_KEY)?;
    function.call(record.table(lua)?)
}

/// Delivers what waits for the states that run on the calling thread.
pub(in crate::logs) fn deliver_here() {
    if caller().is_none() {
        let all = states::all();
        let here = all.iter().filter(|log| log.is_here());
        here.for_each(|log| {
            deliver(log);
        });
    }
}

/// Delivers what waits for a state's log function, on the thread that it runs on from now on; gives how many
/// events it was called with.
pub(crate) fn flush(lua: &Lua) -> usize {
    states::find(StateId::of(lua)).map_or(0, |log| {
        log.come_here();
        deliver(&log)
    })
}

/// Sets or removes a state's log function. What waits for the one before is told to it first. Without a
/// filter that of standard error holds.
pub(crate) fn set_function(
    lua: &Lua,
    function: Option<&Function>,
    filter: Option<&str>,
) -> Result<(), SetError> {
    let Some(log) = states::find(StateId::of(lua)) else {
        return Ok(());
    };
    let text = filter.map_or_else(filters::default_text, str::to_owned);
    let parsed: Option<Arc<EnvFilter>> = match (function, filters::parse(&text)) {
        (None, _) => None,
        (_, Ok(parsed)) => Some(Arc::new(parsed)),
        (_, Err(error)) if filter.is_some() => return Err(SetError::Filter(error.to_string())),
        // Standard error has told that it is wrong.
        (_, Err(_)) => filters::parse(filters::DEFAULT).ok().map(Arc::new),
    };
    deliver(&log);
    let value = function.map_or(Value::Nil, |function| Value::Function(function.clone()));
    lua.set_named_registry_value(FUNCTION_KEY, value)
        .map_err(SetError::Lua)?;
    log.set_filter(parsed);
    Ok(())
}

/// Why a log function could not be set.
pub(crate) enum SetError {
    /// The filter is none.
    Filter(String),
    Lua(mlua::Error),
}
