//! Functions that can be taken back at no cost per call.
//!
//! A function made by [`Lua::create_function`] is one C function of mlua's for all of them, with
//! the Rust closure in its upvalue. To revoke it, the upvalue is replaced by that of a function
//! that raises an error; whoever holds the function then calls that one. A [fast function](crate::fast)
//! looks into its upvalue for what took its place. Other functions get a
//! thin wrapper that can be revoked in the same way. To redirect it when the plugin is reloaded, the
//! upvalue becomes that of a function which calls the new one.

use std::collections::HashMap;
use std::ffi::c_void;

use mlua::ffi::{self, lua_State};
use mlua::{Error, Function, Lua, MultiValue, Result, Table, Value, WeakLua};

use crate::abi::FfiBlock;
use crate::fast;
use crate::fast::{Signature, Signatures};
use crate::instance::{gone, unloaded};
use crate::protected::try_again;

/// The functions of one plugin in one Lua state.
pub(crate) struct Revocable {
    functions: Vec<Made>,
    message: String,
    revoked: Function,
    lua: WeakLua,
}

/// A function of a plugin.
pub(crate) struct Made {
    pub(crate) name: String,
    function: Function,
    kind: Kind,
    /// Its types, if they are known.
    pub(crate) signature: Option<Signature>,
}

impl Made {
    /// Its block for calls through LuaJIT's FFI, with what is known of the types.
    pub(crate) fn block(&self, lua: &Lua) -> Option<FfiFacts> {
        let found = fast::find(lua, &self.function).ok().flatten()?;
        // SAFETY: the function is alive, and the block with it.
        (!found.block.is_null()).then(|| unsafe {
            FfiFacts {
                block: found.block.cast(),
                parameters: (*found.block).types.parameters.clone(),
                result: (*found.block).types.result,
            }
        })
    }
}

/// What a loader needs to call a function through LuaJIT's FFI.
pub(crate) struct FfiFacts {
    pub(crate) block: *mut FfiBlock,
    pub(crate) parameters: String,
    pub(crate) result: char,
}

/// Which kind of function Lua has.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Made by `create_function`, revoked by its upvalue.
    Callback,
    /// Made by `create_fast_function`, revoked by its upvalue.
    Fast,
    /// A function written in Lua.
    Lua,
    /// Another C function.
    Other,
}

impl Revocable {
    /// Makes the functions revocable and puts them into a table.
    pub(crate) fn new(
        lua: &Lua,
        plugin: &str,
        functions: HashMap<String, Function>,
        signatures: &Signatures,
    ) -> Result<(Table, Self)> {
        let message = unloaded(plugin);
        let text = message.clone();
        let revoked = lua.create_function(move |_, _: MultiValue| -> Result<()> {
            Err(Error::RuntimeError(text.clone()))
        })?;
        let callback = address(lua, &revoked)?;
        let table = lua.create_table_with_capacity(0, functions.len())?;
        let mut held = Vec::with_capacity(functions.len());
        for (name, function) in functions {
            let signature = signatures.of(&function).cloned();
            let (kind, function) = match kind(lua, &function, callback)? {
                Kind::Lua => (Kind::Lua, wrap_lua(lua, function, &revoked, plugin)?),
                Kind::Other => (Kind::Callback, wrap_other(lua, function)?),
                kind => (kind, function),
            };
            table.raw_set(name.as_str(), &function)?;
            held.push(Made {
                name,
                function,
                kind,
                signature,
            });
        }
        let (functions, lua) = (held, lua.weak());
        Ok((
            table,
            Self {
                functions,
                message,
                revoked,
                lua,
            },
        ))
    }

    /// The functions.
    pub(crate) fn functions(&self) -> &[Made] {
        &self.functions
    }

    /// Drops the handles of functions that were not revoked, because their state is being closed or
    /// was closed.
    pub(crate) fn let_go(self) {
        // If a script closes its state from inside a call into this library (`os.exit(0, true)`),
        // mlua's frames are still there and make it seem open: then the handles are lost.
        if cfg!(bound_lua_api) && self.lua.try_upgrade().is_some() {
            std::mem::forget(self);
        }
    }

    /// Revokes every function. What a function captured is kept for as long as Lua has the
    /// function: it may be running, in a coroutine that cannot be seen from here, and then it is
    /// on that coroutine's stack.
    ///
    /// A failure, of memory or of a finaliser that happens to run, does not keep the others from
    /// being revoked; the last one is reported if it was not overcome.
    pub(crate) fn revoke(&self, lua: &Lua) -> Result<()> {
        self.replace(lua, |_, kind| {
            Ok(match kind {
                Kind::Callback => Value::Function(self.revoked.clone()),
                Kind::Fast => Value::String(lua.create_string(&self.message)?),
                _ => Value::Nil,
            })
        })
    }

    /// Lets every function run the one of the same name in `current`, as it is when it is called. A
    /// text there is raised as an error; a name that is not there raises one too. As
    /// [`revoke`](Self::revoke) otherwise.
    pub(crate) fn redirect(&self, lua: &Lua, plugin: &str, current: &Table) -> Result<()> {
        self.replace(lua, |name, kind| {
            let gone = gone(plugin, name);
            Ok(Value::Function(match kind {
                Kind::Callback | Kind::Fast => {
                    forward(lua, current.clone(), name.to_owned(), gone)?
                }
                _ => forward_lua(lua, current, name, gone)?,
            }))
        })
    }

    /// Gives every function another first upvalue: what `by` makes, or for a callback the upvalue of
    /// the callback that it makes.
    fn replace(&self, lua: &Lua, by: impl Fn(&str, Kind) -> Result<Value>) -> Result<()> {
        let kept = try_again(|| kept(lua))?;
        let mut result = Ok(());
        if self.functions.iter().any(|made| made.kind == Kind::Fast) {
            fast::note_revoked();
        }
        for made in &self.functions {
            let replaced = try_again(|| {
                let arguments = (&kept, &made.function, by(&made.name, made.kind)?);
                let is_callback = made.kind == Kind::Callback;
                // SAFETY: `swap` finds its three arguments on the stack, and may raise.
                unsafe { lua.exec_raw::<()>(arguments, move |state| swap(state, is_callback)) }
            });
            if replaced.is_err() {
                result = replaced;
            }
        }
        result
    }
}

/// The table of captured values by revoked function, which lets go of an entry with its function. It
/// is this library's own: the registry has it under an address in it.
fn kept(lua: &Lua) -> Result<Table> {
    static KEY: u8 = 0;
    let key = (&raw const KEY).cast::<c_void>();
    // SAFETY: one value is pushed, which is the result. Nothing raises.
    let present = unsafe {
        lua.exec_raw::<Value>((), |state| {
            ffi::lua_rawgetp(state, ffi::LUA_REGISTRYINDEX, key);
        })
    };
    if let Value::Table(table) = present? {
        return Ok(table);
    }
    let (table, metatable) = (lua.create_table()?, lua.create_table()?);
    metatable.raw_set("__mode", "k")?;
    table.set_metatable(Some(metatable))?;
    // SAFETY: the table is at index 1. Nothing needs a destructor if there is no memory.
    unsafe {
        lua.exec_raw::<()>(&table, |state| {
            ffi::lua_rawsetp(state, ffi::LUA_REGISTRYINDEX, key);
        })?;
    }
    Ok(table)
}

/// Replaces the first upvalue of the function at 2, by that of the function at 3 for a callback
/// and by the value at 3 otherwise, and keeps the old one in the table at 1. Does
/// nothing the second time.
unsafe fn swap(state: *mut lua_State, is_callback: bool) {
    // SAFETY: all indices exist; the functions have a first upvalue, by construction in
    // `Revocable::new`. mlua has made room for more values than are pushed.
    unsafe {
        ffi::lua_pushvalue(state, 2);
        ffi::lua_rawget(state, 1);
        if ffi::lua_isnil(state, -1) != 0 {
            ffi::lua_pushvalue(state, 2);
            ffi::lua_getupvalue(state, 2, 1);
            ffi::lua_rawset(state, 1);
            if is_callback {
                ffi::lua_getupvalue(state, 3, 1);
            } else {
                ffi::lua_pushvalue(state, 3);
            }
            ffi::lua_setupvalue(state, 2, 1);
        }
        ffi::lua_settop(state, 0);
    }
}

fn wrap_lua(lua: &Lua, function: Function, revoked: &Function, plugin: &str) -> Result<Function> {
    // A tail call keeps yields and the number of results as they are. To revoke it, its first
    // upvalue becomes nil. Lua's own `error` names the caller's position, if the host left it.
    let raise = match lua.globals().raw_get("error")? {
        Value::Function(error) => error,
        _ => revoked.clone(),
    };
    lua.load(
        "local target, raise, message = ... \
         return function(...) if target then return target(...) end raise(message, 2) end",
    )
    .set_name("=[cygnixy]")
    .call((function, raise, unloaded(plugin)))
}

/// A callback that calls the function `name` of a table.
fn forward(lua: &Lua, current: Table, name: String, gone: String) -> Result<Function> {
    lua.create_function(
        move |_, arguments: MultiValue| match current.raw_get(name.as_str())? {
            Value::Function(function) => function.call::<MultiValue>(arguments),
            Value::String(text) => Err(Error::RuntimeError(text.to_string_lossy())),
            _ => Err(Error::RuntimeError(gone.clone())),
        },
    )
}

/// The same as a function written in Lua, which can yield.
fn forward_lua(lua: &Lua, current: &Table, name: &str, gone: String) -> Result<Function> {
    let raise: Value = lua.globals().raw_get("error")?;
    let kind_of: Value = lua.globals().raw_get("type")?;
    // It is called by a tail call, which Lua 5.1, but not LuaJIT, counts as a level of its own.
    let is_counted = cfg!(feature = "lua51") && lua.globals().raw_get::<Value>("jit")?.is_nil();
    let level = if is_counted { 3 } else { 2 };
    lua.load(
        "local current, name, raise, type, level, gone = ... \
         return function(...) \
             local target = current[name] \
             if type(target) == 'function' then return target(...) end \
             raise(target or gone, level) \
         end",
    )
    .set_name("=[cygnixy]")
    .call((current, name, raise, kind_of, level, gone))
}

fn wrap_other(lua: &Lua, function: Function) -> Result<Function> {
    lua.create_function(move |_, arguments: MultiValue| function.call::<MultiValue>(arguments))
}

/// The address of a C function, 0 for a function written in Lua.
fn address(lua: &Lua, function: &Function) -> Result<usize> {
    let mut address = 0;
    let target = &raw mut address;
    // SAFETY: the function is at index 1; `target` outlives the call; nothing raises.
    unsafe {
        lua.exec_raw::<()>(function, move |state| {
            *target = match ffi::lua_tocfunction(state, 1) {
                Some(f) => f as usize,
                None => usize::from(ffi::lua_iscfunction(state, 1) != 0),
            };
            ffi::lua_settop(state, 0);
        })
    }?;
    Ok(address)
}

fn kind(lua: &Lua, function: &Function, callback: usize) -> Result<Kind> {
    Ok(match address(lua, function)? {
        0 => Kind::Lua,
        found if found == callback => Kind::Callback,
        _ if fast::find(lua, function)?.is_some() => Kind::Fast,
        _ => Kind::Other,
    })
}

#[cfg(test)]
#[cfg(feature = "vendored")]
mod tests {
    use super::*;

    fn revocable(lua: &Lua, function: Function) -> (Function, Revocable) {
        let map = HashMap::from([("f".to_owned(), function)]);
        let (table, revocable) =
            Revocable::new(lua, "greet", map, &Signatures::default()).expect("memory");
        (table.get("f").expect("it was put there"), revocable)
    }

    fn assert_revoked(lua: &Lua, f: &Function, revocable: &Revocable) {
        revocable.revoke(lua).expect("memory");
        let error = f.call::<Value>(()).expect_err("it is revoked").to_string();
        assert!(
            error.contains("plugin 'greet' has been unloaded"),
            "{error}"
        );
    }

    #[test]
    fn callbacks_are_revoked_wherever_they_are_held() {
        let lua = Lua::new();
        let function = lua.create_function(|_, ()| Ok(42)).expect("memory");
        let (f, revocable) = revocable(&lua, function.clone());
        assert_eq!(f.call::<i32>(()).expect("alive"), 42);
        assert_revoked(&lua, &function, &revocable);
        assert_revoked(&lua, &f, &revocable);
    }

    #[test]
    fn captured_values_go_with_the_function() {
        let lua = Lua::new();
        let captured = std::rc::Rc::new(());
        let held = std::rc::Rc::clone(&captured);
        let function = lua.create_function(move |_, ()| Ok(std::rc::Rc::strong_count(&held)));
        let (f, revocable) = revocable(&lua, function.expect("memory"));
        assert_revoked(&lua, &f, &revocable);
        lua.gc_collect().expect("it collects");
        assert_eq!(std::rc::Rc::strong_count(&captured), 2, "it may be running");
        drop((f, revocable));
        lua.gc_collect().expect("it collects");
        lua.gc_collect().expect("it collects");
        assert_eq!(std::rc::Rc::strong_count(&captured), 1);
    }

    #[test]
    fn lua_functions_are_revoked() {
        let lua = Lua::new();
        let function = lua.load("return function(a, b) return b, a end").eval();
        let (f, revocable) = revocable(&lua, function.expect("it compiles"));
        assert_eq!(f.call::<(i32, i32)>((1, 2)).expect("alive"), (2, 1));
        assert_revoked(&lua, &f, &revocable);
    }

    #[test]
    fn other_c_functions_are_revoked() {
        let lua = Lua::new();
        let function: Function = lua.globals().get("tostring").expect("it is there");
        let (f, revocable) = revocable(&lua, function);
        assert_eq!(f.call::<String>(12).expect("alive"), "12");
        assert_revoked(&lua, &f, &revocable);
    }
}
