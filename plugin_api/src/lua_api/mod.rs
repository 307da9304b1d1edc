//! The Lua C API of a plugin, bound by the loader instead of the dynamic linker.
//!
//! A plugin has no undefined `lua_*` symbol. Its root crate defines each of them as a hidden stub
//! of one jump through a slot (`slots`), and the loader fills the slots from the runtime that
//! the Lua state really belongs to ([`bind`]). That works where the host exports nothing, and
//! where it keeps its Lua to itself. The loader's own Lua module binds itself in the same way.
//!
//! Three slots are special. `lua_error` goes through [`errors`](crate::errors), which turns mlua's
//! error objects into strings where Lua code would see them. `lua_touserdata` goes through a check
//! once a function was collected, see [`late`](crate::late). In Lua 5.1, `lua_cpcall` goes through what makes up
//! for finalisers that come in between, see `cpcall`.
//!
//! Where stubs are not supported (anything but Linux on x86-64 and AArch64), the macros expand to
//! nothing, [`IS_BOUND`] is false and the dynamic linker does the work.

#[cfg(feature = "lua51")]
#[path = "names/lua51.rs"]
mod names;
#[cfg(feature = "luajit")]
#[path = "names/luajit.rs"]
mod names;
#[cfg(feature = "lua52")]
#[path = "names/lua52.rs"]
mod names;
#[cfg(feature = "lua53")]
#[path = "names/lua53.rs"]
mod names;
#[cfg(feature = "lua54")]
#[path = "names/lua54.rs"]
mod names;
#[cfg(feature = "lua55")]
#[path = "names/lua55.rs"]
mod names;

#[cfg(bound_lua_api)]
mod bind;
#[cfg(not(bound_lua_api))]
#[path = "unbound.rs"]
mod bind;
#[cfg(bound_lua_api)]
pub(crate) mod cpcall;
#[cfg(all(bound_lua_api, target_arch = "x86_64"))]
mod shorten;
#[cfg(bound_lua_api)]
pub mod slots;
mod stubs;

use std::sync::atomic::{AtomicUsize, Ordering};

pub(crate) use bind::release;
pub use bind::{bind, resolve};
#[cfg(bound_lua_api)]
pub(crate) use bind::{check_touserdata, real_lua_error, real_touserdata};

/// Lets calls of the Lua API go to its functions without the stubs in between, where that is possible.
///
/// # Safety
///
/// - [`bind`] has succeeded, and what stands in for functions of the runtime is in its place.
/// - No other thread runs code of this library.
pub unsafe fn shorten() {
    #[cfg(all(bound_lua_api, target_arch = "x86_64"))]
    // SAFETY: as the caller promises.
    unsafe {
        shorten::shorten();
    }
}

/// Whether this build takes its Lua API from slots that a loader fills.
pub const IS_BOUND: bool = cfg!(bound_lua_api);

/// Whether plugins for this platform take their Lua API from slots that a loader fills.
pub const CAN_BE_BOUND: bool = cfg!(all(
    target_os = "linux",
    any(target_arch = "x86_64", target_arch = "aarch64"),
    target_pointer_width = "64"
));

/// The names of the functions of the Lua C API that are bound.
pub const NAMES: &[&str] = {
    macro_rules! list {
        ($($name:ident)*) => { &[$(stringify!($name)),*] };
    }
    crate::__lua_api_names!(list)
};

/// Where a name is among [`NAMES`]. A plugin that is being bound asks for them in their order, so the
/// one after the last answer is looked at first.
#[must_use]
pub fn index_of(name: &str) -> Option<usize> {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    let next = NEXT.load(Ordering::Relaxed);
    let index = if NAMES.get(next) == Some(&name) {
        next
    } else {
        NAMES.binary_search(&name).ok()?
    };
    NEXT.store(index + 1, Ordering::Relaxed);
    Some(index)
}

/// Why the Lua API could not be bound.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BindError {
    /// The library is in use by another Lua runtime of the same process.
    #[error("it is already bound to another Lua runtime of this process")]
    OtherRuntime,
    /// The runtime lacks functions that nothing works without.
    #[error("the Lua runtime does not offer {}", names.join(", "))]
    Missing {
        /// The missing functions.
        names: Vec<&'static str>,
    },
}
