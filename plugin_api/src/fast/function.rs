//! Rust functions and closures of up to ten parameters as fast functions.

use std::ffi::c_int;
use std::mem::needs_drop;

use mlua::ffi::{self, lua_State};

use super::argument::{Argument, Entered, Span};
use super::by_mlua;
use super::call::{self, Placed};
use super::outcome::Outcome;
use super::room::Room;
use super::signature::{Signature, Type};

/// A function or closure that Lua can call without mlua in between; see
/// [`LuaExt::create_fast_function`](super::LuaExt::create_fast_function).
///
/// It is implemented for every `Fn` whose parameters are [`Argument`]s and whose result is an
/// [`Outcome`]. `Marker` is found by the compiler.
pub trait FastFunction<Marker>: Sized + 'static {
    /// The function's types.
    #[doc(hidden)]
    fn signature() -> Signature;

    /// Whether it needs no mlua.
    #[doc(hidden)]
    fn is_direct() -> bool;

    /// Calls it with the arguments on the stack; gives the number of results, or raises.
    ///
    /// # Safety
    ///
    /// - It [`is_direct`](Self::is_direct).
    /// - `state` runs a C function made by this crate, which owns nothing.
    #[doc(hidden)]
    unsafe fn call(&self, state: *mut lua_State) -> c_int;

    /// Calls it by way of mlua, with the last `count` values of the stack.
    ///
    /// # Errors
    ///
    /// What the function or a conversion says.
    ///
    /// # Safety
    ///
    /// - `lua` runs a callback with these arguments.
    #[doc(hidden)]
    unsafe fn call_by_mlua(&self, lua: Entered<'_>, count: c_int) -> mlua::Result<c_int>;
}

/// `Fn` with a result that may depend on the lifetimes of the arguments.
pub trait Call<Arguments> {
    /// The result.
    type Output;

    /// Calls it.
    fn call(&self, arguments: Arguments) -> Self::Output;
}

macro_rules! functions {
    ($(($($T:ident $M:ident $raw:ident $held:ident),*))*) => {$(
        impl<F, R, $($T),*> Call<($($T,)*)> for F
        where
            F: Fn($($T),*) -> R,
        {
            type Output = R;

            #[inline(always)]
            #[allow(non_snake_case)]
            fn call(&self, ($($T,)*): ($($T,)*)) -> R {
                self($($T),*)
            }
        }

        impl<F, R, RM, $($T, $M),*> FastFunction<(fn($($T),*) -> R, RM, $($M),*)> for F
        where
            F: Fn($($T),*) -> R + 'static,
            $($T: Argument<$M>,)*
            R: Outcome<RM>,
            F: for<'a> Call<($($T::Of<'a>,)*)>,
            for<'a> <F as Call<($($T::Of<'a>,)*)>>::Output: Outcome<RM>,
        {
            fn signature() -> Signature {
                let mut results = Vec::new();
                R::describe(&mut results);
                let parameters: &[Option<Type>] = &[$($T::describe()),*];
                Signature {
                    parameters: parameters.iter().flatten().cloned().collect(),
                    results,
                }
            }

            #[inline(always)]
            fn is_direct() -> bool {
                R::is_direct() $(&& $T::is_direct())*
            }

            #[inline(always)]
            unsafe fn call(&self, state: *mut lua_State) -> c_int {
                // SAFETY: as the caller promises: nothing is owned while the arguments are read,
                // and `call::run` does not raise while they are held.
                unsafe {
                    #[allow(unused_mut, unused_variables)]
                    let mut span = Span::ALL;
                    $(let $raw = match $T::read(state, &mut span) {
                        Ok(raw) => raw,
                        Err((index, misfit)) => call::raise_misfit(state, index, misfit),
                    };)*
                    let body = |room: &mut Room| {
                        $(let mut $held = match $T::hold(state, $raw) {
                            Ok(held) => held,
                            Err((index, misfit)) => return Placed::Misfit(index, misfit),
                        };)*
                        let result = Call::call(self, ($($T::lend(&mut $held),)*));
                        let owns = false $(|| needs_drop::<$T::Held>())*;
                        call::place(state, &result, owns, room)
                    };
                    call::run(state, body, || by_mlua::call(self, state))
                }
            }

            unsafe fn call_by_mlua(&self, lua: Entered<'_>, count: c_int) -> mlua::Result<c_int> {
                // SAFETY: as the caller promises; the arguments stay on the stack.
                unsafe {
                    let last = ffi::lua_gettop(lua.raw.state());
                    #[allow(unused_variables)]
                    let all = Span { first: last + 1 - count, last };
                    #[allow(unused_mut, unused_variables)]
                    let mut span = all;
                    $(let mut $held = match $T::hold_by_mlua(lua, &mut span) {
                        Ok(held) => held,
                        Err((index, unfit)) => {
                            return Err(by_mlua::bad_argument(lua, index, all, unfit));
                        }
                    };)*
                    let result = Call::call(self, ($($T::lend(&mut $held),)*));
                    result.push_by_mlua(lua)
                }
            }
        }
    )*};
}

functions!(
    ()
    (A MA ra ha)
    (A MA ra ha, B MB rb hb)
    (A MA ra ha, B MB rb hb, C MC rc hc)
    (A MA ra ha, B MB rb hb, C MC rc hc, D MD rd hd)
    (A MA ra ha, B MB rb hb, C MC rc hc, D MD rd hd, E ME re he)
    (A MA ra ha, B MB rb hb, C MC rc hc, D MD rd hd, E ME re he, G MG rg hg)
    (A MA ra ha, B MB rb hb, C MC rc hc, D MD rd hd, E ME re he, G MG rg hg, H MH rh hh)
    (A MA ra ha, B MB rb hb, C MC rc hc, D MD rd hd, E ME re he, G MG rg hg, H MH rh hh,
        I MI ri hi)
    (A MA ra ha, B MB rb hb, C MC rc hc, D MD rd hd, E ME re he, G MG rg hg, H MH rh hh,
        I MI ri hi, J MJ rj hj)
    (A MA ra ha, B MB rb hb, C MC rc hc, D MD rd hd, E ME re he, G MG rg hg, H MH rh hh,
        I MI ri hi, J MJ rj hj, K MK rk hk)
);
