//! What the loader keeps in a Lua state: a thread of its own, and a watch for the state's end.

use std::ffi::CStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use plugin_api::mlua::ffi::{self, lua_State};
use plugin_api::mlua::{self, Lua, Table, Value};

use crate::call_stack;
use crate::loaded::LoadedPlugins;

/// Where it is in the registry.
const THREAD_KEY: &CStr = c"cygnixy.thread";

/// The thread of the state that every copy of mlua is first entered on. It lives as long as the
/// state: mlua keeps the thread it was first entered on, and a coroutine of the script could be
/// collected.
///
/// Raises a Lua error if there is no memory.
///
/// # Safety
///
/// - `state` is valid, running or idle, and nothing between here and its protected call needs a
///   destructor.
pub(crate) unsafe fn thread(state: *mut lua_State) -> *mut lua_State {
    // SAFETY: the caller's `state` is valid; three slots are asked for before they are used.
    unsafe {
        ffi::luaL_checkstack(state, 3, c"cygnixy".as_ptr());
        let thread = known_thread(state).unwrap_or_else(|| {
            let thread = ffi::lua_newthread(state);
            // A new thread inherits the debug hook of its maker.
            ffi::lua_sethook(thread, None, 0, 0);
            ffi::lua_setfield(state, ffi::LUA_REGISTRYINDEX, THREAD_KEY.as_ptr());
            thread
        });
        call_stack::note_main_thread(state);
        thread
    }
}

/// That thread, if there is one.
///
/// # Safety
///
/// - `state` is valid, with room for one value.
pub(crate) unsafe fn known_thread(state: *mut lua_State) -> Option<*mut lua_State> {
    // SAFETY: the caller's `state` has room. The name is in the registry already, or is made there next.
    unsafe {
        ffi::lua_getfield(state, ffi::LUA_REGISTRYINDEX, THREAD_KEY.as_ptr());
        let thread = ffi::lua_tothread(state, -1);
        ffi::lua_pop(state, 1);
        (!thread.is_null()).then_some(thread)
    }
}

/// Makes a table that does not keep its keys (`"k"`) or its values (`"v"`) alive.
pub(crate) fn weak_table(lua: &Lua, mode: &str) -> mlua::Result<Table> {
    let (table, metatable) = (lua.create_table()?, lua.create_table()?);
    metatable.raw_set("__mode", mode)?;
    table.set_metatable(Some(metatable))?;
    Ok(table)
}

/// Tells one Lua state from another while both are open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct StateId(usize);

impl StateId {
    pub(crate) fn of(lua: &Lua) -> Self {
        // SAFETY: the state is open.
        lua.exec_raw_lua(|raw| unsafe { Self::of_raw(raw.state()) })
    }

    /// The same for a thread of a state.
    ///
    /// # Safety
    ///
    /// - `state` is valid.
    pub(crate) unsafe fn of_raw(state: *mut lua_State) -> Self {
        // SAFETY: every thread of a state has the registry at this index; only the address of
        // the registry is used.
        Self(unsafe { ffi::lua_topointer(state, ffi::LUA_REGISTRYINDEX).addr() })
    }

    /// The number that makes the difference: the address of the registry.
    pub(crate) fn address(self) -> usize {
        self.0
    }
}

/// Unloads what is left in a state when the state is closed.
struct CloseWatch {
    plugins: Arc<LoadedPlugins>,
    state: StateId,
    /// Whether the state keeps this watch: one that could not be stored tells nothing when it goes.
    is_kept: Arc<AtomicBool>,
}

impl Drop for CloseWatch {
    fn drop(&mut self) {
        if self.is_kept.load(Ordering::Relaxed) {
            self.plugins.state_closed(self.state);
        }
    }
}

/// Makes the state tell `plugins` when it is closed. Does nothing the second time.
pub(crate) fn watch_close(lua: &Lua, plugins: &Arc<LoadedPlugins>) -> mlua::Result<()> {
    let key = format!("cygnixy.watch.{:p}", Arc::as_ptr(plugins));
    if lua.named_registry_value::<Value>(&key)?.is_nil() {
        let state = StateId::of(lua);
        plugins.state_opened(state);
        let is_kept = Arc::new(AtomicBool::new(false));
        let watch = CloseWatch {
            plugins: Arc::clone(plugins),
            state,
            is_kept: Arc::clone(&is_kept),
        };
        // A function, for what it captures: mlua makes functions under protection in every Lua,
        // and metatables of userdata not.
        let holder = lua.create_function(move |_, ()| {
            // Mentioned as a whole, so that the closure has all of it.
            let _ = &watch;
            Ok(())
        })?;
        lua.set_named_registry_value(&key, holder)?;
        is_kept.store(true, Ordering::Relaxed);
    }
    Ok(())
}
