//! A warn function: Lua 5.4 and 5.5 call into the library at every warning.
#![forbid(unsafe_code)]

use cygnixy_test_zoo::Parts;
use plugin_interface::export_plugin;

#[cfg(any(feature = "lua54", feature = "lua55"))]
mod functions {
    use std::sync::{Arc, Mutex, PoisonError};

    use cygnixy_test_zoo::{Functions, with_ping};
    use plugin_interface::mlua::{self, Lua};

    /// - `install()` replaces the state's warn function, `remove()` leaves it without one;
    /// - `last()`: the last warning, nil if there was none.
    pub(crate) fn functions(lua: &Lua) -> mlua::Result<Functions> {
        let last = Arc::new(Mutex::new(None::<String>));
        let seen = Arc::clone(&last);
        let install = lua.create_function(move |lua, ()| {
            let seen = Arc::clone(&seen);
            lua.set_warning_function(move |_, text, _| {
                *seen.lock().unwrap_or_else(PoisonError::into_inner) = Some(text.to_owned());
                Ok(())
            });
            Ok(())
        })?;
        let remove = lua.create_function(|lua, ()| {
            lua.remove_warning_function();
            Ok(())
        })?;
        let last = lua.create_function(move |_, ()| {
            Ok(last.lock().unwrap_or_else(PoisonError::into_inner).clone())
        })?;
        with_ping(
            lua,
            [("install", install), ("remove", remove), ("last", last)],
        )
    }
}

export_plugin!(Parts {
    name: || "warner",
    #[cfg(any(feature = "lua54", feature = "lua55"))]
    functions: functions::functions,
    ..Parts::default()
});
