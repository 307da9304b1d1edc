//! The benchmark's functions, made with mlua's `create_function`.
//!
//! The plain mlua module and the plugin compile this same file: their functions differ in nothing
//! but the way they come into Lua.

use crate::mlua::{
    Error, Function, Lua, LuaString, Result, UserData, UserDataMethods, UserDataRef,
};

/// An object with one method.
pub(crate) struct Counter(pub(crate) i64);

impl UserData for Counter {
    fn add_methods<M: UserDataMethods<Self>>(methods: &mut M) {
        methods.add_method("get", |_, this, ()| Ok(this.0));
    }
}

/// The length of a buffer and the byte in its middle, added.
pub(crate) fn look(bytes: &[u8]) -> usize {
    let middle = bytes.get(bytes.len() / 2).copied().unwrap_or(0);
    bytes.len() + usize::from(middle)
}

/// The functions by name.
pub(crate) fn functions(lua: &Lua) -> Result<Vec<(&'static str, Function)>> {
    Ok(vec![
        ("noop", lua.create_function(|_, ()| Ok(()))?),
        (
            "add",
            lua.create_function(|_, (a, b): (f64, f64)| Ok(a + b))?,
        ),
        ("increment", lua.create_function(|_, n: i64| Ok(n + 1))?),
        (
            "length",
            lua.create_function(|_, text: LuaString| Ok(text.as_bytes().len()))?,
        ),
        (
            "look",
            lua.create_function(|_, bytes: LuaString| Ok(look(&bytes.as_bytes())))?,
        ),
        (
            "hello",
            lua.create_function(|_, name: String| Ok(format!("Hello, {name}!")))?,
        ),
        (
            "sum",
            lua.create_function(|_, items: Vec<f64>| Ok(items.iter().sum::<f64>()))?,
        ),
        (
            "counter",
            lua.create_function(|_, value: i64| Ok(Counter(value)))?,
        ),
        (
            "get",
            lua.create_function(|_, counter: UserDataRef<Counter>| Ok(counter.0))?,
        ),
        (
            "fail",
            lua.create_function(|_, ()| Err::<(), _>(Error::runtime("no")))?,
        ),
        (
            "apply",
            lua.create_function(|_, (f, x): (Function, f64)| f.call::<f64>(x))?,
        ),
    ])
}
