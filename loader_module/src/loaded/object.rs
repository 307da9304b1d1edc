//! Plugin objects, on either side of the boundary.

use plugin_api::instance::{Failure, Instance};
use plugin_api::mlua::{Lua, Table};

use crate::foreign::ForeignInstance;
use crate::loaded::facts::{self, Facts};
use crate::loaded::registration::Registration;

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

    /// What is known of the functions made in a Lua state.
    pub(super) fn describe(&self, lua: &Lua) -> Vec<Facts> {
        match self {
            Self::Foreign(object) => object.describe(lua),
            Self::Local(object) => {
                let mut list = Vec::new();
                // SAFETY: the list outlives the call.
                unsafe { object.describe(lua, facts::sink(&mut list)) };
                list
            }
        }
    }

    pub(super) fn revoke(&mut self, lua: &Lua) -> Result<(), Failure> {
        match self {
            Self::Foreign(object) => object.revoke(lua),
            Self::Local(object) => object.revoke(lua),
        }
    }

    pub(super) fn redirect(&mut self, lua: &Lua, current: &Table) -> Result<(), Failure> {
        match self {
            Self::Foreign(object) => object.redirect(lua, current),
            Self::Local(object) => object.redirect(lua, current),
        }
    }

    pub(super) fn save_state(&mut self) -> Result<Option<Vec<u8>>, Failure> {
        match self {
            Self::Foreign(object) => object.save_state(),
            Self::Local(object) => object.save_state(),
        }
    }

    pub(super) fn restore_state(&mut self, state: &[u8]) -> Result<(), Failure> {
        match self {
            Self::Foreign(object) => object.restore_state(state),
            Self::Local(object) => object.restore_state(state),
        }
    }

    pub(super) fn destroy(self) -> Result<(), Failure> {
        match self {
            Self::Foreign(object) => object.destroy(),
            Self::Local(object) => object.destroy(),
        }
    }
}

/// A plugin object with the states it is registered in: at most one for a plugin from a file.
#[derive(Debug)]
pub(super) struct Slot {
    pub(super) object: Object,
    pub(super) registrations: Vec<Registration>,
}

impl Slot {
    pub(super) fn new(object: Object) -> Self {
        Self {
            object,
            registrations: Vec::new(),
        }
    }
}
