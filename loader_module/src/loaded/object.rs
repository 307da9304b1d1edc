//! Plugin objects, and their tables in Lua states.

use std::fmt;

use plugin_api::instance::{Failure, Instance};
use plugin_api::mlua::{self, Function, Lua, MultiValue, Table, Value, WeakLua, ffi};
use plugin_api::protected::try_again;

use crate::Error;
use crate::foreign::ForeignInstance;
use crate::lua_state::StateId;

/// A plugin object, on either side of the boundary.
#[derive(Debug)]
pub(super) enum Object {
    Foreign(ForeignInstance),
    Local(Instance),
}

impl Object {
    pub(super) fn on_load(&mut self) -> Result<(), Failure> {
        match self {
            Self::Foreign(object) => object.on_load(),
            Self::Local(object) => object.on_load(),
        }
    }

    pub(super) fn on_unload(&mut self) -> Result<(), Failure> {
        match self {
            Self::Foreign(object) => object.on_unload(),
            Self::Local(object) => object.on_unload(),
        }
    }

    pub(super) fn functions(&mut self, lua: &Lua) -> Result<Table, Failure> {
        match self {
            Self::Foreign(object) => object.functions(lua),
            Self::Local(object) => object.functions(lua),
        }
    }

    pub(super) fn revoke(&mut self, lua: &Lua) -> Result<(), Failure> {
        match self {
            Self::Foreign(object) => object.revoke(lua),
            Self::Local(object) => object.revoke(lua),
        }
    }

    pub(super) fn destroy(self) -> Result<(), Failure> {
        match self {
            Self::Foreign(object) => object.destroy(),
            Self::Local(object) => object.destroy(),
        }
    }
}

/// A plugin's table in a Lua state.
pub(super) struct Registration {
    pub(super) state: StateId,
    pub(super) lua: WeakLua,
    table: Table,
    /// The plugin's functions with their names: a table with weak keys.
    names: Table,
    /// The names, sorted.
    pub(super) functions: Vec<String>,
    /// The addresses of functions written in Lua: those of the plugin, and those around them.
    pub(super) written_in_lua: Vec<usize>,
}

/// What others need of a registration.
pub(crate) struct Registered {
    pub(crate) table: Table,
    /// The plugin's functions with their names: a table with weak keys.
    pub(crate) names: Table,
}

impl Registration {
    pub(super) fn new(lua: &Lua, table: Table) -> mlua::Result<Self> {
        let (names, metatable) = (lua.create_table()?, lua.create_table()?);
        metatable.raw_set("__mode", "k")?;
        names.set_metatable(Some(metatable))?;
        let (mut functions, mut written_in_lua) = (Vec::new(), Vec::new());
        for pair in table.pairs::<String, Function>() {
            let (name, function) = pair?;
            names.raw_set(&function, name.as_str())?;
            note_written_in_lua(lua, &function, &mut written_in_lua)?;
            functions.push(name);
        }
        functions.sort();
        Ok(Self {
            state: StateId::of(lua),
            lua: lua.weak(),
            table,
            names,
            functions,
            written_in_lua,
        })
    }

    pub(super) fn registered(&self) -> Registered {
        Registered {
            table: self.table.clone(),
            names: self.names.clone(),
        }
    }

    /// Replaces the plugin's functions in its table by one of the loader's that says that the plugin
    /// was unloaded, so that the table does not refer to the plugin.
    pub(super) fn seal(&self, lua: &Lua, plugin: &str) -> Result<(), Error> {
        let text = format!("plugin '{plugin}' has been unloaded");
        let sealed = try_again(|| {
            let text = text.clone();
            let gone = lua.create_function(move |_, _: MultiValue| -> mlua::Result<()> {
                Err(mlua::Error::RuntimeError(text.clone()))
            })?;
            for name in &self.functions {
                let present: Value = self.table.raw_get(name.as_str())?;
                let is_ours = present.is_function() && !self.names.raw_get::<Value>(present)?.is_nil();
                if is_ours {
                    self.table.raw_set(name.as_str(), &gone)?;
                }
            }
            Ok(())
        });
        sealed.map_err(|source| Error::Lua {
            plugin: plugin.to_owned(),
            step: "take the functions out of the table",
            source,
        })
    }
}

/// Notes the addresses of a function that is written in Lua, and of the one that it wraps.
fn note_written_in_lua(
    lua: &Lua,
    function: &Function,
    addresses: &mut Vec<usize>,
) -> mlua::Result<()> {
    let out = &raw mut *addresses;
    // SAFETY: the function is at index 1; `out` outlives the call; reading upvalues does not raise.
    unsafe {
        lua.exec_raw::<()>(function, |state| {
            if ffi::lua_iscfunction(state, 1) == 0 {
                (*out).push(ffi::lua_topointer(state, 1).addr());
                let is_wrapped = !ffi::lua_getupvalue(state, 1, 1).is_null()
                    && ffi::lua_type(state, -1) == ffi::LUA_TFUNCTION
                    && ffi::lua_iscfunction(state, -1) == 0;
                if is_wrapped {
                    (*out).push(ffi::lua_topointer(state, -1).addr());
                }
            }
            ffi::lua_settop(state, 0);
        })
    }
}

impl fmt::Debug for Registration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registration")
            .field("state", &self.state)
            .finish_non_exhaustive()
    }
}

/// A plugin object with the states it is registered in: at most one for a plugin from a file.
#[derive(Debug)]
pub(super) struct Slot {
    pub(super) object: Object,
    pub(super) registrations: Vec<Registration>,
}
