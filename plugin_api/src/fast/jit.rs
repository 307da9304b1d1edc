//! Functions that LuaJIT's compiled code can call directly, through its FFI.
//!
//! All of them are called by one C function type, with a block of memory for arguments and result, so
//! that the loader can write the call in Lua for any signature, without a declaration by hand. The
//! block also carries what went wrong, since no error may leave a call through the FFI: arguments
//! that do not fit make the caller take the way through the Lua API, which says why.

use std::ffi::c_void;
use std::fmt::Display;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;

use super::argument::{Argument, ByValue, Bytes, Text};
use super::function::{Call, FastFunction};
use super::primitive::Raw;
use super::raw::{self, RawBytes};
use crate::abi::{FfiArgument as Slot, FfiBlock, Sink};
use crate::errors::Message;
use crate::panics;

/// Whether this build may meet LuaJIT.
pub(super) const IS_POSSIBLE: bool = cfg!(any(feature = "lua51", feature = "luajit"));

/// What the loader sees, and what it does not.
#[repr(C)]
pub(crate) struct Block {
    pub(crate) shared: FfiBlock,
    pub(super) function: *const c_void,
    pub(crate) types: Types,
    failure: Option<String>,
}

/// The kinds of the arguments, a letter each, and that of the result.
#[derive(Debug, Clone)]
pub(crate) struct Types {
    pub(crate) parameters: String,
    pub(crate) result: char,
}

impl Block {
    pub(super) fn new<F: FfiFunction<M>, M>() -> Self {
        Self {
            shared: FfiBlock::new(enter::<F, M>, take_failure),
            function: ptr::null(),
            types: F::types(),
            failure: None,
        }
    }

    /// Notes that the function was dropped: from now on calls take the ordinary way. Nothing of the
    /// block is on the heap any more.
    pub(super) fn end(&mut self) {
        self.shared.call = late;
        self.types.parameters = String::new();
        self.failure = None;
    }
}

/// A function whose types C knows: numbers, booleans and strings for arguments; a number, a boolean,
/// nothing or a `Result` of these. See
/// [`LuaExt::create_ffi_function`](super::LuaExt::create_ffi_function).
pub trait FfiFunction<Marker>: FastFunction<Marker> {
    /// The kinds of its types.
    #[doc(hidden)]
    #[allow(private_interfaces)]
    fn types() -> Types;

    /// Calls it with the arguments in the block, and leaves the result there.
    ///
    /// # Safety
    ///
    /// - The loader has filled the arguments in; strings stay where they are for the call.
    #[doc(hidden)]
    unsafe fn call_in(&self, block: &mut FfiBlock) -> Result<(), Stopped>;
}

/// Why a call gave no result.
#[derive(Debug)]
pub enum Stopped {
    /// An argument does not fit. The function has not run.
    Misfit,
    /// The function failed, with this text.
    Failed(String),
}

unsafe extern "C" fn enter<F: FfiFunction<M>, M>(block: *mut FfiBlock) {
    // SAFETY: the loader passes the block that it got for this function, which lives as long as the
    // function does, and calls it on the thread of the function's state only.
    unsafe {
        let function = (*block.cast::<Block>()).function.cast::<F>();
        let shared = &mut *block;
        let called = catch_unwind(AssertUnwindSafe(|| (*function).call_in(shared)));
        (*block).status = match called {
            Ok(Ok(())) => FfiBlock::DONE,
            Ok(Err(Stopped::Misfit)) => FfiBlock::MISFIT,
            Ok(Err(Stopped::Failed(text))) => fail(block, text),
            Err(payload) => fail(block, Message::panicked(&panics::text_of(payload)).text),
        };
    }
}

/// Stands in for [`enter`] once the function was dropped: finalisers run after that while a state is
/// closed. The ordinary function says so.
unsafe extern "C" fn late(block: *mut FfiBlock) {
    // SAFETY: the block is where it was, as Lua still has the function.
    unsafe { (*block).status = FfiBlock::MISFIT };
}

#[cold]
unsafe fn fail(block: *mut FfiBlock, text: String) -> u32 {
    // SAFETY: as for `enter`.
    unsafe { (*block.cast::<Block>()).failure = Some(text) };
    FfiBlock::FAILED
}

unsafe extern "C" fn take_failure(block: *mut FfiBlock, sink: Sink) {
    // SAFETY: as for `enter`; the loader passes a usable sink.
    unsafe {
        let text = (*block.cast::<Block>()).failure.take();
        sink.put(text.as_deref().unwrap_or("the function failed"));
    }
}

/// A type of argument that C knows.
pub trait FfiArgument<Marker>: Argument<Marker> {
    /// The letter of its kind: `n` for a number, `b` for a boolean, `s` for a string.
    #[doc(hidden)]
    const KIND: char;

    /// Reads it, as from the Lua stack.
    ///
    /// # Safety
    ///
    /// - The loader has filled the slot in with a value of that kind.
    #[doc(hidden)]
    unsafe fn read_slot(slot: &Slot) -> Option<Self::Raw>;
}

/// A type of result that C knows.
pub trait FfiOutcome {
    /// The letter of its kind: `n`, `b`, or `v` for none.
    #[doc(hidden)]
    const KIND: char;

    /// Leaves it in the block.
    ///
    /// # Errors
    ///
    /// The failure that it is.
    #[doc(hidden)]
    fn leave(self, block: &mut FfiBlock) -> Result<(), Stopped>;
}

macro_rules! numbers {
    ($($Type:ty: $slot:ident => $raw:expr),*) => {$(
        impl FfiArgument<ByValue> for $Type {
            const KIND: char = 'n';

            #[inline(always)]
            unsafe fn read_slot($slot: &Slot) -> Option<Raw> {
                $raw
            }
        }

        impl FfiOutcome for $Type {
            const KIND: char = 'n';

            #[inline(always)]
            fn leave(self, block: &mut FfiBlock) -> Result<(), Stopped> {
                block.number = self as f64;
                Ok(())
            }
        }
    )*};
}

macro_rules! integers {
    ($($Type:ty)*) => {
        numbers!($($Type: slot => {
            let integer = raw::integral(slot.number).ok()?;
            <$Type>::try_from(integer).ok().map(|_| Raw::Integer(integer))
        }),*);
    };
}

numbers!(f32: slot => Some(Raw::Number(slot.number)), f64: slot => Some(Raw::Number(slot.number)));
integers!(i8 i16 i32 i64 isize u8 u16 u32 u64 usize);

impl FfiArgument<ByValue> for bool {
    const KIND: char = 'b';

    #[inline(always)]
    unsafe fn read_slot(slot: &Slot) -> Option<Raw> {
        Some(Raw::Flag(slot.number != 0.0))
    }
}

impl FfiOutcome for bool {
    const KIND: char = 'b';

    #[inline(always)]
    fn leave(self, block: &mut FfiBlock) -> Result<(), Stopped> {
        block.number = f64::from(self);
        Ok(())
    }
}

impl FfiArgument<Bytes> for &[u8] {
    const KIND: char = 's';

    #[inline(always)]
    unsafe fn read_slot(slot: &Slot) -> Option<RawBytes> {
        Some(RawBytes::new(slot.data, slot.len))
    }
}

impl FfiArgument<Text> for &str {
    const KIND: char = 's';

    #[inline(always)]
    unsafe fn read_slot(slot: &Slot) -> Option<RawBytes> {
        let raw = RawBytes::new(slot.data, slot.len);
        // SAFETY: the loader passes a string of Lua, which stays for the call.
        std::str::from_utf8(unsafe { raw.bytes() })
            .ok()
            .map(|_| raw)
    }
}

impl FfiOutcome for () {
    const KIND: char = 'v';

    #[inline(always)]
    fn leave(self, _: &mut FfiBlock) -> Result<(), Stopped> {
        Ok(())
    }
}

impl<T: FfiOutcome, E: Display> FfiOutcome for Result<T, E> {
    const KIND: char = T::KIND;

    #[inline(always)]
    fn leave(self, block: &mut FfiBlock) -> Result<(), Stopped> {
        match self {
            Ok(value) => value.leave(block),
            Err(error) => Err(Stopped::Failed(super::outcome::text_of(&error))),
        }
    }
}

macro_rules! functions {
    ($(($($T:ident $M:ident $held:ident $i:tt),*))*) => {$(
        #[allow(private_interfaces)]
        impl<F, R, RM, $($T, $M),*> FfiFunction<(fn($($T),*) -> R, RM, $($M),*)> for F
        where
            F: FastFunction<(fn($($T),*) -> R, RM, $($M),*)>,
            $($T: FfiArgument<$M>,)*
            R: FfiOutcome,
            F: for<'a> Call<($($T::Of<'a>,)*), Output = R>,
        {
            fn types() -> Types {
                Types {
                    parameters: {
                        let kinds: &[char] = &[$($T::KIND),*];
                        kinds.iter().collect()
                    },
                    result: R::KIND,
                }
            }

            #[inline(always)]
            unsafe fn call_in(&self, block: &mut FfiBlock) -> Result<(), Stopped> {
                // SAFETY: as the caller promises; none of these types needs a Lua state.
                #[allow(unused_unsafe)]
                unsafe {
                    $(let raw = $T::read_slot(&block.arguments[$i]).ok_or(Stopped::Misfit)?;
                    let mut $held =
                        $T::hold(ptr::null_mut(), raw).map_err(|_| Stopped::Misfit)?;)*
                    Call::call(self, ($($T::lend(&mut $held),)*)).leave(block)
                }
            }
        }
    )*};
}

functions!(
    ()
    (A MA ha 0)
    (A MA ha 0, B MB hb 1)
    (A MA ha 0, B MB hb 1, C MC hc 2)
    (A MA ha 0, B MB hb 1, C MC hc 2, D MD hd 3)
    (A MA ha 0, B MB hb 1, C MC hc 2, D MD hd 3, E ME he 4)
    (A MA ha 0, B MB hb 1, C MC hc 2, D MD hd 3, E ME he 4, G MG hg 5)
    (A MA ha 0, B MB hb 1, C MC hc 2, D MD hd 3, E ME he 4, G MG hg 5, H MH hh 6)
    (A MA ha 0, B MB hb 1, C MC hc 2, D MD hd 3, E ME he 4, G MG hg 5, H MH hh 6, I MI hi 7)
);
