//! References to the plugin's own userdata as arguments: borrowed for the length of the call.

use std::ffi::c_int;
use std::mem::MaybeUninit;

use mlua::ffi::{self, lua_State};
use mlua::state::RawLua;
use mlua::{Error, FromLua, Lua, UserData, UserDataRef, UserDataRefMut};

use super::argument::{Argument, Entered, Span, Unfit};
use super::raw::{self, Misfit};
use super::signature::Type;
use crate::late;

/// Whether a thread has room on its stack for a value, without a call that may raise.
///
/// # Safety
///
/// - `thread` is valid, and not the one that runs.
#[inline(always)]
unsafe fn has_room(thread: *mut lua_State) -> bool {
    // It runs a C function, as `coroutine.resume` is one, or nothing. In LuaJIT the room that a function
    // has by right may have to be made first, which may raise; a thread that runs nothing has it from the
    // start. What is built for Lua 5.1 may run in LuaJIT too.
    if cfg!(not(any(feature = "lua51", feature = "luajit"))) {
        return true;
    }
    let mut frame = MaybeUninit::uninit();
    // SAFETY: the caller's thread is valid; neither call raises, and the frame is not read.
    unsafe {
        ffi::lua_getstack(thread, 0, frame.as_mut_ptr()) == 0
            && ffi::lua_gettop(thread) < ffi::LUA_MINSTACK
    }
}

/// The argument at an index, borrowed; [`Misfit::Elsewhere`] if that has to be left to mlua. Does not
/// raise.
///
/// # Safety
///
/// - `state` runs a C function, with room for two values; the index is that of one of its arguments, or
///   behind the last.
#[inline(always)]
unsafe fn borrow<G: FromLua, T: 'static>(
    state: *mut lua_State,
    index: c_int,
) -> Result<G, (c_int, Misfit)> {
    // SAFETY: as the caller promises. mlua has made its data for a state that it made userdata in, and
    // until the end it is there.
    unsafe {
        if ffi::lua_type(state, index) != ffi::LUA_TUSERDATA {
            return Err((index, unlike::<T>()));
        }
        if late::is_surely_over(state) {
            return Err((index, Misfit::Finalised));
        }
        let lua: &Lua = Lua::get_or_init_from_ptr(state);
        lua.exec_raw_lua(|raw| {
            let at_work = raw.state();
            if at_work == state {
                return borrow_at(raw, index).map_err(|misfit| (index, misfit.of::<T>()));
            }
            // mlua was last entered on another thread of the state.
            if !has_room(at_work) {
                return Err((index, Misfit::Elsewhere));
            }
            ffi::lua_pushvalue(state, index);
            ffi::lua_xmove(state, at_work, 1);
            let borrowed = borrow_at(raw, -1);
            ffi::lua_pop(at_work, 1);
            borrowed.map_err(|misfit| (index, misfit.of::<T>()))
        })
    }
}

/// Why a userdata could not be borrowed.
enum Refusal {
    Unlike,
    Borrowed,
    Finalised,
}

impl Refusal {
    fn of<T>(self) -> Misfit {
        match self {
            Self::Unlike => unlike::<T>(),
            Self::Borrowed => Misfit::Borrowed,
            Self::Finalised => Misfit::Finalised,
        }
    }
}

/// The value at an index of the thread that mlua is at work on, borrowed.
#[inline(always)]
unsafe fn borrow_at<G: FromLua>(lua: &RawLua, index: c_int) -> Result<G, Refusal> {
    // SAFETY: the caller passes the index of a userdata.
    unsafe { G::from_stack(index, lua) }.map_err(|error| match error {
        Error::UserDataBorrowError | Error::UserDataBorrowMutError => Refusal::Borrowed,
        Error::UserDataDestructed => Refusal::Finalised,
        _ => Refusal::Unlike,
    })
}

#[cold]
fn unlike<T>() -> Misfit {
    Misfit::Expected(Type::bare_name::<T>())
}

macro_rules! userdata {
    ($Marker:ident $Maybe:ident ($($mutable:tt)?) $Guard:ident $deref:ident $text:literal) => {
        #[doc = concat!("`&", $text, "T` of a userdata.")]
        #[derive(Debug)]
        pub struct $Marker;

        impl<'x, T: UserData + 'static> Argument<$Marker> for &'x $($mutable)? T {
            type Raw = c_int;
            type Held = $Guard<T>;
            type Of<'a> = &'a $($mutable)? T;

            fn describe() -> Option<Type> {
                Some(Type::of_rust::<T>())
            }

            #[inline(always)]
            fn is_direct() -> bool {
                true
            }

            #[inline(always)]
            unsafe fn read(
                _: *mut lua_State,
                span: &mut Span,
            ) -> Result<c_int, (c_int, Misfit)> {
                Ok(span.next())
            }

            #[inline(always)]
            unsafe fn hold(
                state: *mut lua_State,
                index: c_int,
            ) -> Result<$Guard<T>, (c_int, Misfit)> {
                // SAFETY: as the caller promises.
                unsafe { borrow::<_, T>(state, index) }
            }

            unsafe fn hold_by_mlua(
                lua: Entered<'_>,
                span: &mut Span,
            ) -> Result<$Guard<T>, (c_int, Unfit)> {
                let index = span.next();
                let misfit = if index > span.last {
                    unlike::<T>()
                } else {
                    // SAFETY: as the caller promises.
                    match unsafe { borrow_at(lua.raw, index) } {
                        Ok(borrowed) => return Ok(borrowed),
                        Err(refusal) => refusal.of::<T>(),
                    }
                };
                Err((index, Unfit::Misfit(misfit)))
            }

            #[inline(always)]
            fn lend(held: &mut $Guard<T>) -> &$($mutable)? T {
                held
            }
        }

        #[doc = concat!("`Option<&", $text, "T>` of a userdata.")]
        #[derive(Debug)]
        pub struct $Maybe;

        impl<'x, T: UserData + 'static> Argument<$Maybe> for Option<&'x $($mutable)? T> {
            type Raw = Option<c_int>;
            type Held = Option<$Guard<T>>;
            type Of<'a> = Option<&'a $($mutable)? T>;

            fn describe() -> Option<Type> {
                Some(Type::of_rust::<T>().optional())
            }

            #[inline(always)]
            fn is_direct() -> bool {
                true
            }

            #[inline(always)]
            unsafe fn read(
                state: *mut lua_State,
                span: &mut Span,
            ) -> Result<Option<c_int>, (c_int, Misfit)> {
                let index = span.next();
                // SAFETY: as the caller promises.
                Ok((!unsafe { raw::is_absent(state, index) }).then_some(index))
            }

            #[inline(always)]
            unsafe fn hold(
                state: *mut lua_State,
                index: Option<c_int>,
            ) -> Result<Option<$Guard<T>>, (c_int, Misfit)> {
                // SAFETY: as the caller promises.
                index.map(|index| unsafe { borrow::<_, T>(state, index) }).transpose()
            }

            unsafe fn hold_by_mlua(
                lua: Entered<'_>,
                span: &mut Span,
            ) -> Result<Option<$Guard<T>>, (c_int, Unfit)> {
                // SAFETY: as the caller promises.
                unsafe {
                    if span.first > span.last || raw::is_absent(lua.raw.state(), span.first) {
                        span.next();
                        return Ok(None);
                    }
                    <&'x $($mutable)? T as Argument<$Marker>>::hold_by_mlua(lua, span).map(Some)
                }
            }

            #[inline(always)]
            fn lend(held: &mut Option<$Guard<T>>) -> Option<&$($mutable)? T> {
                held.$deref()
            }
        }
    };
}

userdata!(Shared MaybeShared () UserDataRef as_deref "");
userdata!(Exclusive MaybeExclusive (mut) UserDataRefMut as_deref_mut "mut ");
