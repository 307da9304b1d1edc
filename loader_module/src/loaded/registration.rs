//! A plugin's table in a Lua state.

use std::fmt;

use plugin_api::instance;
use plugin_api::mlua::{self, Function, Lua, Table, Value, WeakLua, ffi};
use plugin_api::protected::try_again;

use super::saying::saying;
use crate::Error;
use crate::loaded::facts::Facts;
use crate::loaded::jit::DirectCalls;
use crate::lua_state::{StateId, weak_table};

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
    /// The present functions by name, for those of older versions, which run them instead of their
    /// own code; after the unload, what they are to say. Made at the first reload.
    current: Option<Table>,
    facts: Vec<Facts>,
    /// Made when a script first asks for it.
    direct_calls: Option<DirectCalls>,
}

/// What others need of a registration.
pub(crate) struct Registered {
    pub(crate) table: Table,
    /// The plugin's functions with their names: a table with weak keys.
    pub(crate) names: Table,
}

impl Registration {
    pub(super) fn new(lua: &Lua, table: Table, facts: Vec<Facts>) -> mlua::Result<Self> {
        let names = weak_table(lua, "k")?;
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
            current: None,
            facts,
            direct_calls: None,
        })
    }

    /// What is known of the functions.
    pub(super) fn facts(&self) -> &[Facts] {
        &self.facts
    }

    /// The functions as they can be called through LuaJIT's FFI; where they cannot, the plugin's table.
    pub(super) fn direct_calls(&mut self, lua: &Lua) -> mlua::Result<Table> {
        if self.direct_calls.is_none() {
            let functions = self.own_functions(lua)?;
            self.direct_calls = DirectCalls::new(lua, &functions, &self.facts)?;
        }
        Ok(match &self.direct_calls {
            Some(calls) => calls.table.clone(),
            None => self.table.clone(),
        })
    }

    /// The plugin's functions by name, whatever scripts have put into its table.
    fn own_functions(&self, lua: &Lua) -> mlua::Result<Table> {
        let functions = lua.create_table()?;
        for pair in self.names.pairs::<Function, String>() {
            let (function, name) = pair?;
            functions.raw_set(name, function)?;
        }
        // A function that has several names has one of them there.
        for name in &self.functions {
            if !functions.contains_key(name.as_str())? && self.has_own(name)? {
                functions.raw_set(
                    name.as_str(),
                    self.table.raw_get::<Function>(name.as_str())?,
                )?;
            }
        }
        Ok(functions)
    }

    pub(super) fn registered(&self) -> Registered {
        Registered {
            table: self.table.clone(),
            names: self.names.clone(),
        }
    }

    /// Whether the table has the plugin's own function under a name: a script may have put another
    /// there.
    fn has_own(&self, name: &str) -> mlua::Result<bool> {
        let present: Value = self.table.raw_get(name)?;
        Ok(present.is_function() && !self.names.raw_get::<Value>(present)?.is_nil())
    }

    /// Lets code of the plugin find the table, by `LuaExt::plugin_table`.
    pub(super) fn publish(&self, lua: &Lua, plugin: &str) -> mlua::Result<()> {
        let tables = match lua.named_registry_value(instance::TABLES)? {
            Some(tables) => tables,
            None => {
                let tables = lua.create_table()?;
                lua.set_named_registry_value(instance::TABLES, &tables)?;
                tables
            }
        };
        tables.raw_set(plugin, &self.table)
    }

    /// Undoes `publish`, if this is the table that was published.
    fn withdraw(&self, lua: &Lua, plugin: &str) -> mlua::Result<()> {
        let tables: Option<Table> = lua.named_registry_value(instance::TABLES)?;
        match tables {
            Some(tables)
                if tables.raw_get::<Option<Table>>(plugin)?.as_ref() == Some(&self.table) =>
            {
                tables.raw_set(plugin, Value::Nil)
            }
            _ => Ok(()),
        }
    }

    /// Takes the place of an older version's registration: its table, with the functions of this
    /// one in it. What scripts have put into the table stays. Gives the table of functions by name
    /// that those of older versions are to run.
    pub(super) fn succeed(
        &mut self,
        lua: &Lua,
        plugin: &str,
        old: &mut Self,
    ) -> mlua::Result<Table> {
        let current = match &old.current {
            Some(current) => current.clone(),
            None => lua.create_table()?,
        };
        for name in &old.functions {
            if !self.functions.contains(name) {
                current.raw_set(name.as_str(), Value::Nil)?;
                if old.has_own(name)? {
                    old.table.raw_set(name.as_str(), Value::Nil)?;
                }
            }
        }
        for name in &self.functions {
            let function: Value = self.table.raw_get(name.as_str())?;
            current.raw_set(name.as_str(), &function)?;
            let is_free = old.table.raw_get::<Value>(name.as_str())?.is_nil()
                && !old.functions.contains(name);
            if is_free || old.has_own(name)? {
                old.table.raw_set(name.as_str(), function)?;
            }
        }
        // A second attempt finds it here.
        if let Some(calls) = old.direct_calls.take() {
            self.direct_calls = Some(calls);
        }
        if let Some(calls) = &mut self.direct_calls {
            calls.succeed(lua, plugin, &current, &self.facts)?;
        }
        self.table = old.table.clone();
        self.current = Some(current.clone());
        Ok(current)
    }

    /// Replaces the plugin's functions in its table by one of the loader's that says that the plugin
    /// was unloaded, so that the table does not refer to the plugin.
    pub(super) fn seal(&self, lua: &Lua, plugin: &str) -> Result<(), Error> {
        let text = instance::unloaded(plugin);
        let sealed = try_again(|| {
            let gone = saying(lua, &text)?;
            for name in &self.functions {
                if self.has_own(name)? {
                    self.table.raw_set(name.as_str(), &gone)?;
                }
            }
            self.withdraw(lua, plugin)?;
            if let Some(calls) = &self.direct_calls {
                calls.seal(lua, &gone)?;
            }
            if let Some(current) = &self.current {
                for pair in current.pairs::<Value, Value>() {
                    current.raw_set(pair?.0, text.as_str())?;
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
