//! Loops with and without a `tracing` event; the difference is what an event costs.

use std::hint::black_box;

use plugin_api::mlua::{Function, Lua, Result};
use plugin_api::tracing::{debug, warn};

/// The loops by name. Each takes how often it goes round.
pub(crate) fn functions(lua: &Lua) -> Result<Vec<(&'static str, Function)>> {
    Ok(vec![
        (
            "none",
            lua.create_function(|_, count: u64| {
                for i in 0..count {
                    black_box(i);
                }
                Ok(())
            })?,
        ),
        (
            "debug",
            lua.create_function(|_, count: u64| {
                for i in 0..count {
                    let i = black_box(i);
                    debug!(i, "an event of the benchmark");
                }
                Ok(())
            })?,
        ),
        (
            "warn",
            lua.create_function(|_, count: u64| {
                for i in 0..count {
                    let i = black_box(i);
                    warn!(i, "an event of the benchmark");
                }
                Ok(())
            })?,
        ),
    ])
}
