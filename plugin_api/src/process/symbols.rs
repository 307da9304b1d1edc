//! The macro that defines the watched functions of the C library, in the root crate of a plugin, as
//! for the Lua API ([`__bind_lua_api`](crate::__bind_lua_api)).

/// Defines the functions by which threads, thread-locals and exit functions come about, as hidden
/// symbols that lead to this crate.
#[doc(hidden)]
#[cfg(bound_lua_api)]
#[macro_export]
macro_rules! __watch_process {
    () => {
        $crate::__watch_process! {
            "__cxa_thread_atexit_impl" => thread_atexit,
            "pthread_create" => pthread_create,
            "pthread_key_create" => pthread_key_create,
            "pthread_key_delete" => pthread_key_delete,
            "atexit" => atexit,
            "at_quick_exit" => at_quick_exit,
            "on_exit" => on_exit,
        }
    };
    ($($name:literal => $target:ident,)*) => {
        $(
            ::core::arch::global_asm!(
                ::core::concat!(".pushsection .text.cygnixy.", $name, ",\"ax\",@progbits"),
                ".balign 16",
                ::core::concat!(".globl ", $name),
                ::core::concat!(".hidden ", $name),
                ::core::concat!(".type ", $name, ",@function"),
                ::core::concat!($name, ":"),
                $crate::__process_jump!(),
                ::core::concat!(".size ", $name, ", . - ", $name),
                ".popsection",
                target = sym $crate::process::$target,
            );
        )*
    };
}

/// Nothing is watched here.
#[doc(hidden)]
#[cfg(not(bound_lua_api))]
#[macro_export]
macro_rules! __watch_process {
    () => {};
}

#[doc(hidden)]
#[cfg(all(bound_lua_api, target_arch = "x86_64"))]
#[macro_export]
macro_rules! __process_jump {
    () => {
        "jmp {target}"
    };
}

#[doc(hidden)]
#[cfg(all(bound_lua_api, target_arch = "aarch64"))]
#[macro_export]
macro_rules! __process_jump {
    () => {
        "b {target}"
    };
}
