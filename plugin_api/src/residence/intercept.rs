//! A function of the Lua API that another one stands in for.

use std::sync::atomic::{AtomicPtr, Ordering};

/// The runtime's own function, once another one is in its slot.
pub(super) struct Intercept(AtomicPtr<()>);

impl Intercept {
    pub(super) const fn new() -> Self {
        Self(AtomicPtr::new(std::ptr::null_mut()))
    }

    /// Puts `ours` into the slot, once.
    pub(super) fn install(&self, slot: &AtomicPtr<()>, ours: *const ()) {
        let present = slot.load(Ordering::Relaxed);
        if present.cast_const() != ours {
            self.0.store(present, Ordering::Relaxed);
            slot.store(ours.cast_mut(), Ordering::Relaxed);
        }
    }

    /// The address of the runtime's function.
    pub(super) fn address(&self) -> *mut () {
        self.0.load(Ordering::Relaxed)
    }
}

/// Declares the runtime's function `$name`, of the given type, as a function of the same name in a
/// module `real`, and `$intercept`, by which another one is put into its place.
macro_rules! intercepts {
    ($($(#[$attribute:meta])* $name:ident as $intercept:ident:
       ($($argument:ident: $type:ty),*) $(-> $result:ty)?;)*) => {
        $(
            $(#[$attribute])*
            static $intercept: $crate::residence::intercept::Intercept =
                $crate::residence::intercept::Intercept::new();
        )*

        mod real {
            use super::*;
            $(
                /// Calls the runtime's own function.
                ///
                /// # Safety
                ///
                /// - Another function was put into its slot before.
                /// - The rules of the function itself.
                $(#[$attribute])*
                #[allow(non_snake_case)]
                pub(super) unsafe fn $name($($argument: $type),*) $(-> $result)? {
                    let address = super::$intercept.address();
                    type Function = unsafe extern "C-unwind" fn($($type),*) $(-> $result)?;
                    // SAFETY: the slot held the runtime's function of that name and type, and the
                    // caller keeps the function's rules.
                    unsafe { std::mem::transmute::<*mut (), Function>(address)($($argument),*) }
                }
            )*
        }
    };
}
pub(super) use intercepts;
