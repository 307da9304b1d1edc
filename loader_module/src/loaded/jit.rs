//! Calls from LuaJIT's compiled code straight into a plugin, through LuaJIT's FFI.
//!
//! For each function that can be called so there is a function in Lua, which writes the arguments into
//! the plugin's block and calls a C function that it finds there. It finds the block in a table, its
//! *slot*: when the plugin is unloaded or reloaded, the slot is changed, and functions that scripts
//! hold never call what is gone. A compiled trace that runs has looked into the slot when it was
//! entered, but no plugin can be unloaded within a trace: LuaJIT leaves compiled code for that.
//!
//! Whatever the direct call cannot do is left to the ordinary function: arguments of other types and
//! those that do not fit, for it knows how to convert them and what to say.

use std::fmt::Write as _;

use plugin_api::abi::{FfiBlock, Sink};
use plugin_api::instance;
use plugin_api::mlua::{self, Function, LightUserData, Lua, MultiValue, Table, Value};

use super::facts::{Block, Direct, Facts};
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
                _ => saying(lua, instance::gone(plugin, &slot.name))?,
            };
            let now = facts.iter().filter_map(|one| {
                let direct = one.direct.as_ref()?;
                slot.is_for(&one.name, direct).then_some(direct)
            });
            match (now.last(), &ffi) {
                (Some(direct), Some(ffi)) => ffi.set(lua, &slot.table, direct, &ordinary)?,
                _ => close(&slot.table, &ordinary)?,
            }
        }
        self.table.clear()?;
        match ffi {
            Some(ffi) => self.fill(lua, &ffi, current, facts),
            None => Ok(()),
        }
    }

    /// Lets every function raise an error, by an ordinary one that does.
    pub(super) fn seal(&self, gone: &Function) -> mlua::Result<()> {
        for slot in &self.slots {
            close(&slot.table, gone)?;
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
        let (Value::Function(require), Value::Function(kind_of)) =
            (globals.raw_get("require")?, globals.raw_get("type")?)
        else {
            return Ok(None);
        };
        let Ok(ffi) = require.call::<Table>("ffi") else {
            return Ok(None);
        };
        let cast = lua
            .load(
                "local ffi = ... \
                 local block = ffi.typeof [[struct { \
                     void (*call)(void *); void *take_failure; double number; uint32_t status; \
                     struct { double number; const char *data; size_t len; } arguments[8]; \
                 } *]] \
                 return function(pointer) return ffi.cast(block, pointer) end",
            )
            .set_name("=[cygnixy]")
            .call(ffi)?;
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
        let failed = lua.create_function(move |_, ()| -> mlua::Result<()> {
            let (Block(block), mut text) = (block, String::new());
            // SAFETY: the slot refers to the ordinary function, and the block lives as long as that;
            // this is called by the function in Lua right after the direct call.
            unsafe { ((*block).take_failure)(block, Sink::to_string(&mut text)) };
            Err(mlua::Error::RuntimeError(text))
        })?;
        let pointer: Value = self.cast.call(LightUserData(block.0.cast()))?;
        slot.raw_set("ordinary", ordinary)?;
        slot.raw_set("failed", failed)?;
        slot.raw_set("block", pointer)
    }
}

/// A function that raises a text.
fn saying(lua: &Lua, text: String) -> mlua::Result<Function> {
    lua.create_function(move |_, _: MultiValue| -> mlua::Result<()> {
        Err(mlua::Error::RuntimeError(text.clone()))
    })
}

/// Takes the block out of a slot: every call goes to a function from now on.
fn close(slot: &Table, instead: &Function) -> mlua::Result<()> {
    slot.raw_set("block", false)?;
    slot.raw_set("failed", false)?;
    slot.raw_set("ordinary", instead)
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
    let result = match direct.result {
        'n' => " block.number",
        'b' => " block.number ~= 0",
        _ => "",
    };
    // A newer version may take more arguments, by way of the ordinary function.
    let arguments = names.into_iter().chain(["...".to_owned()]);
    let arguments = arguments.collect::<Vec<_>>().join(", ");
    format!(
        "local slot, type = ... \
         return function({arguments}) \
             local block = slot.block \
             if block{test} then \
                 local to = block.arguments {fill} \
                 block.call(block) \
                 local status = block.status \
                 if status == {done} then return{result} end \
                 if status == {failed} then return slot.failed() end \
             end \
             return slot.ordinary({arguments}) \
         end",
        done = FfiBlock::DONE,
        failed = FfiBlock::FAILED,
    )
}
