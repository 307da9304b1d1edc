//! Methods of userdata that are fast functions.

use mlua::{Function, IntoLua, Lua, MaybeSend, Result, UserDataFields, Value};

use super::LuaExt;
use super::function::FastFunction;

/// What [`UserDataFields`] can do for plugins besides what mlua offers.
pub trait FastMethods<T>: UserDataFields<T> {
    /// Adds a method that is a [fast function](crate::fast): a field that all userdata of the type have, with
    /// a function that takes the userdata first, as `&T` or `&mut T`.
    ///
    /// Userdata of [`Lua::scope`] cannot be borrowed so: the method refuses them.
    ///
    /// ```
    /// use plugin_api::LuaExt;
    /// use plugin_api::fast::FastMethods;
    /// use plugin_api::mlua::{Lua, Result, UserData, UserDataFields};
    ///
    /// struct Counter(u64);
    ///
    /// impl UserData for Counter {
    ///     fn add_fields<F: UserDataFields<Self>>(fields: &mut F) {
    ///         fields.add_fast_method("add", |counter: &mut Counter, n: u64| counter.0 += n);
    ///         fields.add_fast_method("value", |counter: &Counter| counter.0);
    ///     }
    /// }
    ///
    /// # fn main() -> Result<()> {
    /// let lua = Lua::new();
    /// lua.globals().set("counter", Counter(40))?;
    /// lua.load("counter:add(2)").exec()?;
    /// assert_eq!(lua.load("counter:value()").eval::<u64>()?, 42);
    /// # Ok(())
    /// # }
    /// ```
    fn add_fast_method<F, M>(&mut self, name: &str, method: F)
    where
        F: FastFunction<M> + MaybeSend,
        M: 'static,
    {
        self.add_field(
            name,
            Method(Box::new(|lua| lua.create_fast_function(method))),
        );
    }
}

impl<T, Fields: UserDataFields<T>> FastMethods<T> for Fields {}

/// A function that is made when the type is first used in a state.
struct Method(Box<Make>);

type Make = dyn FnOnce(&Lua) -> Result<Function>;

impl IntoLua for Method {
    fn into_lua(self, lua: &Lua) -> Result<Value> {
        (self.0)(lua).map(Value::Function)
    }
}
