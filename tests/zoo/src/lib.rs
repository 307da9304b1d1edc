//! What the zoo's plugins share. Each of them is one thing that may still refer to a library, or
//! may not, when its plugin is unloaded. For Unix.

use cygnixy_test_fixtures::{named, ping};
use plugin_interface::mlua::{self, Function, Lua};

pub use cygnixy_test_fixtures::{Functions, HookResult, Parts, silence_panics};

/// These functions, and `ping`, which returns `"pong"`.
///
/// # Errors
///
/// If Lua runs out of memory.
pub fn with_ping<const N: usize>(
    lua: &Lua,
    functions: [(&str, Function); N],
) -> mlua::Result<Functions> {
    let mut all = ping(lua)?;
    all.extend(named(functions));
    Ok(all)
}
