//! How a result gets from a Rust function to the stack.

use std::ffi::{c_int, c_void};
use std::fmt::Display;

use mlua::ffi::{self, lua_State};
use mlua::{IntoLua, IntoLuaMulti, MultiValue, Variadic};

use super::argument::Entered;
use super::names;
use super::primitive;
use super::room::Queue;
use super::same::{borrow, same};
use super::scalar::Scalar;
use super::signature::Type;
use super::simple::Simple;
use crate::errors::Message;

/// How many values every C function has room for, with some left for what is pushed meanwhile.
pub(super) const ROOM: c_int = 8;

/// A type that a fast function can give. `Marker` tells the compiler which way it is given.
pub trait Outcome<Marker> {
    /// How many values it is, without mlua.
    #[doc(hidden)]
    const COUNT: c_int = 1;

    /// Adds the types in the words of Lua.
    #[doc(hidden)]
    fn describe(types: &mut Vec<Type>);

    /// Whether it is given without mlua.
    #[doc(hidden)]
    fn is_direct() -> bool;

    /// Whether pushing it may raise: it has strings.
    #[doc(hidden)]
    fn may_raise() -> bool;

    /// Looks at it, if it is given without mlua.
    #[doc(hidden)]
    fn simple(&self) -> Simple<'_>;

    /// Lets what it is wait until nothing is owned. False if that is not possible: then what waits is not used.
    #[doc(hidden)]
    #[inline(always)]
    fn wait(&self, queue: &mut Queue<'_>) -> bool {
        queue.add(&self.simple())
    }

    /// Pushes it without mlua; gives the number of values.
    ///
    /// # Safety
    ///
    /// - `state` runs a C function that owns nothing; it may be left by a jump.
    #[doc(hidden)]
    unsafe fn push(&self, state: *mut lua_State) -> c_int {
        // SAFETY: as the caller promises. It is one value.
        unsafe { self.simple().push(state) }
    }

    /// Pushes it by way of mlua; gives the number of values.
    ///
    /// # Errors
    ///
    /// What mlua says, or the error that it is.
    ///
    /// # Safety
    ///
    /// - `lua` is at work on the thread that is pushed to.
    #[doc(hidden)]
    unsafe fn push_by_mlua(self, lua: Entered<'_>) -> mlua::Result<c_int>;
}

/// No result.
#[derive(Debug)]
pub struct Nothing;

impl Outcome<Nothing> for () {
    fn describe(_: &mut Vec<Type>) {}

    #[inline(always)]
    fn is_direct() -> bool {
        true
    }

    #[inline(always)]
    fn may_raise() -> bool {
        false
    }

    #[inline(always)]
    fn simple(&self) -> Simple<'_> {
        Simple::Nothing
    }

    unsafe fn push_by_mlua(self, _: Entered<'_>) -> mlua::Result<c_int> {
        Ok(0)
    }
}

/// Any type that mlua converts to one value; numbers, booleans and strings of all kinds are given
/// directly.
#[derive(Debug)]
pub struct One;

/// Looks at a value that needs no mlua.
#[inline(always)]
fn view<'a, T>(value: &'a T) -> Option<Simple<'a>> {
    if let Some(simple) = primitive::view(value) {
        return Some(simple);
    }
    macro_rules! slices {
        ($($Type:ty => $bytes:expr),*) => {
            // SAFETY: the lifetime is that of the borrow.
            $(if let Some(value) = unsafe { borrow::<T, &'a $Type>(value) } {
                return Some(Simple::Bytes($bytes(value)));
            }
            // SAFETY: as above.
            if let Some(value) = unsafe { borrow::<T, Option<&'a $Type>>(value) } {
                return Some(match value {
                    Some(value) => Simple::Bytes($bytes(value)),
                    None => Simple::Nil,
                });
            })*
        };
    }
    slices!(str => str::as_bytes, [u8] => <[u8]>::as_ref);
    // SAFETY: as above.
    unsafe { borrow::<T, Scalar<'a>>(value) }.map(Scalar::view)
}

/// Whether a value of the type may be a string that [`view`] knows of other types than the primitive ones.
#[inline(always)]
fn may_be_slice<T>() -> bool {
    same::<T, &str>()
        || same::<T, Scalar<'_>>()
        || same::<T, &[u8]>()
        || same::<T, Option<&str>>()
        || same::<T, Option<&[u8]>>()
}

impl<T: IntoLua> Outcome<One> for T {
    fn describe(types: &mut Vec<Type>) {
        types.push(if same::<T, &[u8]>() || same::<T, Option<&[u8]>>() {
            // For mlua it is a list.
            Type::named("string")
        } else {
            names::describe::<T>()
        });
    }

    #[inline(always)]
    fn is_direct() -> bool {
        primitive::is_primitive::<T>() || may_be_slice::<T>()
    }

    #[inline(always)]
    fn may_raise() -> bool {
        primitive::is_text::<T>() || may_be_slice::<T>()
    }

    #[inline(always)]
    fn simple(&self) -> Simple<'_> {
        match view(self) {
            Some(simple) => simple,
            None => unreachable!(),
        }
    }

    unsafe fn push_by_mlua(self, lua: Entered<'_>) -> mlua::Result<c_int> {
        // SAFETY: as the caller promises; a callback has room. Strings are made by mlua, which
        // does not let Lua jump.
        unsafe {
            match view(&self) {
                Some(Simple::Bytes(bytes)) => lua.raw.push(lua.lua.create_string(bytes)?)?,
                Some(simple) => {
                    simple.push(lua.raw.state());
                }
                None => lua.raw.push(self)?,
            }
        }
        Ok(1)
    }
}

/// A result or an error.
#[derive(Debug)]
pub struct Fallible<Marker>(Marker);

impl<T: Outcome<M>, M, E: Display> Outcome<Fallible<M>> for Result<T, E> {
    const COUNT: c_int = T::COUNT;

    fn describe(types: &mut Vec<Type>) {
        T::describe(types);
    }

    #[inline(always)]
    fn is_direct() -> bool {
        T::is_direct()
    }

    #[inline(always)]
    fn may_raise() -> bool {
        T::may_raise()
    }

    #[inline(always)]
    fn simple(&self) -> Simple<'_> {
        match self {
            Ok(value) => value.simple(),
            Err(error) => Simple::Failed(text_of(error)),
        }
    }

    #[inline(always)]
    fn wait(&self, queue: &mut Queue<'_>) -> bool {
        self.as_ref().is_ok_and(|value| value.wait(queue))
    }

    unsafe fn push(&self, state: *mut lua_State) -> c_int {
        match self {
            // SAFETY: as the caller promises.
            Ok(value) => unsafe { value.push(state) },
            Err(_) => 0,
        }
    }

    unsafe fn push_by_mlua(self, lua: Entered<'_>) -> mlua::Result<c_int> {
        match self {
            // SAFETY: as the caller promises.
            Ok(value) => unsafe { value.push_by_mlua(lua) },
            // SAFETY: mlua's errors have no lifetimes.
            Err(error) => Err(match unsafe { borrow::<E, mlua::Error>(&error) } {
                Some(error) => error.clone(),
                None => mlua::Error::RuntimeError(error.to_string()),
            }),
        }
    }
}

#[cold]
pub(super) fn text_of<E: Display>(error: &E) -> String {
    // SAFETY: mlua's errors have no lifetimes.
    match unsafe { borrow::<E, mlua::Error>(error) } {
        Some(error) => Message::of(error).text,
        None => error.to_string(),
    }
}

/// Several results.
#[derive(Debug)]
pub struct Several<Markers>(Markers);

/// Makes room for so many values, and for what mlua needs meanwhile.
///
/// # Safety
///
/// - `lua` is at work on the thread that is pushed to.
pub(super) unsafe fn make_room(lua: Entered<'_>, count: c_int) -> mlua::Result<()> {
    // SAFETY: the caller's `lua` is at work on the thread that is pushed to.
    match unsafe { ffi::lua_checkstack(lua.raw.state(), count + ROOM) } {
        0 => Err(mlua::Error::StackError),
        _ => Ok(()),
    }
}

macro_rules! tuples {
    ($(($($T:ident $M:ident),+))*) => {$(
        #[allow(non_snake_case)]
        impl<$($T: Outcome<$M>, $M),+> Outcome<Several<($($M,)+)>> for ($($T,)+) {
            const COUNT: c_int = 0 $(+ $T::COUNT)+;

            fn describe(types: &mut Vec<Type>) {
                $($T::describe(types);)+
            }

            #[inline(always)]
            fn is_direct() -> bool {
                $($T::is_direct())&&+
            }

            #[inline(always)]
            fn may_raise() -> bool {
                Self::COUNT > ROOM $(|| $T::may_raise())+
            }

            #[inline(always)]
            fn simple(&self) -> Simple<'_> {
                let ($($T,)+) = self;
                // An error among the results is one.
                $(if let Simple::Failed(text) = $T.simple() {
                    return Simple::Failed(text);
                })+
                Simple::Several
            }

            #[inline(always)]
            fn wait(&self, queue: &mut Queue<'_>) -> bool {
                let ($($T,)+) = self;
                $($T.wait(queue))&&+
            }

            unsafe fn push(&self, state: *mut lua_State) -> c_int {
                let ($($T,)+) = self;
                // SAFETY: as the caller promises. Tuples in tuples may be more values than there is room
                // for, and then `may_raise` says so; what is in front may be any number.
                unsafe {
                    0 $(+ {
                        if Self::COUNT > ROOM {
                            ffi::luaL_checkstack(state, Self::COUNT, c"too many results".as_ptr());
                        }
                        $T.push(state)
                    })+
                }
            }

            unsafe fn push_by_mlua(self, lua: Entered<'_>) -> mlua::Result<c_int> {
                let ($($T,)+) = self;
                // SAFETY: as the caller promises; room is made before each, as above.
                unsafe {
                    Ok(0 $(+ {
                        make_room(lua, Self::COUNT)?;
                        $T.push_by_mlua(lua)?
                    })+)
                }
            }
        }
    )*};
}

tuples!(
    (A MA)
    (A MA, B MB)
    (A MA, B MB, C MC)
    (A MA, B MB, C MC, D MD)
    (A MA, B MB, C MC, D MD, E ME)
    (A MA, B MB, C MC, D MD, E ME, F MF)
    (A MA, B MB, C MC, D MD, E ME, F MF, G MG)
    (A MA, B MB, C MC, D MD, E ME, F MF, G MG, H MH)
);

/// Any number of results.
#[derive(Debug)]
pub struct Many;

impl Outcome<Many> for MultiValue {
    fn describe(types: &mut Vec<Type>) {
        types.push(Type::named("any").rest());
    }

    #[inline(always)]
    fn is_direct() -> bool {
        false
    }

    fn may_raise() -> bool {
        true
    }

    fn simple(&self) -> Simple<'_> {
        unreachable!()
    }

    unsafe fn push_by_mlua(self, lua: Entered<'_>) -> mlua::Result<c_int> {
        // SAFETY: as the caller promises.
        unsafe { self.push_into_stack_multi(lua.raw) }
    }
}

impl<T: IntoLua> Outcome<Many> for Variadic<T> {
    fn describe(types: &mut Vec<Type>) {
        let before = types.len();
        <T as Outcome<One>>::describe(types);
        let each: Vec<Type> = types.drain(before..).map(Type::rest).collect();
        types.extend(each);
    }

    #[inline(always)]
    fn is_direct() -> bool {
        <T as Outcome<One>>::is_direct()
    }

    #[inline(always)]
    fn may_raise() -> bool {
        true
    }

    #[inline(always)]
    fn simple(&self) -> Simple<'_> {
        Simple::Several
    }

    #[inline(always)]
    fn wait(&self, queue: &mut Queue<'_>) -> bool {
        self.iter().all(|value| queue.add(&value.simple()))
    }

    unsafe fn push(&self, state: *mut lua_State) -> c_int {
        // SAFETY: as the caller promises. Lua makes room for all of them and for what is behind them in a
        // tuple, or raises.
        unsafe {
            let Some(count) = checked_count(self.len()) else {
                return ffi::luaL_error(state, c"stack overflow (too many results)".as_ptr());
            };
            ffi::luaL_checkstack(state, count + ROOM, c"too many results".as_ptr());
            for value in self.iter() {
                value.simple().push(state);
            }
            count
        }
    }

    unsafe fn push_by_mlua(self, lua: Entered<'_>) -> mlua::Result<c_int> {
        let count = checked_count(self.len()).ok_or(mlua::Error::StackError)?;
        // SAFETY: as the caller promises; there is room.
        unsafe {
            make_room(lua, count)?;
            for value in self {
                <T as Outcome<One>>::push_by_mlua(value, lua)?;
            }
        }
        Ok(count)
    }
}

/// A number of values that Lua may have room for. Lua 5.2 adds to it without looking.
fn checked_count(count: usize) -> Option<c_int> {
    const MOST: usize = 1_000_000;
    (count <= MOST).then_some(count as c_int)
}

/// Pushes a result that is behind a pointer.
///
/// # Safety
///
/// - As for [`Outcome::push`]; the pointer leads to a living `R`.
pub(super) unsafe fn push<R: Outcome<M>, M>(result: *const c_void, state: *mut lua_State) -> c_int {
    // SAFETY: as the caller promises.
    unsafe { (*result.cast::<R>()).push(state) }
}
