//! The Lua that is linked into the program this loader is part of.

use std::ffi::c_void;

use plugin_api::lua_abi::LUA_ABI;

pub(super) fn lua_abi() -> &'static str {
    LUA_ABI
}

pub(super) fn resolve(name: &str) -> *const c_void {
    table::address_of(name)
}

#[cfg(bound_lua_api)]
mod table {
    //! A table of addresses that the static linker fills. The references are weak: a function
    //! that this release of Lua lacks is null, and none is pulled in that the program does not
    //! have. So plugins work in a program that exports no symbol at all.

    use std::ffi::c_void;

    use plugin_api::lua_api::{self, NAMES};

    macro_rules! define_table {
        ($($name:ident)*) => {
            ::core::arch::global_asm!(
                ".pushsection .data.rel.ro.cygnixy_lua_api,\"aw\",@progbits",
                ".balign 8",
                ".globl cygnixy_lua_api_table",
                ".hidden cygnixy_lua_api_table",
                "cygnixy_lua_api_table:",
                $(
                    concat!(".weak ", stringify!($name)),
                    concat!(".quad ", stringify!($name)),
                )*
                ".popsection",
            );
        };
    }
    plugin_api::__lua_api_names!(define_table);

    unsafe extern "C" {
        #[link_name = "cygnixy_lua_api_table"]
        static TABLE: [*const c_void; NAMES.len()];
    }

    pub(super) fn address_of(name: &str) -> *const c_void {
        let Some(index) = lua_api::index_of(name) else {
            return std::ptr::null();
        };
        // SAFETY: the assembly above defines one address for each name, in the order of `NAMES`,
        // and nothing writes there after the program was linked and relocated.
        unsafe { TABLE[index] }
    }

    #[cfg(test)]
    #[cfg(feature = "vendored")]
    mod tests {
        use super::*;

        #[test]
        fn the_names_are_sorted() {
            assert!(NAMES.is_sorted());
        }

        #[test]
        fn every_function_is_found() {
            // A point release may lack some; the vendored Lua is the newest of its version. What
            // was only for compatibility with 5.2 is left out of a 5.3.
            let missing: Vec<_> = NAMES
                .iter()
                .filter(|name| address_of(name).is_null() && **name != "luaopen_bit32")
                .collect();
            assert!(missing.is_empty(), "{missing:?}");
        }

        #[test]
        fn another_name_is_not() {
            assert!(address_of("lua_nothing").is_null());
        }
    }
}

#[cfg(not(bound_lua_api))]
mod table {
    //! Plugins are bound by the dynamic linker here and ask for nothing.

    use std::ffi::c_void;

    pub(super) fn address_of(_name: &str) -> *const c_void {
        std::ptr::null()
    }
}
