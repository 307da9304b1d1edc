//! Functions that can be taken back at no cost per call.
//!
//! A function made by [`Lua::create_function`] is one C function of mlua's for all of them, with
//! the Rust closure in its upvalue. To revoke it, the upvalue is replaced by that of a function
//! that raises an error; whoever holds the function then calls that one. Other functions get a
//! thin wrapper that can be revoked in the same way.

use std::collections::HashMap;
use std::ffi::c_int;
use std::mem;

use mlua::ffi::{self, lua_State};
use mlua::{Error, Function, Lua, MultiValue, Result, Table};

/// The functions of one plugin in one Lua state.
#[derive(Debug)]
pub(crate) struct Revocable {
    functions: Vec<Function>,
    revoked: Function,
}

/// Which kind of function Lua has.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Made by `create_function`, revoked by its upvalue.
    Callback,
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
    ) -> Result<(Table, Self)> {
        let message = format!("plugin '{plugin}' has been unloaded");
        let revoked = lua.create_function(move |_, _: MultiValue| -> Result<()> {
            Err(Error::RuntimeError(message.clone()))
        })?;
        let callback = address(lua, &revoked)?;
        let table = lua.create_table_with_capacity(0, functions.len())?;
        let mut held = Vec::with_capacity(functions.len());
        for (name, function) in functions {
            let function = match kind(lua, &function, callback)? {
                Kind::Callback => function,
                Kind::Lua => wrap_lua(lua, function)?,
                Kind::Other => wrap_other(lua, function)?,
            };
            table.raw_set(name, &function)?;
            held.push(function);
        }
        let functions = held;
        Ok((table, Self { functions, revoked }))
    }

    /// Revokes every function. The captured values of the functions are kept until the state is
    /// closed, as one of them may be running.
    pub(crate) fn revoke(&self, lua: &Lua) -> Result<()> {
        let callback = address(lua, &self.revoked)?;
        let kept = lua.create_table()?;
        for function in &self.functions {
            let is_callback = kind(lua, function, callback)? == Kind::Callback;
            let arguments = (&kept, function, &self.revoked);
            // SAFETY: `swap` finds its three arguments on the stack, and may raise.
            unsafe { lua.exec_raw::<()>(arguments, move |state| swap(state, is_callback)) }?;
        }
        mem::forget(lua.create_registry_value(kept)?);
        Ok(())
    }
}

/// Replaces the first upvalue of the function at 2 by that of the function at 3, or by that
/// function itself, and appends the old one to the table at 1.
unsafe fn swap(state: *mut lua_State, is_callback: bool) {
    // SAFETY: all indices exist; both functions have a first upvalue, by construction in
    // `Revocable::new`.
    unsafe {
        ffi::lua_getupvalue(state, 2, 1);
        let next = ffi::lua_rawlen(state, 1) as c_int + 1;
        ffi::lua_rawseti(state, 1, next.into());
        if is_callback {
            ffi::lua_getupvalue(state, 3, 1);
        } else {
            ffi::lua_pushvalue(state, 3);
        }
        ffi::lua_setupvalue(state, 2, 1);
        ffi::lua_settop(state, 0);
    }
}

fn wrap_lua(lua: &Lua, function: Function) -> Result<Function> {
    // A tail call keeps yields and the number of results as they are.
    lua.load("local target = ... return function(...) return target(...) end")
        .set_name("=[cygnixy]")
        .call(function)
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
        _ => Kind::Other,
    })
}

#[cfg(test)]
#[cfg(feature = "vendored")]
mod tests {
    use super::*;
    use mlua::Value;

    fn revocable(lua: &Lua, function: Function) -> (Function, Revocable) {
        let map = HashMap::from([("f".to_owned(), function)]);
        let (table, revocable) = Revocable::new(lua, "greet", map).expect("memory");
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
