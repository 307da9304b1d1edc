//! Plugin objects, and their tables in Lua states.

use std::fmt;

use plugin_api::instance::{Failure, Instance};
use plugin_api::mlua::{Lua, Table, WeakLua};

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
    pub(super) table: Table,
    pub(super) functions: Vec<String>,
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
