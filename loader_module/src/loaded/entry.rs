//! One loaded plugin: where it is from, its objects, and its tables in Lua states.

use std::ffi::c_void;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use plugin_api::PluginLua;
use plugin_api::instance::{Failure, Instance};
use plugin_api::mlua::{Lua, Table};
use plugin_api::protected::try_again;
use tracing::{debug, debug_span, error};

use crate::Error;
use crate::call_stack;
use crate::error::Hook;
use crate::foreign::ForeignInstance;
use crate::library::Library;
use crate::loaded::facts::Facts;
use crate::loaded::object::{Object, Slot};
use crate::loaded::registration::{Registered, Registration};
use crate::lock::lock;
use crate::lua_state::StateId;
use crate::residence;

mod succession;

/// Where a plugin's code is.
#[derive(Debug)]
pub(crate) enum Origin {
    /// In a plugin library.
    File(Arc<Library>),
    /// In the program that the loader is part of.
    Program,
}

/// A loaded plugin.
#[derive(Debug)]
pub(crate) struct Entry {
    name: String,
    origin: Origin,
    slots: Mutex<Vec<Slot>>,
    /// The hook that is running, if one is.
    running: Mutex<Option<Hook>>,
}

impl Entry {
    /// Makes an object of a plugin library.
    pub(crate) fn create(library: Arc<Library>) -> Result<Self, Error> {
        let (name, path) = (library.manifest.name.clone(), library.path.clone());
        let object = run(Hook::Create, &name, &path, || {
            ForeignInstance::create(Arc::clone(&library))
        })?;
        let name = object.name().to_owned();
        let slot = Slot::new(Object::Foreign(object));
        Ok(Self::new(name, Origin::File(library), vec![slot]))
    }

    /// Takes an object of a plugin that is part of the program.
    pub(crate) fn from_program(plugin: Box<dyn PluginLua>) -> Result<Self, Error> {
        let object = run(Hook::Create, "?", &program(), || Instance::new(|| plugin))?;
        let name = object.name().to_owned();
        let slot = Slot::new(Object::Local(object));
        Ok(Self::new(name, Origin::Program, vec![slot]))
    }

    fn new(name: String, origin: Origin, slots: Vec<Slot>) -> Self {
        Self {
            name,
            origin,
            slots: Mutex::new(slots),
            running: Mutex::new(None),
        }
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn origin(&self) -> &Origin {
        &self.origin
    }

    /// The plugin file, or a phrase for people where there is none.
    pub(crate) fn path(&self) -> PathBuf {
        match &self.origin {
            Origin::File(library) => library.path.clone(),
            Origin::Program => program(),
        }
    }

    /// The names of the functions, sorted; empty before the plugin is registered in a state.
    pub(crate) fn functions(&self) -> Vec<String> {
        let slots = lock(&self.slots);
        let mut registrations = slots.iter().flat_map(|slot| &slot.registrations);
        registrations
            .next()
            .map_or_else(Vec::new, |registration| registration.functions.clone())
    }

    /// The plugin's table in a state.
    pub(crate) fn table(&self, state: StateId) -> Option<Table> {
        self.registered(state).map(|registered| registered.table)
    }

    /// Runs `on_load` of the object that was just made.
    pub(crate) fn on_load(&self) -> Result<(), Error> {
        let _running = self.begin(Hook::OnLoad)?;
        let mut slots = std::mem::take(&mut *lock(&self.slots));
        let result = slots
            .iter_mut()
            .try_for_each(|slot| self.run(Hook::OnLoad, || slot.object.on_load()));
        *lock(&self.slots) = slots;
        result
    }

    /// Makes the functions in a Lua state, once; gives the table there.
    pub(crate) fn register(&self, lua: &Lua) -> Result<Registered, Error> {
        let state = StateId::of(lua);
        if let Some(registered) = self.registered(state) {
            return Ok(registered);
        }
        let _running = self.begin(Hook::GetLuaFunctions)?;
        let mut slot = self.slot_for_another_state()?;
        let made = self.run(Hook::GetLuaFunctions, || slot.object.functions(lua));
        let result = made.and_then(|table| {
            let facts = slot.object.describe(lua);
            let registration = self.registration(lua, table, facts)?;
            let registered = registration.registered();
            let published = try_again(|| registration.publish(lua, &self.name));
            published.map_err(|source| Error::Lua {
                plugin: self.name.clone(),
                step: "note the table of functions",
                source,
            })?;
            slot.registrations.push(registration);
            Ok(registered)
        });
        lock(&self.slots).push(slot);
        result
    }

    fn registration(
        &self,
        lua: &Lua,
        table: Table,
        facts: Vec<Facts>,
    ) -> Result<Registration, Error> {
        let registration = Registration::new(lua, table, facts).map_err(|source| Error::Lua {
            plugin: self.name.clone(),
            step: "list the functions",
            source,
        })?;
        let path = self.path();
        let (plugin, path) = (&self.name, path.display());
        debug!(step = "functions", plugin, %path, functions = ?registration.functions, "made functions");
        Ok(registration)
    }

    /// What is known of the functions, in the state where they were made first.
    pub(crate) fn facts(&self) -> Vec<Facts> {
        let slots = lock(&self.slots);
        let first = slots.iter().flat_map(|slot| &slot.registrations).next();
        first.map_or_else(Vec::new, |first| first.facts().to_vec())
    }

    /// The plugin's functions as LuaJIT can call them through its FFI; `None` if the plugin has no
    /// functions in this state.
    pub(crate) fn direct_calls(&self, lua: &Lua) -> Result<Option<Table>, Error> {
        let _running = self.begin(Hook::GetLuaFunctions)?;
        let state = StateId::of(lua);
        let mut slots = std::mem::take(&mut *lock(&self.slots));
        let here = slots
            .iter_mut()
            .flat_map(|slot| &mut slot.registrations)
            .find(|registration| registration.state == state);
        let table = here.map(|registration| registration.direct_calls(lua));
        *lock(&self.slots) = slots;
        table.transpose().map_err(|source| Error::Lua {
            plugin: self.name.clone(),
            step: "make the functions for LuaJIT's FFI",
            source,
        })
    }

    /// The plugin's table in a state, and what belongs to it.
    pub(super) fn registered(&self, state: StateId) -> Option<Registered> {
        let slots = lock(&self.slots);
        let mut registrations = slots.iter().flat_map(|slot| &slot.registrations);
        registrations
            .find(|registration| registration.state == state)
            .map(Registration::registered)
    }

    /// Takes out an object that can be registered in one more state, made anew if need be.
    fn slot_for_another_state(&self) -> Result<Slot, Error> {
        {
            let mut slots = lock(&self.slots);
            let is_free = |slot: &Slot| match slot.object {
                Object::Foreign(_) => slot.registrations.is_empty(),
                Object::Local(_) => true,
            };
            if let Some(index) = slots.iter().position(is_free) {
                return Ok(slots.remove(index));
            }
        }
        let Origin::File(library) = &self.origin else {
            // The only object of a program's plugin is in use by a hook further up the stack.
            return Err(self.busy(Hook::GetLuaFunctions));
        };
        let mut object = self.run(Hook::Create, || {
            ForeignInstance::create(Arc::clone(library))
        })?;
        self.run(Hook::OnLoad, || object.on_load())?;
        Ok(Slot::new(Object::Foreign(object)))
    }

    /// Checks that no code of the plugin is running, as far as the stacks of its states tell, and, if
    /// `look_everywhere`, that no coroutine is suspended in it.
    pub(crate) fn check_idle(&self, look_everywhere: bool) -> Result<(), Error> {
        let Origin::File(library) = &self.origin else {
            return Ok(());
        };
        let states: Vec<(Lua, Vec<usize>)> = lock(&self.slots)
            .iter()
            .flat_map(|slot| &slot.registrations)
            .filter_map(|registration| {
                let lua = registration.lua.try_upgrade()?;
                Some((lua, registration.written_in_lua.clone()))
            })
            .collect();
        for (lua, written_in_lua) in states {
            let is_it = |function: *const c_void| written_in_lua.contains(&function.addr());
            if call_stack::is_running_code_of(&lua, &library.addresses, &is_it) {
                return Err(Error::InUse {
                    plugin: self.name.clone(),
                    path: self.path(),
                });
            }
            let can_yield = !written_in_lua.is_empty() || residence::has_yielded(&lua, library);
            if look_everywhere
                && can_yield
                && residence::is_suspended_in(&lua, library, &is_it).unwrap_or(false)
            {
                return Err(Error::Suspended {
                    plugin: self.name.clone(),
                    path: self.path(),
                });
            }
        }
        Ok(())
    }

    /// Revokes the functions in every state, runs `on_unload` and drops the objects. Gives the
    /// first failure; the plugin is ended all the same.
    pub(crate) fn end(&self) -> Result<(), Error> {
        let _running = self.begin(Hook::OnUnload)?;
        self.end_now()
    }

    /// The same for a caller that has marked the plugin as busy.
    pub(crate) fn end_now(&self) -> Result<(), Error> {
        let slots = std::mem::take(&mut *lock(&self.slots));
        let mut failures = Failures::new(self);
        for mut slot in slots.into_iter().rev() {
            for registration in slot.registrations.drain(..) {
                if let Some(lua) = registration.lua.try_upgrade() {
                    let revoked = self.run(Hook::Revoke, || slot.object.revoke(&lua));
                    failures.note(revoked);
                    failures.note(registration.seal(&lua, &self.name));
                }
            }
            failures.end_object(slot.object);
        }
        let result = failures.first();
        if let (Err(_), Origin::File(library)) = (&result, &self.origin) {
            library.note_failure();
        }
        result
    }

    /// Ends what belongs to a state that is being closed, without touching the state.
    pub(crate) fn state_closed(&self, state: StateId) -> Result<(), Error> {
        let in_state = |registration: &Registration| registration.state == state;
        let ended: Vec<Slot> = {
            let mut slots = lock(&self.slots);
            let (mut ended, mut others): (Vec<_>, Vec<_>) = slots
                .drain(..)
                .partition(|slot| slot.registrations.iter().any(in_state));
            // An object of the program may serve other states.
            others.extend(ended.extract_if(.., |slot| matches!(slot.object, Object::Local(_))));
            *slots = others;
            slots
                .iter_mut()
                .for_each(|slot| slot.registrations.retain(|r| !in_state(r)));
            ended
        };
        let mut failures = Failures::new(self);
        for slot in ended {
            drop(slot.registrations);
            failures.end_object(slot.object);
        }
        failures.first()
    }

    /// Notes that a hook is running, until the result is dropped.
    pub(super) fn begin(&self, hook: Hook) -> Result<Running<'_>, Error> {
        let mut running = lock(&self.running);
        if let Some(other) = *running {
            return Err(self.busy(other));
        }
        *running = Some(hook);
        Ok(Running(self))
    }

    fn busy(&self, hook: Hook) -> Error {
        Error::Busy {
            plugin: self.name.clone(),
            path: self.path(),
            hook,
        }
    }

    fn run<R>(&self, hook: Hook, body: impl FnOnce() -> Result<R, Failure>) -> Result<R, Error> {
        run(hook, &self.name, &self.path(), body)
    }
}

/// Runs a step that calls code of a plugin, with a log of its beginning and end.
fn run<R>(
    hook: Hook,
    plugin: &str,
    path: &Path,
    body: impl FnOnce() -> Result<R, Failure>,
) -> Result<R, Error> {
    let _span = debug_span!("hook", step = %hook, plugin, path = %path.display()).entered();
    debug!(step = %hook, plugin, path = %path.display(), "begins");
    let result = body();
    match &result {
        Ok(_) => debug!(step = %hook, plugin, path = %path.display(), "ended"),
        Err(failure) => {
            debug!(step = %hook, plugin, path = %path.display(), %failure, "failed");
        }
    }
    result.map_err(|source| Error::Hook {
        plugin: plugin.to_owned(),
        path: path.to_owned(),
        hook,
        source,
    })
}

/// Marks an entry as busy with a hook, until dropped.
pub(super) struct Running<'a>(&'a Entry);

impl Drop for Running<'_> {
    fn drop(&mut self) {
        *lock(&self.0.running) = None;
    }
}

/// Collects what fails while a plugin ends: the first failure is reported, the others are logged.
struct Failures<'a> {
    entry: &'a Entry,
    first: Option<Error>,
}

impl<'a> Failures<'a> {
    fn new(entry: &'a Entry) -> Self {
        Self { entry, first: None }
    }

    fn end_object(&mut self, mut object: Object) {
        let entry = self.entry;
        self.note(entry.run(Hook::OnUnload, || object.on_unload()));
        self.note(entry.run(Hook::Drop, || object.destroy()));
    }

    fn note(&mut self, result: Result<(), Error>) {
        let Err(error) = result else { return };
        if self.first.is_none() {
            self.first = Some(error);
        } else {
            let (plugin, path) = (&self.entry.name, self.entry.path());
            error!(plugin, path = %path.display(), error = error.report(), "one more failure");
        }
    }

    fn first(self) -> Result<(), Error> {
        self.first.map_or(Ok(()), Err)
    }
}

/// What stands for a path where the plugin is part of the program.
fn program() -> PathBuf {
    PathBuf::from("the program itself")
}
