//! The macro that makes a crate a plugin.

/// Makes the crate a plugin: `export_plugin!(EXPRESSION)`, once, in a crate of type `cdylib` and no
/// other: linked into a program, its definition of the Lua C API would take the place of Lua's.
///
/// The expression makes the plugin object, anew for each Lua state: the name of a unit struct
/// ([`export_plugin!(Greet)`](crate)), a call (`export_plugin!(Greet::new())`) or a struct
/// expression (`export_plugin!(Greet { limit: 3 })`). Its type implements
/// [`PluginLua`](crate::PluginLua) and borrows nothing.
///
/// The macro places the [manifest](crate::manifest) in the library, exports the one function a
/// loader calls, and defines the Lua C API as stubs that the loader fills
/// ([`lua_api`](crate::lua_api)). It works in crates that forbid unsafe code, without the
/// prelude, and under any name that the dependency was given.
///
/// Without the feature `module`, in a program that brings its own Lua, the macro checks the
/// expression and exports nothing.
///
/// A type that is no plugin does not compile:
///
/// ```compile_fail
/// struct NotAPlugin;
/// plugin_api::export_plugin!(NotAPlugin);
/// ```
#[cfg(feature = "module")]
#[macro_export]
macro_rules! export_plugin {
    ($plugin:expr $(,)?) => {
        #[cfg(panic = "abort")]
        ::core::compile_error!(
            "a plugin has to unwind: a panic would end the whole Lua program. Remove `panic = \"abort\"` from the profile"
        );
        // The expression sees these names, so they are names that nobody else uses.
        const _: () = {
            use $crate::__private as __cygnixy_private;

            fn __cygnixy_construct() -> __cygnixy_private::Box<dyn $crate::PluginLua> {
                __cygnixy_private::Box::new($plugin)
            }

            unsafe extern "C" fn __cygnixy_create(
                instance: *mut $crate::abi::RawInstance,
                sink: $crate::abi::Sink,
            ) -> $crate::abi::Status {
                // SAFETY: the loader keeps the rules of `create`, which this only forwards.
                unsafe { $crate::instance::ffi::create(__cygnixy_construct, instance, sink) }
            }

            const __CYGNIXY_ENTRIES: &[(&__cygnixy_private::str, &__cygnixy_private::str)] = &[
                ("name", __cygnixy_private::env!("CARGO_PKG_NAME")),
                ("version", __cygnixy_private::env!("CARGO_PKG_VERSION")),
                ("authors", __cygnixy_private::env!("CARGO_PKG_AUTHORS")),
                (
                    "description",
                    __cygnixy_private::env!("CARGO_PKG_DESCRIPTION"),
                ),
                ("lua_abi", $crate::lua_abi::LUA_ABI),
                ("api_version", __cygnixy_private::API_VERSION),
                ("mlua", $crate::manifest::MLUA_VERSION),
                ("rustc", $crate::manifest::RUSTC_VERSION),
                ("target", $crate::manifest::TARGET),
            ];

            #[used]
            #[cfg_attr(target_vendor = "apple", unsafe(link_section = "__DATA,__cygnixy"))]
            #[cfg_attr(not(target_vendor = "apple"), unsafe(link_section = ".cygnixy"))]
            static __CYGNIXY_MANIFEST: [__cygnixy_private::u8;
                $crate::manifest::encoded_len(__CYGNIXY_ENTRIES)] =
                $crate::manifest::encode(__CYGNIXY_ENTRIES);

            #[unsafe(no_mangle)]
            extern "C" fn cygnixy_plugin_entry() -> *const $crate::abi::Descriptor {
                static DESCRIPTOR: $crate::abi::Descriptor =
                    $crate::abi::Descriptor::new(&__CYGNIXY_MANIFEST, __cygnixy_create);
                &DESCRIPTOR
            }

            // Assembly has to stand where items stand.
            mod __cygnixy_lua_api {
                $crate::__bind_lua_api!();
                $crate::__watch_process!();
            }
        };
    };
}

/// Checks the expression and exports nothing: this build is a program that brings its own Lua.
#[cfg(not(feature = "module"))]
#[macro_export]
macro_rules! export_plugin {
    ($plugin:expr $(,)?) => {
        const _: fn() -> $crate::__private::Box<dyn $crate::PluginLua> =
            || $crate::__private::Box::new($plugin);
    };
}

/// What the macros need by a name that does not depend on the crate they are expanded in.
#[doc(hidden)]
pub mod private {
    pub use core::env;
    pub use core::primitive::{str, u8};
    pub use std::boxed::Box;

    /// [`API_VERSION`](crate::abi::API_VERSION) as text.
    pub const API_VERSION: &str = "1";
    const _: () = assert!(crate::abi::API_VERSION == 1, "keep the text above in step");
}
