//! How an argument gets from the stack to a Rust function.

use std::ffi::c_int;

use mlua::ffi::{self, lua_State};
use mlua::state::RawLua;
use mlua::{FromLua, Lua, Variadic};

use super::primitive::{self, Raw};
use super::raw::{self, Misfit, RawBytes};
use super::signature::Type;

/// Why an argument could not be taken by way of mlua.
#[derive(Debug)]
pub enum Unfit {
    /// As without mlua.
    Misfit(Misfit),
    /// A value of this type was expected.
    Unlike(String),
    /// mlua's reason.
    Error(mlua::Error),
}

/// A Lua state in a callback of mlua, both ways that mlua gives it.
#[derive(Clone, Copy)]
#[allow(missing_debug_implementations)]
pub struct Entered<'a> {
    pub(super) lua: &'a Lua,
    pub(super) raw: &'a RawLua,
}

/// The place of arguments on the stack: from the first one that is left to the last.
#[derive(Debug, Clone, Copy)]
pub struct Span {
    pub(super) first: c_int,
    pub(super) last: c_int,
}

impl Span {
    /// All arguments of a C function, without counting them.
    pub(super) const ALL: Self = Self {
        first: 1,
        last: c_int::MAX,
    };

    /// Takes the first argument out. It may be behind the last: then it is absent.
    #[inline(always)]
    pub(super) fn next(&mut self) -> c_int {
        let index = self.first;
        self.first += 1;
        index
    }
}

/// A type that a fast function can take. `Marker` tells the compiler which way it is taken.
///
/// An argument is read in three steps: `read` looks at the stack and may be left by a jump, so it
/// owns nothing; `hold` makes what has to be owned; `lend` gives the function its value.
pub trait Argument<Marker> {
    /// What was read.
    #[doc(hidden)]
    type Raw: Copy;
    /// What is owned for the length of the call.
    #[doc(hidden)]
    type Held;
    /// The argument itself.
    #[doc(hidden)]
    type Of<'a>;

    /// The type in the words of Lua; nothing for an argument that the caller does not pass.
    #[doc(hidden)]
    fn describe() -> Option<Type>;

    /// Whether it is taken without mlua.
    #[doc(hidden)]
    fn is_direct() -> bool;

    /// Reads the argument, and takes its place out of the span. In the error, its index.
    ///
    /// # Safety
    ///
    /// - `state` runs a C function that owns nothing; it may be left by a jump.
    #[doc(hidden)]
    unsafe fn read(state: *mut lua_State, span: &mut Span) -> Result<Self::Raw, (c_int, Misfit)>;

    /// Makes what is owned; in the error, as in that of `read`. Does not raise.
    ///
    /// # Safety
    ///
    /// - The arguments are still on the stack, and `read` gave the argument.
    #[doc(hidden)]
    unsafe fn hold(state: *mut lua_State, raw: Self::Raw) -> Result<Self::Held, (c_int, Misfit)>;

    /// Makes what is owned by way of mlua; as `read` otherwise.
    ///
    /// # Safety
    ///
    /// - `lua` is at work on the thread that the arguments are on.
    #[doc(hidden)]
    unsafe fn hold_by_mlua(lua: Entered<'_>, span: &mut Span)
    -> Result<Self::Held, (c_int, Unfit)>;

    /// The argument.
    #[doc(hidden)]
    fn lend<'a>(held: &'a mut Self::Held) -> Self::Of<'a>;
}

/// Reads an argument that needs no mlua from a callback of mlua, which must not be left by a jump:
/// a number is made a string first, where a string is expected.
unsafe fn read_in_callback<R>(
    lua: Entered<'_>,
    index: c_int,
    is_text: bool,
    read: impl FnOnce(*mut lua_State) -> Result<R, Misfit>,
) -> Result<R, (c_int, Unfit)> {
    let state = lua.raw.state();
    // SAFETY: as the caller promises; a callback has room for a value.
    unsafe {
        if is_text && ffi::lua_type(state, index) == ffi::LUA_TNUMBER {
            let made =
                mlua::LuaString::from_stack(index, lua.raw).and_then(|text| lua.raw.push(text));
            made.map_err(|error| (index, Unfit::Error(error)))?;
            ffi::lua_replace(state, index);
        }
    }
    read(state).map_err(|misfit| (index, Unfit::Misfit(misfit)))
}

/// Any type that mlua converts; numbers, booleans and strings of all kinds are taken directly.
#[derive(Debug)]
pub struct ByValue;

impl<T: FromLua + 'static> Argument<ByValue> for T {
    type Raw = Raw;
    type Held = Option<T>;
    type Of<'a> = T;

    fn describe() -> Option<Type> {
        Some(super::names::describe::<T>())
    }

    #[inline(always)]
    fn is_direct() -> bool {
        primitive::is_primitive::<T>()
    }

    #[inline(always)]
    unsafe fn read(state: *mut lua_State, span: &mut Span) -> Result<Raw, (c_int, Misfit)> {
        let index = span.next();
        // SAFETY: as the caller promises.
        unsafe { primitive::read::<T>(state, index) }.map_err(|misfit| (index, misfit))
    }

    #[inline(always)]
    unsafe fn hold(_: *mut lua_State, raw: Raw) -> Result<Option<T>, (c_int, Misfit)> {
        // SAFETY: as the caller promises.
        Ok(Some(unsafe { primitive::make(raw) }))
    }

    unsafe fn hold_by_mlua(lua: Entered<'_>, span: &mut Span) -> Result<Option<T>, (c_int, Unfit)> {
        let index = span.next();
        if !primitive::is_primitive::<T>() {
            let is_absent = index > span.last;
            // SAFETY: as the caller promises; the index is that of an argument.
            let made = unsafe {
                if is_absent {
                    T::from_lua(mlua::Value::Nil, lua.lua)
                } else {
                    T::from_stack(index, lua.raw)
                }
            };
            return match made {
                Ok(value) => Ok(Some(value)),
                Err(error) => Err((index, Unfit::Error(error))),
            };
        }
        let is_text = primitive::is_text::<T>();
        // SAFETY: as the caller promises.
        unsafe {
            let raw = read_in_callback(lua, index, is_text, |state| {
                primitive::read::<T>(state, index)
            })?;
            Ok(Some(primitive::make(raw)))
        }
    }

    #[inline(always)]
    fn lend(held: &mut Option<T>) -> T {
        match held.take() {
            Some(value) => value,
            None => unreachable!(),
        }
    }
}

/// Types that are borrowed from the Lua stack: each with its marker, and its `Option`.
macro_rules! borrowed {
    ($Marker:ident $Maybe:ident $Target:ty, $read:path, $view:ident) => {
        #[doc = concat!("`&", stringify!($Target), "`, borrowed from the Lua stack.")]
        #[derive(Debug)]
        pub struct $Marker;

        impl<'x> Argument<$Marker> for &'x $Target {
            type Raw = RawBytes;
            type Held = RawBytes;
            type Of<'a> = &'a $Target;

            fn describe() -> Option<Type> {
                Some(Type::named("string"))
            }

            #[inline(always)]
            fn is_direct() -> bool {
                true
            }

            #[inline(always)]
            unsafe fn read(
                state: *mut lua_State,
                span: &mut Span,
            ) -> Result<RawBytes, (c_int, Misfit)> {
                let index = span.next();
                // SAFETY: as the caller promises.
                unsafe { $read(state, index) }.map_err(|misfit| (index, misfit))
            }

            #[inline(always)]
            unsafe fn hold(_: *mut lua_State, raw: RawBytes) -> Result<RawBytes, (c_int, Misfit)> {
                Ok(raw)
            }

            unsafe fn hold_by_mlua(
                lua: Entered<'_>,
                span: &mut Span,
            ) -> Result<RawBytes, (c_int, Unfit)> {
                let index = span.next();
                // SAFETY: as the caller promises.
                unsafe { read_in_callback(lua, index, true, |state| $read(state, index)) }
            }

            #[inline(always)]
            fn lend(held: &mut RawBytes) -> &$Target {
                // SAFETY: the argument is on the stack for the length of the call, and what was
                // held is not used longer.
                unsafe { held.$view() }
            }
        }

        #[doc = concat!("`Option<&", stringify!($Target), ">`, borrowed from the Lua stack.")]
        #[derive(Debug)]
        pub struct $Maybe;

        impl<'x> Argument<$Maybe> for Option<&'x $Target> {
            type Raw = Option<RawBytes>;
            type Held = Option<RawBytes>;
            type Of<'a> = Option<&'a $Target>;

            fn describe() -> Option<Type> {
                Some(Type::named("string").optional())
            }

            #[inline(always)]
            fn is_direct() -> bool {
                true
            }

            #[inline(always)]
            unsafe fn read(
                state: *mut lua_State,
                span: &mut Span,
            ) -> Result<Option<RawBytes>, (c_int, Misfit)> {
                // SAFETY: as the caller promises.
                unsafe {
                    if raw::is_absent(state, span.first) {
                        span.next();
                        return Ok(None);
                    }
                    <&'x $Target as Argument<$Marker>>::read(state, span).map(Some)
                }
            }

            #[inline(always)]
            unsafe fn hold(
                _: *mut lua_State,
                raw: Option<RawBytes>,
            ) -> Result<Option<RawBytes>, (c_int, Misfit)> {
                Ok(raw)
            }

            unsafe fn hold_by_mlua(
                lua: Entered<'_>,
                span: &mut Span,
            ) -> Result<Option<RawBytes>, (c_int, Unfit)> {
                // SAFETY: as the caller promises.
                unsafe {
                    if span.first > span.last || raw::is_absent(lua.raw.state(), span.first) {
                        span.next();
                        return Ok(None);
                    }
                    <&'x $Target as Argument<$Marker>>::hold_by_mlua(lua, span).map(Some)
                }
            }

            #[inline(always)]
            fn lend(held: &mut Option<RawBytes>) -> Option<&$Target> {
                // SAFETY: as above.
                held.map(|raw| unsafe { raw.$view() })
            }
        }
    };
}

borrowed!(Text MaybeText str, raw::text, text);
borrowed!(Bytes MaybeBytes [u8], raw::bytes, bytes);

/// The Lua state, which the caller does not pass.
#[derive(Debug)]
pub struct Host;

impl Argument<Host> for &Lua {
    type Raw = ();
    type Held = Lua;
    type Of<'a> = &'a Lua;

    #[inline(always)]
    fn is_direct() -> bool {
        false
    }

    unsafe fn read(_: *mut lua_State, _: &mut Span) -> Result<(), (c_int, Misfit)> {
        unreachable!()
    }

    unsafe fn hold(_: *mut lua_State, (): ()) -> Result<Lua, (c_int, Misfit)> {
        unreachable!()
    }

    fn describe() -> Option<Type> {
        None
    }

    unsafe fn hold_by_mlua(lua: Entered<'_>, _: &mut Span) -> Result<Lua, (c_int, Unfit)> {
        Ok(lua.lua.clone())
    }

    #[inline(always)]
    fn lend(held: &mut Lua) -> &Lua {
        held
    }
}

/// All arguments that are left.
#[derive(Debug)]
pub struct Rest<Marker>(Marker);

impl<T: Argument<M>, M> Argument<Rest<M>> for Variadic<T> {
    type Raw = Span;
    type Held = Vec<T::Held>;
    type Of<'a> = Variadic<T::Of<'a>>;

    fn describe() -> Option<Type> {
        T::describe().map(Type::rest)
    }

    #[inline(always)]
    fn is_direct() -> bool {
        T::is_direct()
    }

    unsafe fn read(state: *mut lua_State, span: &mut Span) -> Result<Span, (c_int, Misfit)> {
        // SAFETY: as the caller promises.
        let last = unsafe { ffi::lua_gettop(state) };
        let all = Span {
            first: span.first,
            last,
        };
        while span.first <= last {
            // SAFETY: as the caller promises.
            unsafe { T::read(state, span) }?;
        }
        Ok(all)
    }

    unsafe fn hold(state: *mut lua_State, mut raw: Span) -> Result<Vec<T::Held>, (c_int, Misfit)> {
        let mut held = Vec::with_capacity(raw.len());
        while raw.first <= raw.last {
            // SAFETY: `read` has read the same values; strings are strings by now, so that this does
            // not raise.
            held.push(unsafe {
                let one = T::read(state, &mut raw)?;
                T::hold(state, one)?
            });
        }
        Ok(held)
    }

    unsafe fn hold_by_mlua(
        lua: Entered<'_>,
        span: &mut Span,
    ) -> Result<Vec<T::Held>, (c_int, Unfit)> {
        let mut held = Vec::with_capacity(span.len());
        while span.first <= span.last {
            let before = span.first;
            // SAFETY: as the caller promises.
            held.push(unsafe { T::hold_by_mlua(lua, span) }?);
            // A type that the caller does not pass takes no argument, and would do so for ever.
            span.first = span.first.max(before + 1);
        }
        Ok(held)
    }

    fn lend(held: &mut Vec<T::Held>) -> Variadic<T::Of<'_>> {
        held.iter_mut().map(T::lend).collect()
    }
}

impl Span {
    fn len(self) -> usize {
        usize::try_from(self.last + 1 - self.first).unwrap_or(0)
    }
}
