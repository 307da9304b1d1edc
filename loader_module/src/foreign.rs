//! A plugin object that lives in a plugin library, behind the C boundary.

use std::sync::Arc;

use plugin_api::abi::{CURRENT_KEY, InstanceFn, RawInstance, Sink, StateFn, Status, Str};
use plugin_api::errors::Message;
use plugin_api::instance::Failure;
use plugin_api::mlua::{self, Lua, Table, ffi};
use plugin_api::protected::try_again;

use crate::finaliser;
use crate::library::Library;
use crate::loaded::facts::{self, Facts};
use crate::lua_state;

/// A plugin object made by a library, destroyed when dropped.
#[derive(Debug)]
pub(crate) struct ForeignInstance {
    library: Arc<Library>,
    raw: RawInstance,
    name: String,
}

// SAFETY: the object behind `raw` is an `Instance` of the plugin's side, which is `Send`, and is
// only used through `&mut self`.
unsafe impl Send for ForeignInstance {}

impl ForeignInstance {
    /// Makes a plugin object and asks for its name.
    pub(crate) fn create(library: Arc<Library>) -> Result<Self, Failure> {
        let mut raw = std::ptr::null_mut();
        let mut text = String::new();
        // SAFETY: `raw` and `text` outlive the call.
        let status =
            unsafe { (library.descriptor().create)(&raw mut raw, Sink::to_string(&mut text)) };
        if let Some(failure) = status.failure() {
            return Err(failure(text));
        }
        let mut instance = Self {
            library,
            raw,
            name: String::new(),
        };
        instance.name = instance.call(instance.library.descriptor().name)?;
        instance.library.logs.note_name(&instance.name);
        Ok(instance)
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn on_load(&mut self) -> Result<(), Failure> {
        self.call(self.library.descriptor().on_load).map(drop)
    }

    pub(crate) fn on_unload(&mut self) -> Result<(), Failure> {
        self.call(self.library.descriptor().on_unload).map(drop)
    }

    pub(crate) fn destroy(mut self) -> Result<(), Failure> {
        let result = self.call(self.library.descriptor().destroy).map(drop);
        self.raw = std::ptr::null_mut();
        result
    }

    /// Makes the plugin's functions in a Lua state, as a table.
    pub(crate) fn functions(&mut self, lua: &Lua) -> Result<Table, Failure> {
        {
            // The plugin's mlua makes its data by calls that may not fail, as a finaliser would.
            // SAFETY: the state is open, and has room.
            let _pause = lua.exec_raw_lua(|raw| unsafe { finaliser::put_off(raw.state()) });
            self.call_in::<()>(lua, self.library.descriptor().enter, 0)?;
        }
        self.call_in(lua, self.library.descriptor().functions, 1)
    }

    /// What is known of the functions made in a Lua state.
    pub(crate) fn describe(&self, lua: &Lua) -> Vec<Facts> {
        let mut facts = Vec::new();
        let sink = facts::sink(&mut facts);
        // SAFETY: `raw` is alive, as in `call`; the state is open, and the plugin has made functions on
        // this thread of it. The list outlives the call.
        lua.exec_raw_lua(|raw| unsafe {
            let thread = lua_state::thread(raw.state());
            (self.library.descriptor().describe)(thread, self.raw, sink);
        });
        facts
    }

    /// Revokes the functions made in a Lua state.
    pub(crate) fn revoke(&mut self, lua: &Lua) -> Result<(), Failure> {
        self.call_in(lua, self.library.descriptor().revoke, 0)
    }

    /// Lets the functions made in a Lua state run those in a table, by name.
    pub(crate) fn redirect(&mut self, lua: &Lua, current: &Table) -> Result<(), Failure> {
        let lua_failure = |error: mlua::Error| Failure::Error(Message::of(&error).text);
        lua.set_named_registry_value(CURRENT_KEY, current)
            .map_err(lua_failure)?;
        let result = self.call_in(lua, self.library.descriptor().redirect, 0);
        // An entry that exists can be emptied without memory.
        lua.unset_named_registry_value(CURRENT_KEY)
            .map_err(lua_failure)?;
        result
    }

    /// What the plugin has for a newer version of it.
    pub(crate) fn save_state(&mut self) -> Result<Option<Vec<u8>>, Failure> {
        let (mut saved, mut text) = (None, String::new());
        // SAFETY: `raw` is alive, as in `call`; what the sinks store in outlives the call.
        let status = unsafe {
            let (state, sink) = (Sink::to_bytes(&mut saved), Sink::to_string(&mut text));
            (self.library.descriptor().save_state)(self.raw, state, sink)
        };
        match status.failure() {
            None => Ok(saved),
            Some(failure) => Err(failure(text)),
        }
    }

    /// Gives the plugin what an older version of it had.
    pub(crate) fn restore_state(&mut self, state: &[u8]) -> Result<(), Failure> {
        let mut text = String::new();
        let state = Str {
            data: state.as_ptr(),
            len: state.len(),
        };
        // SAFETY: `raw` is alive, as in `call`; the bytes and the sink's string outlive the call.
        let status = unsafe {
            let sink = Sink::to_string(&mut text);
            (self.library.descriptor().restore_state)(self.raw, state, sink)
        };
        match status.failure() {
            None => Ok(()),
            Some(failure) => Err(failure(text)),
        }
    }

    /// Calls a function of the descriptor; what it writes is the result or the failure.
    fn call(&mut self, function: InstanceFn) -> Result<String, Failure> {
        let mut text = String::new();
        // SAFETY: `raw` was made by this library and not destroyed: `destroy` consumes `self`.
        // The sink's string outlives the call.
        let status = unsafe { function(self.raw, Sink::to_string(&mut text)) };
        match status.failure() {
            None => Ok(text),
            Some(failure) => Err(failure(text)),
        }
    }

    /// Calls a function of the descriptor on the state's own thread, so that the plugin's copy of
    /// mlua is never entered on a coroutine that can be collected.
    fn call_in<R: mlua::FromLuaMulti>(
        &mut self,
        lua: &Lua,
        function: StateFn,
        results: i32,
    ) -> Result<R, Failure> {
        // On the way to the plugin, a finaliser of the script may fail.
        let reached = try_again(|| self.try_call_in(lua, function, results).ok_or(()));
        reached.unwrap_or_else(|()| Err(Failure::Error("Lua could not call the plugin".to_owned())))
    }

    /// One attempt; `None` if the plugin was not reached.
    fn try_call_in<R: mlua::FromLuaMulti>(
        &mut self,
        lua: &Lua,
        function: StateFn,
        results: i32,
    ) -> Option<Result<R, Failure>> {
        let mut text = String::new();
        let sink = Sink::to_string(&mut text);
        let mut status = None;
        let (raw, status_out) = (self.raw, &raw mut status);
        // SAFETY: the closure may raise before it calls the plugin, and owns nothing that needs a
        // destructor. The plugin's function returns in any case and leaves `results` values if,
        // and only if, it succeeds. `text` and `status` outlive the call.
        let returned = unsafe {
            lua.exec_raw::<R>((), move |state| {
                let thread = lua_state::thread(state);
                ffi::luaL_checkstack(thread, 8, c"cygnixy".as_ptr());
                let ended = function(thread, raw, sink);
                *status_out = Some(ended);
                if ended == Status::OK {
                    ffi::lua_xmove(thread, state, results);
                }
            })
        };
        Some(match status?.failure() {
            Some(failure) => Err(failure(text)),
            None => returned.map_err(|error| Failure::Error(Message::of(&error).text)),
        })
    }
}

impl Drop for ForeignInstance {
    fn drop(&mut self) {
        if self.raw.is_null() {
            return;
        }
        if let Err(failure) = self.call(self.library.descriptor().destroy) {
            let path = self.library.path.display();
            tracing::error!(step = "drop", plugin = self.name, %path, %failure, "failed");
        }
    }
}

trait Ended {
    /// How to make a failure of the text that came with a status; `None` if there is none.
    fn failure(self) -> Option<fn(String) -> Failure>;
}

impl Ended for Status {
    fn failure(self) -> Option<fn(String) -> Failure> {
        match self {
            Self::OK => None,
            Self::PANIC => Some(Failure::Panic),
            _ => Some(Failure::Error),
        }
    }
}
