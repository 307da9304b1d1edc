//! One slot for each function of the Lua C API, holding the address that the stub jumps to.

use std::sync::atomic::AtomicPtr;

use super::bind::unbound;

macro_rules! declare {
    ($($name:ident)*) => {
        $(
            #[doc(hidden)]
            #[allow(non_upper_case_globals)]
            pub static $name: AtomicPtr<()> = AtomicPtr::new(unbound as *const () as *mut ());
        )*

        /// Every slot with its function's name.
        pub(super) static ALL: &[(&str, &AtomicPtr<()>)] = &[$((stringify!($name), &$name)),*];
    };
}

crate::__lua_api_names!(declare);
