//! Calls from LuaJIT's compiled code straight into a plugin, through LuaJIT's FFI.
//!
//! For each function that can be called so there is a function in Lua, which writes the arguments into
//! the plugin's block and calls a C function that it finds there. It finds the block in a table, its
//! *slot*: when the plugin is unloaded or reloaded, the slot is changed, and functions that scripts
//! hold never call what is gone. A compiled trace that runs has looked into the slot when it was
//! entered, but no plugin can be unloaded within a trace: LuaJIT leaves compiled code for that.
//!
//! In interpreted code a finaliser or a debug hook may run at any point of the function in Lua. If that
//! unloads the plugin, the block and the code are still there, since the function in Lua holds a
//! table with the ordinary one, which is replaced as a whole; if it calls the same function, it finds the
//! block marked as busy, and takes the ordinary way. A mark that an error has left behind makes later
//! calls do the same.
//!
//! Whatever the direct call cannot do is left to the ordinary function: arguments of other types and
//! those that do not fit, for it knows how to convert them and what to say.

use std::fmt::Write as _;

use plugin_api::abi::{FfiBlock, Sink};
use plugin_api::instance;
use plugin_api::mlua::{self, Function, LightUserData, Lua, Table, Value};

use super::facts::{Block, Direct, Facts};
use super::saying::saying;
use crate::runtime;

/// The table that `cygnixy.ffi` gives, and the slots of its functions.
pub(super) struct DirectCalls {
    pub(super) table: Table,
    slots: Vec<Slot>,
}

struct Slot {
    name: String,
    direct: Direct,
    table: Table,
    /// The function in Lua, which refers to nothing of the plugin.
    function: Function,
}

impl Slot {
    fn is_for(&self, name: &str, direct: &Direct) -> bool {
        self.name == name
            && self.direct.parameters == direct.parameters
            && self.direct.result == direct.result
    }
}

impl DirectCalls {
    /// Makes the table for a plugin's functions; `functions` has the ordinary ones by name. `None` where
    /// there is no FFI: in other Luas, and if the program has taken it away.
    pub(super) fn new(lua: &Lua, functions: &Table, facts: &[Facts]) -> mlua::Result<Option<Self>> {
        let Some(ffi) = Ffi::of(lua)? else {
            return Ok(None);
        };
        let mut calls = Self {
            table: lua.create_table()?,
            slots: Vec::new(),
        };
        calls.fill(lua, &ffi, functions, facts)?;
        Ok(Some(calls))
    }

    fn fill(
        &mut self,
        lua: &Lua,
        ffi: &Ffi,
        functions: &Table,
        facts: &[Facts],
    ) -> mlua::Result<()> {
        for one in facts {
            let name = one.name.as_str();
            // A block lives as long as its function, which the script may have let go of.
            let Value::Function(ordinary) = functions.raw_get(name)? else {
                continue;
            };
            let Some(direct) = &one.direct else {
                self.table.raw_set(name, ordinary)?;
                continue;
            };
            if let Some(slot) = self.slots.iter().find(|slot| slot.is_for(name, direct)) {
                self.table.raw_set(name, &slot.function)?;
                continue;
            }
            let table = lua.create_table()?;
            ffi.set(lua, &table, direct, &ordinary)?;
            let function: Function = lua
                .load(source(direct))
                .set_name("=[cygnixy]")
                .call((&table, &ffi.kind_of))?;
            self.table.raw_set(name, &function)?;
            self.slots.push(Slot {
                name: one.name.clone(),
                direct: direct.clone(),
                table,
                function,
            });
        }
        Ok(())
    }

    /// Lets the functions call those of a newer version: directly if the types are the same. `current`
    /// has the ordinary functions by name, and nothing for those that are gone.
    pub(super) fn succeed(
        &mut self,
        lua: &Lua,
        plugin: &str,
        current: &Table,
        facts: &[Facts],
    ) -> mlua::Result<()> {
        let ffi = Ffi::of(lua)?;
        for slot in &self.slots {
            let ordinary = match current.raw_get(slot.name.as_str())? {
                Value::Function(function) => function,
                _ => saying(lua, &instance::gone(plugin, &slot.name))?,
            };
            let now = facts.iter().filter_map(|one| {
                let direct = one.direct.as_ref()?;
                slot.is_for(&one.name, direct).then_some(direct)
            });
            match (now.last(), &ffi) {
                (Some(direct), Some(ffi)) => ffi.set(lua, &slot.table, direct, &ordinary)?,
                _ => close(lua, &slot.table, &ordinary)?,
            }
        }
        self.table.clear()?;
        match ffi {
            Some(ffi) => self.fill(lua, &ffi, current, facts),
            None => Ok(()),
        }
    }

    /// Lets every function raise an error, by an ordinary one that does.
    pub(super) fn seal(&self, lua: &Lua, gone: &Function) -> mlua::Result<()> {
        for slot in &self.slots {
            close(lua, &slot.table, gone)?;
        }
        for pair in self.table.pairs::<Value, Value>() {
            let (name, function) = pair?;
            let is_own = |slot: &Slot| Value::Function(slot.function.clone()) == function;
            if !self.slots.iter().any(is_own) {
                self.table.raw_set(name, gone)?;
            }
        }
        Ok(())
    }
}

/// The function that makes pointers to blocks, in the registry of a state.
const CAST_KEY: &str = "cygnixy.ffi";

/// What is used of LuaJIT.
struct Ffi {
    /// Makes a pointer to a block of an address.
    cast: Function,
    /// Lua's `type`.
    kind_of: Function,
}

impl Ffi {
    /// LuaJIT's FFI, if this is LuaJIT and the program has left it.
    fn of(lua: &Lua) -> mlua::Result<Option<Self>> {
        if runtime::lua_abi() != "luajit" {
            return Ok(None);
        }
        let globals = lua.globals();
        let Value::Function(kind_of) = globals.raw_get("type")? else {
            return Ok(None);
        };
        // LuaJIT never forgets a declaration, and has room for some ten thousand: one for each state.
        if let Value::Function(cast) = lua.named_registry_value(CAST_KEY)? {
            return Ok(Some(Self { cast, kind_of }));
        }
        let Value::Function(require) = globals.raw_get("require")? else {
            return Ok(None);
        };
        let Ok(ffi) = require.call::<Table>("ffi") else {
            return Ok(None);
        };
        let cast: Function = lua
            .load(
                "local ffi = ... \
                 local block = ffi.typeof [[struct { \
                     void (*call)(void *); void *take_failure; double number; uint32_t status; uint32_t busy; \
                     struct { double number; const char *data; size_t len; } arguments[8]; \
                 } *]] \
                 return function(pointer) return ffi.cast(block, pointer) end",
            )
            .set_name("=[cygnixy]")
            .call(ffi)?;
        lua.set_named_registry_value(CAST_KEY, &cast)?;
        Ok(Some(Self { cast, kind_of }))
    }

    /// Points a slot to a function: its block, the ordinary function, and what raises its failures.
    fn set(
        &self,
        lua: &Lua,
        slot: &Table,
        direct: &Direct,
        ordinary: &Function,
    ) -> mlua::Result<()> {
        let block = direct.block;
        let failed = lua.create_function(move |_, _: Table| -> mlua::Result<()> {
            let (Block(block), mut text) = (block, String::new());
            // SAFETY: this is called by the function in Lua right after the direct call, with the
            // table that has the ordinary function, and the block lives as long as that.
            unsafe {
                ((*block).take_failure)(block, Sink::to_string(&mut text));
                (*block).busy = 0;
            }
            Err(mlua::Error::RuntimeError(text))
        })?;
        let pointer: Value = self.cast.call(LightUserData(block.0.cast()))?;
        let now = lua.create_table()?;
        now.raw_set("ordinary", ordinary)?;
        now.raw_set("failed", failed)?;
        now.raw_set("block", pointer)?;
        slot.raw_set("now", now)
    }
}

/// Takes the block out of a slot: every call goes to a function from now on.
fn close(lua: &Lua, slot: &Table, instead: &Function) -> mlua::Result<()> {
    let now = lua.create_table()?;
    now.raw_set("ordinary", instead)?;
    slot.raw_set("now", now)
}

/// The text of the function.
fn source(direct: &Direct) -> String {
    let names: Vec<String> = (0..direct.parameters.len())
        .map(|i| format!("a{i}"))
        .collect();
    let (mut test, mut fill) = (String::new(), String::new());
    for (i, kind) in direct.parameters.chars().enumerate() {
        let lua_type = match kind {
            'n' => "number",
            'b' => "boolean",
            _ => "string",
        };
        // Writing to a string fails for no reason.
        let _ = write!(test, " and type(a{i}) == '{lua_type}'");
        let _ = match kind {
            'n' => write!(fill, "to[{i}].number = a{i} "),
            'b' => write!(fill, "to[{i}].number = a{i} and 1 or 0 "),
            _ => write!(fill, "to[{i}].data = a{i} to[{i}].len = #a{i} "),
        };
    }
    let (result, returned) = match direct.result {
        'n' => (", block.number", " result"),
        'b' => (", block.number ~= 0", " result"),
        _ => ("", ""),
    };
    // A newer version may take more arguments, by way of the ordinary function.
    let arguments = names.into_iter().chain(["...".to_owned()]);
    let arguments = arguments.collect::<Vec<_>>().join(", ");
    format!(
        "local slot, type = ... \
         return function({arguments}) \
             local now = slot.now \
             local block = now.block \
             if block and block.busy == 0{test} then \
                 block.busy = 1 \
                 local to = block.arguments {fill} \
                 block.call(block) \
                 local status, result = block.status{result} \
                 if status == {failed} then return now.failed(now) end \
                 block.busy = 0 \
                 if status == {done} then return{returned} end \
             end \
             return now.ordinary({arguments}) \
         end",
        done = FfiBlock::DONE,
        failed = FfiBlock::FAILED,
    )
}
