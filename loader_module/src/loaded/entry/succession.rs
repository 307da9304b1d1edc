//! How a newer version of a plugin takes the place of an older one.

use std::sync::Arc;

use plugin_api::mlua::Lua;
use plugin_api::protected::try_again;
use tracing::error;

use super::{Entry, Origin, run};
use crate::Error;
use crate::error::Hook;
use crate::foreign::ForeignInstance;
use crate::library::Library;
use crate::loaded::object::{Object, Slot};
use crate::loaded::registration::Registration;
use crate::lock::lock;

impl Entry {
    /// A plugin of the same name without an object yet.
    pub(crate) fn successor(&self, library: &Arc<Library>) -> Self {
        let origin = Origin::File(Arc::clone(library));
        Self::new(self.name.clone(), origin, Vec::new())
    }

    /// The open states in which each object is registered.
    pub(crate) fn states(&self) -> Vec<Vec<Lua>> {
        let open = |slot: &Slot| {
            let states = slot.registrations.iter();
            states.filter_map(|r| r.lua.try_upgrade()).collect()
        };
        lock(&self.slots).iter().map(open).collect()
    }

    /// Makes an object for the place of one of the older version, runs its `on_load` and gives it
    /// the older one's state.
    pub(crate) fn add_object(&self, old: &Self, place: usize) -> Result<(), Error> {
        let Origin::File(library) = &self.origin else {
            return Ok(());
        };
        let mut object = run(Hook::Create, &self.name, &self.path(), || {
            ForeignInstance::create(Arc::clone(library))
        })?;
        if object.name() != self.name {
            return Err(Error::Renamed {
                plugin: self.name.clone(),
                path: self.path(),
                found: object.name().to_owned(),
            });
        }
        self.run(Hook::OnLoad, || object.on_load())?;
        let mut slot = Slot::new(Object::Foreign(object));
        let handed_over = old.save_state(place).and_then(|state| match state {
            Some(state) => self.run(Hook::RestoreState, || slot.object.restore_state(&state)),
            None => Ok(()),
        });
        // An object whose `on_load` succeeded is to end like any other.
        lock(&self.slots).push(slot);
        handed_over
    }

    fn save_state(&self, place: usize) -> Result<Option<Vec<u8>>, Error> {
        let mut slots = std::mem::take(&mut *lock(&self.slots));
        let saved = match slots.get_mut(place) {
            Some(slot) => self.run(Hook::SaveState, || slot.object.save_state()),
            None => Ok(None),
        };
        *lock(&self.slots) = slots;
        saved
    }

    /// Makes the functions of the object at a place in a state. Nobody sees them yet.
    pub(crate) fn add_functions(&self, place: usize, lua: &Lua) -> Result<(), Error> {
        let mut slots = std::mem::take(&mut *lock(&self.slots));
        let made = match slots.get_mut(place) {
            Some(slot) => self
                .run(Hook::GetLuaFunctions, || slot.object.functions(lua))
                .and_then(|table| self.registration(lua, table, slot.object.describe(lua)))
                .map(|registration| slot.registrations.push(registration)),
            None => Ok(()),
        };
        *lock(&self.slots) = slots;
        made
    }

    /// Takes the older version's place in every state: its tables get the new functions, and its
    /// functions run them. It is registered nowhere then, and can be ended. From here on there is no
    /// way back: failures are logged.
    pub(crate) fn take_over(&self, old: &Self) {
        let mut new_slots = std::mem::take(&mut *lock(&self.slots));
        let mut old_slots = std::mem::take(&mut *lock(&old.slots));
        for (new, old_slot) in new_slots.iter_mut().zip(&mut old_slots) {
            for registration in &mut new.registrations {
                let is_same = |other: &&mut Registration| other.state == registration.state;
                let before = old_slot.registrations.iter_mut().find(is_same);
                let (Some(before), Some(lua)) = (before, registration.lua.try_upgrade()) else {
                    continue;
                };
                let succeeded = try_again(|| registration.succeed(&lua, &self.name, before));
                let redirected = match succeeded {
                    Ok(current) => {
                        self.run(Hook::Revoke, || old_slot.object.redirect(&lua, &current))
                    }
                    Err(source) => Err(Error::Lua {
                        plugin: self.name.clone(),
                        step: "change the functions in the table",
                        source,
                    }),
                };
                if let Err(error) = redirected {
                    error!(
                        plugin = self.name,
                        error = error.report(),
                        "some functions are old"
                    );
                }
            }
            old_slot.registrations.clear();
        }
        *lock(&self.slots) = new_slots;
        *lock(&old.slots) = old_slots;
    }
}
