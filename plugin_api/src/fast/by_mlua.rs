//! Functions with a parameter or a result that only mlua can convert: callbacks of mlua, which read
//! what they can from the stack themselves.

use std::ffi::c_int;

use mlua::ffi::lua_State;
use mlua::state::RawLua;
use mlua::{
    Error, FromLua, FromLuaMulti, Function, IntoLua, IntoLuaMulti, Lua, MaybeSend, MultiValue,
    Result, Value,
};

use super::argument::{Entered, Span, Unfit};
use super::function::FastFunction;
use super::raw::Misfit;

/// Makes such a function.
pub(super) fn create<F, M>(lua: &Lua, function: F) -> Result<Function>
where
    F: FastFunction<M> + MaybeSend,
{
    lua.create_function(move |lua, OnStack(count): OnStack| {
        // SAFETY: mlua runs this as a callback, with the arguments on the stack of the thread that it
        // is at work on.
        lua.exec_raw_lua(|raw| unsafe { function.call_by_mlua(Entered { lua, raw }, count) })
            .map(OnStack)
    })
}

/// Calls a direct function by way of mlua, as if it were such a function; gives the number of results,
/// or raises.
///
/// # Safety
///
/// - `state` runs a C function made by this crate, which owns nothing, with the arguments on the stack.
/// - mlua's data for the state was not finalised.
#[cold]
#[inline(never)]
pub(super) unsafe fn call<F: FastFunction<M>, M>(function: &F, state: *mut lua_State) -> c_int {
    let mut results = 0;
    // SAFETY: as the caller promises. mlua enters the thread as for a callback of its own.
    unsafe {
        Lua::entrypoint(state, |lua, OnStack(count): OnStack| {
            lua.exec_raw_lua(|raw| {
                results = function.call_by_mlua(Entered { lua, raw }, count)?;
                Ok(Pushed)
            })
        });
    }
    results
}

/// So many values that stay on the stack, or were pushed to it.
struct OnStack(c_int);

impl FromLuaMulti for OnStack {
    fn from_lua_multi(_: MultiValue, _: &Lua) -> Result<Self> {
        Err(Error::runtime("the arguments are not on the stack"))
    }

    unsafe fn from_stack_args(count: c_int, _: usize, _: Option<&str>, _: &RawLua) -> Result<Self> {
        Ok(Self(count))
    }
}

/// What was pushed already, where mlua takes a single value.
struct Pushed;

impl IntoLua for Pushed {
    fn into_lua(self, _: &Lua) -> Result<Value> {
        Err(Error::runtime("the results are on the stack"))
    }

    unsafe fn push_into_stack(self, _: &RawLua) -> Result<()> {
        Ok(())
    }
}

impl IntoLuaMulti for OnStack {
    fn into_lua_multi(self, _: &Lua) -> Result<MultiValue> {
        Err(Error::runtime("the results are on the stack"))
    }

    unsafe fn push_into_stack_multi(self, _: &RawLua) -> Result<c_int> {
        Ok(self.0)
    }
}

/// What Lua's own library says of an argument that does not fit; `all` is where the arguments are.
#[cold]
pub(super) fn bad_argument(lua: Entered<'_>, index: c_int, all: Span, unfit: Unfit) -> Error {
    let expected = |name: &str| {
        let found = if index > all.last {
            "no value".to_owned()
        } else {
            // SAFETY: the argument is on the stack of the thread that mlua is at work on.
            unsafe { found(lua, index) }
        };
        format!("{name} expected, got {found}")
    };
    let text = match unfit {
        Unfit::Misfit(Misfit::Expected(name)) => expected(name),
        Unfit::Unlike(name) => expected(&name),
        Unfit::Misfit(misfit) => misfit.text().to_owned(),
        Unfit::Error(Error::FromLuaConversionError { to, message, .. }) => match message {
            Some(message) => format!("{} ({message})", expected(&to)),
            None => expected(&to),
        },
        Unfit::Error(error) => crate::errors::Message::of(&error).text,
    };
    let caller = lua.lua.inspect_stack(0, |frame| {
        let names = frame.names();
        let is_method = names.name_what == Some("method");
        names.name.map(|name| (name.into_owned(), is_method))
    });
    let position = index - all.first + 1;
    Error::RuntimeError(match caller.flatten() {
        Some((name, true)) if position == 1 => format!("calling '{name}' on bad self ({text})"),
        Some((name, true)) => format!("bad argument #{} to '{name}' ({text})", position - 1),
        Some((name, false)) => format!("bad argument #{position} to '{name}' ({text})"),
        None => format!("bad argument #{position} to '?' ({text})"),
    })
}

/// What an argument is called: its metatable's name, or its type.
///
/// # Safety
///
/// - The index is that of a value on the stack of the thread that `lua` is at work on.
unsafe fn found(lua: Entered<'_>, index: c_int) -> String {
    // SAFETY: as the caller promises.
    let value = match unsafe { Value::from_stack(index, lua.raw) } {
        Ok(value) => value,
        Err(error) => return error.to_string(),
    };
    let name = match &value {
        Value::Table(table) => table
            .metatable()
            .and_then(|table| table.raw_get("__name").ok()),
        Value::UserData(userdata) => userdata.type_name().ok().map(|name| name.to_string_lossy()),
        _ => None,
    };
    name.unwrap_or_else(|| match value.type_name() {
        "integer" => "number".to_owned(),
        other => other.to_owned(),
    })
}
