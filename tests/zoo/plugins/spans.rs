//! `tracing`: its callsites are statics that a subscriber would remember.
#![forbid(unsafe_code)]

use cygnixy_test_zoo::{Functions, Parts, with_ping};
use plugin_interface::export_plugin;
use plugin_interface::mlua::{self, Lua};
use plugin_interface::tracing;

/// `work(n)` emits `n` events in a span, and returns their sum.
fn functions(lua: &Lua) -> mlua::Result<Functions> {
    let work = lua.create_function(|_, n: u32| {
        let span = tracing::info_span!("work", n, sum = tracing::field::Empty);
        let _entered = span.enter();
        let mut sum = 0_u64;
        for step in 1..=n {
            sum += u64::from(step);
            tracing::info!(step, sum, "a step");
        }
        span.record("sum", sum);
        tracing::debug!(target: "zoo", %sum, "done");
        Ok(sum)
    })?;
    with_ping(lua, [("work", work)])
}

export_plugin!(Parts {
    name: || "spans",
    functions,
    ..Parts::default()
});
