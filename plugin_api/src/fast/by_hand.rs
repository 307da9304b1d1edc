//! Arguments and results that a function reads and pushes itself, by Lua's C API.

use std::ffi::c_int;
use std::fmt;
use std::marker::PhantomData;

use mlua::MultiValue;
use mlua::ffi::{self, lua_State};

use super::argument::{Argument, Entered, Span, Unfit};
use super::outcome::{Outcome, ROOM, make_room};
use super::raw::Misfit;
use super::signature::Type;
use super::simple::Simple;
use crate::errors::Message;
use crate::protected;

/// Taken and given as it is on the Lua stack.
#[derive(Debug)]
pub struct ByHand;

/// How many values a function that pushes results has room for.
const PUSHED: c_int = 10;

/// Whether `lua_checkstack` may raise, for want of memory. What is built for Lua 5.1 may run in LuaJIT.
const CHECKSTACK_RAISES: bool = cfg!(any(feature = "lua51", feature = "luajit"));

/// An argument of any type, which the function reads itself, by [`mlua::ffi`].
///
/// It is for what other arguments cannot do without mlua: to look into tables, at what costs a function in C
/// the same. While the function runs, Lua must not raise an error, as that would be a jump over Rust's frames:
///
/// - Call what raises no error: `lua_type`, `lua_toboolean`, `lua_tonumber`, `lua_touserdata`,
///   `lua_tolstring` of a string, `lua_rawlen` of a table, string or userdata, `lua_rawget`, `lua_rawgeti`,
///   `lua_rawgetp` with an address that was a key before, `lua_next` with the keys that it gave,
///   `lua_getmetatable`, `lua_pushnil`, `lua_pushvalue`, `lua_settop`. Nothing that makes a value or may call a
///   metamethod.
/// - Lua has room for ten values above the arguments; [`reserve`](Self::reserve) makes more.
/// - Leave the stack as high as it was.
///
/// ```
/// use plugin_api::LuaExt;
/// use plugin_api::fast::StackArgument;
/// use plugin_api::mlua::{Lua, Result, ffi};
///
/// /// How many entries a table has.
/// fn count(table: StackArgument<'_>) -> std::result::Result<u64, &'static str> {
///     let (state, Some(index)) = (table.state(), table.index()) else {
///         return Err("no table");
///     };
///     let mut entries = 0;
///     // SAFETY: nothing here raises; two values are pushed at a time, and taken off.
///     unsafe {
///         if ffi::lua_type(state, index) != ffi::LUA_TTABLE {
///             return Err("no table");
///         }
///         ffi::lua_pushnil(state);
///         while ffi::lua_next(state, index) != 0 {
///             ffi::lua_pop(state, 1);
///             entries += 1;
///         }
///     }
///     Ok(entries)
/// }
///
/// # fn main() -> Result<()> {
/// let lua = Lua::new();
/// let count = lua.create_fast_function(count)?;
/// assert_eq!(count.call::<u64>(lua.create_sequence_from([7, 8, 9])?)?, 3);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy)]
pub struct StackArgument<'a> {
    state: *mut lua_State,
    /// 0 if there is no such argument.
    index: c_int,
    call: PhantomData<&'a lua_State>,
}

impl StackArgument<'_> {
    /// The thread whose stack the argument is on, in the middle of the call.
    #[must_use]
    pub fn state(self) -> *mut lua_State {
        self.state
    }

    /// The argument's index on the stack; `None` if the caller passed no such argument. A nil that was passed
    /// has an index.
    #[must_use]
    pub fn index(self) -> Option<c_int> {
        (self.index != 0).then_some(self.index)
    }

    /// Makes room for so many more values on the stack, and takes two values of the room that there is for
    /// that. False if Lua has no memory for it, or does not allow a stack of that height.
    ///
    /// The collector may go on meanwhile, so keep no text across it but those of arguments: what a table had may
    /// be gone.
    #[must_use]
    pub fn reserve(self, count: c_int) -> bool {
        if count < 0 {
            return false;
        }
        // SAFETY: the lifetime is that of the call: the state runs the function, which has room as it says.
        unsafe {
            if CHECKSTACK_RAISES {
                let mut growth = Growth {
                    count,
                    is_made: false,
                };
                protected::call(self.state, grow, (&raw mut growth).cast());
                ffi::lua_pop(self.state, 1);
                if !growth.is_made {
                    return false;
                }
                // It was made for the helper. As that has raised an error, the collector, which alone makes stacks
                // smaller, has not gone on since.
            }
            ffi::lua_checkstack(self.state, count) != 0
        }
    }
}

/// What [`grow`] is to do, and whether it has.
struct Growth {
    count: c_int,
    is_made: bool,
}

/// Has the stack's memory made, in a protected call, and always raises an error.
unsafe extern "C-unwind" fn grow(state: *mut lua_State) -> c_int {
    // SAFETY: `reserve` passes what it is to do, which outlives the call. Nothing is owned here.
    unsafe {
        let growth = ffi::lua_touserdata(state, 1).cast::<Growth>();
        (*growth).is_made = ffi::lua_checkstack(state, (*growth).count) != 0;
        ffi::lua_pushnil(state);
        ffi::lua_error(state)
    }
}

impl Argument<ByHand> for StackArgument<'_> {
    type Raw = c_int;
    type Held = StackArgument<'static>;
    type Of<'a> = StackArgument<'a>;

    fn describe() -> Option<Type> {
        Some(Type::named("any"))
    }

    #[inline(always)]
    fn is_direct() -> bool {
        true
    }

    #[inline(always)]
    unsafe fn read(state: *mut lua_State, span: &mut Span) -> Result<c_int, (c_int, Misfit)> {
        let index = span.next();
        // SAFETY: as the caller promises; nothing raises.
        let is_there = unsafe { ffi::lua_type(state, index) != ffi::LUA_TNONE };
        Ok(if is_there { index } else { 0 })
    }

    #[inline(always)]
    unsafe fn hold(
        state: *mut lua_State,
        index: c_int,
    ) -> Result<StackArgument<'static>, (c_int, Misfit)> {
        Ok(StackArgument {
            state,
            index,
            call: PhantomData,
        })
    }

    unsafe fn hold_by_mlua(
        lua: Entered<'_>,
        span: &mut Span,
    ) -> Result<StackArgument<'static>, (c_int, Unfit)> {
        let index = span.next();
        Ok(StackArgument {
            state: lua.raw.state(),
            index: if index > span.last { 0 } else { index },
            call: PhantomData,
        })
    }

    #[inline(always)]
    fn lend<'a>(held: &'a mut StackArgument<'static>) -> StackArgument<'a> {
        *held
    }
}

/// Results that the function pushes itself, by [`mlua::ffi`]: tables, say, at what they cost a function in C.
///
/// They are pushed in a protected call, when the function has returned.
///
/// ```
/// use std::ffi::c_int;
///
/// use plugin_api::LuaExt;
/// use plugin_api::fast::{Outcome, StackResult};
/// use plugin_api::mlua::{Lua, Result, Table, ffi};
///
/// fn squares(count: u16) -> StackResult<impl Fn(*mut ffi::lua_State) -> c_int> {
///     let push = move |state| {
///         // SAFETY: as for `new`; two values are pushed at a time.
///         unsafe {
///             ffi::lua_createtable(state, c_int::from(count), 0);
///             for i in 1..=i64::from(count) {
///                 ffi::lua_pushinteger(state, (i * i) as ffi::lua_Integer);
///                 ffi::lua_rawseti(state, -2, i as ffi::lua_Integer);
///             }
///         }
///         1
///     };
///     // SAFETY: it owns nothing and does not panic, and pushes one value.
///     unsafe { StackResult::new(push) }
/// }
///
/// # fn main() -> Result<()> {
/// let lua = Lua::new();
/// let squares = lua.create_fast_function(squares)?;
/// assert_eq!(squares.call::<Table>(3)?.get::<i64>(3)?, 9);
/// # Ok(())
/// # }
/// ```
pub struct StackResult<F>(F);

impl<F: Fn(*mut lua_State) -> c_int> StackResult<F> {
    /// Results that `push` pushes; it gives their number.
    ///
    /// # Safety
    ///
    /// - What `push` pushes is on top of the stack when it returns, and it gives the number. What was on the
    ///   stack before is not its own.
    /// - Lua may raise an error in it, which jumps over its frames: in a frame that calls Lua nothing is owned
    ///   that has to be dropped. What `push` has captured is not affected. The error goes to the function's
    ///   caller, a text with its position.
    /// - It does not panic.
    /// - There is room for ten values; for more it asks, by `luaL_checkstack`.
    pub unsafe fn new(push: F) -> Self {
        Self(push)
    }
}

impl<F> fmt::Debug for StackResult<F> {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.debug_tuple("StackResult").finish_non_exhaustive()
    }
}

impl<F: Fn(*mut lua_State) -> c_int> Outcome<ByHand> for StackResult<F> {
    fn describe(types: &mut Vec<Type>) {
        types.push(Type::named("any"));
    }

    #[inline(always)]
    fn is_direct() -> bool {
        true
    }

    #[inline(always)]
    fn may_raise() -> bool {
        true
    }

    #[inline(always)]
    fn simple(&self) -> Simple<'_> {
        Simple::Several
    }

    unsafe fn push(&self, state: *mut lua_State) -> c_int {
        // SAFETY: as the caller promises. There is room for what `new` promises, and then for what is behind it
        // in a tuple.
        unsafe {
            ffi::luaL_checkstack(state, PUSHED + ROOM, c"too many results".as_ptr());
            let count = (self.0)(state);
            ffi::luaL_checkstack(state, ROOM, c"too many results".as_ptr());
            count
        }
    }

    unsafe fn push_by_mlua(self, lua: Entered<'_>) -> mlua::Result<c_int> {
        // SAFETY: as the author has promised to `new`; the results are on top. The caller's `lua` is at work on
        // the thread that is pushed to.
        unsafe {
            let values = lua.lua.exec_raw::<MultiValue>((), |state| {
                ffi::luaL_checkstack(state, PUSHED, c"too many results".as_ptr());
                let count = (self.0)(state);
                let below = ffi::lua_gettop(state) - count;
                (0..below).for_each(|_| ffi::lua_remove(state, 1));
            });
            // Without mlua's traceback, which would be taken for a sign that it has a position.
            let values =
                values.map_err(|error| mlua::Error::RuntimeError(Message::of(&error).text))?;
            let count = c_int::try_from(values.len()).map_err(|_| mlua::Error::StackError)?;
            make_room(lua, count)?;
            for value in values {
                lua.raw.push(value)?;
            }
            Ok(count)
        }
    }
}
