//! The signatures of the functions that a plugin makes while it is asked for its functions.

use std::collections::HashMap;

use mlua::{Function, Lua};

use super::signature::Signature;

/// By the address of the function, while it is alive.
#[derive(Default)]
struct Made(HashMap<usize, Signature>);

/// Notes a function, if somebody collects.
pub(super) fn note(lua: &Lua, function: &Function, signature: Signature) {
    if let Some(mut made) = lua.app_data_mut::<Made>() {
        made.0.insert(function.to_pointer().addr(), signature);
    }
}

/// The signatures of functions that were made meanwhile.
#[derive(Default)]
pub(crate) struct Signatures(HashMap<usize, Signature>);

impl Signatures {
    pub(crate) fn of(&self, function: &Function) -> Option<&Signature> {
        self.0.get(&function.to_pointer().addr())
    }
}

/// Begins to collect.
pub(crate) fn collect(lua: &Lua) {
    lua.set_app_data(Made::default());
}

/// Ends it.
pub(crate) fn recollect(lua: &Lua) -> Signatures {
    Signatures(lua.remove_app_data::<Made>().unwrap_or_default().0)
}
