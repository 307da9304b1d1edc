//! A plugin that is part of the program.

use std::collections::HashMap;
use std::error::Error;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use cygnixy::plugin_api::PluginLua;
use mlua::{Function, Lua};

/// What a [`Local`] does wrong, if anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Trouble {
    /// Nothing.
    None,
    /// `on_load` returns an error that has a cause.
    LoadFails,
    /// `get_lua_functions` panics.
    FunctionsPanic,
    /// `on_unload` panics.
    UnloadPanics,
}

/// A plugin of the given name that notes its hooks in a list.
#[derive(Debug)]
pub struct Local {
    name: &'static str,
    trouble: Trouble,
    hooks: Arc<Mutex<Vec<&'static str>>>,
    calls: Arc<AtomicU32>,
}

impl Local {
    /// A plugin, and the list of its hooks that ran.
    #[must_use]
    pub fn new(name: &'static str, trouble: Trouble) -> (Box<Self>, Arc<Mutex<Vec<&'static str>>>) {
        let hooks = Arc::default();
        let plugin = Self {
            name,
            trouble,
            hooks: Arc::clone(&hooks),
            calls: Arc::default(),
        };
        (Box::new(plugin), hooks)
    }

    fn ran(&self, hook: &'static str) {
        self.hooks
            .lock()
            .unwrap_or_else(|poison| poison.into_inner())
            .push(hook);
    }
}

impl PluginLua for Local {
    fn name(&self) -> &str {
        self.name
    }

    fn on_load(&mut self) -> Result<(), Box<dyn Error>> {
        self.ran("on_load");
        if self.trouble == Trouble::LoadFails {
            return Err(Box::new(std::io::Error::other("no licence")));
        }
        Ok(())
    }

    fn on_unload(&mut self) -> Result<(), Box<dyn Error>> {
        self.ran("on_unload");
        assert!(self.trouble != Trouble::UnloadPanics, "cannot let go");
        Ok(())
    }

    fn get_lua_functions(&self, lua: &Lua) -> HashMap<String, Function> {
        self.ran("get_lua_functions");
        assert!(
            self.trouble != Trouble::FunctionsPanic,
            "no functions today"
        );
        let calls = Arc::clone(&self.calls);
        let count = lua.create_function(move |_, ()| Ok(calls.fetch_add(1, Ordering::Relaxed) + 1));
        count.map_or_else(
            |_| HashMap::new(),
            |count| HashMap::from([("count".to_owned(), count)]),
        )
    }
}

impl Drop for Local {
    fn drop(&mut self) {
        self.ran("drop");
    }
}
