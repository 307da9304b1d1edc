//! Values in Lua's registry: under a name they outlive the plugin, under a key it has to let go.
#![forbid(unsafe_code)]

use std::sync::{Arc, Mutex, PoisonError};

use cygnixy_test_zoo::{Functions, Parts, with_ping};
use plugin_interface::export_plugin;
use plugin_interface::mlua::{self, Lua, RegistryKey, Value};

const NAME: &str = "zoo.named";

/// - `store(v)` puts `v` into the registry as `zoo.named`, `fetch()` returns it;
/// - `reference(v)` puts `v` there under a key that its functions share, `recall()` returns it.
fn functions(lua: &Lua) -> mlua::Result<Functions> {
    let store = lua.create_function(|lua, v: Value| lua.set_named_registry_value(NAME, v))?;
    let fetch = lua.create_function(|lua, ()| lua.named_registry_value::<Value>(NAME))?;
    let key = Arc::new(Mutex::new(None::<RegistryKey>));
    let shared = Arc::clone(&key);
    let reference = lua.create_function(move |lua, v: Value| {
        let key = lua.create_registry_value(v)?;
        *shared.lock().unwrap_or_else(PoisonError::into_inner) = Some(key);
        Ok(())
    })?;
    let recall = lua.create_function(move |lua, ()| {
        match &*key.lock().unwrap_or_else(PoisonError::into_inner) {
            Some(key) => lua.registry_value(key),
            None => Ok(Value::Nil),
        }
    })?;
    with_ping(
        lua,
        [
            ("store", store),
            ("fetch", fetch),
            ("reference", reference),
            ("recall", recall),
        ],
    )
}

export_plugin!(Parts {
    name: || "named_registry",
    functions,
    ..Parts::default()
});
