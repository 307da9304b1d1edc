//! The macro that defines the stubs. It is expanded in the root crate of a library, because an
//! archive member that holds nothing but assembly may never be pulled into the link.

/// Defines the Lua C API in the crate that expands it, as hidden stubs that jump through
/// [`slots`](crate::lua_api::slots).
///
/// For the root crate of a `cdylib` only, and once. [`export_plugin!`](crate::export_plugin) does
/// it for plugins.
#[doc(hidden)]
#[cfg(bound_lua_api)]
#[macro_export]
macro_rules! __bind_lua_api {
    () => {
        $crate::__lua_api_names!($crate::__lua_api_stubs);
    };
}

/// The Lua C API comes from the dynamic linker in this build; there is nothing to define.
#[doc(hidden)]
#[cfg(not(bound_lua_api))]
#[macro_export]
macro_rules! __bind_lua_api {
    () => {};
}

/// A stub for each name. `hidden` keeps the name out of the library's dynamic symbols.
#[doc(hidden)]
#[cfg(bound_lua_api)]
#[macro_export]
macro_rules! __lua_api_stubs {
    ($($name:ident)*) => {
        $(
            ::core::arch::global_asm!(
                ::core::concat!(".pushsection .text.cygnixy.", ::core::stringify!($name), ",\"ax\",@progbits"),
                ".balign 16",
                ::core::concat!(".globl ", ::core::stringify!($name)),
                ::core::concat!(".hidden ", ::core::stringify!($name)),
                ::core::concat!(".type ", ::core::stringify!($name), ",@function"),
                ::core::concat!(::core::stringify!($name), ":"),
                $crate::__lua_api_jump!(),
                ::core::concat!(".size ", ::core::stringify!($name), ", . - ", ::core::stringify!($name)),
                ".popsection",
                slot = sym $crate::lua_api::slots::$name,
            );
        )*
    };
}

/// The jump through the slot, which is reached relative to the program counter: the stub needs no
/// relocation.
#[doc(hidden)]
#[cfg(all(bound_lua_api, target_arch = "x86_64"))]
#[macro_export]
macro_rules! __lua_api_jump {
    () => {
        "jmp qword ptr [rip + {slot}]"
    };
}

/// The jump through the slot, by the scratch register that the calling convention reserves for
/// such veneers.
#[doc(hidden)]
#[cfg(all(bound_lua_api, target_arch = "aarch64"))]
#[macro_export]
macro_rules! __lua_api_jump {
    () => {
        "adrp x16, {slot}\nldr x16, [x16, :lo12:{slot}]\nbr x16"
    };
}
