//! The global thread pool of `rayon`: threads that the plugin did not start itself and cannot end.
#![forbid(unsafe_code)]

use cygnixy_test_zoo::{Functions, Parts, with_ping};
use plugin_interface::export_plugin;
use plugin_interface::mlua::{self, Lua};
use rayon::iter::{IntoParallelIterator as _, ParallelIterator as _};

/// `sum(n)`: of 1 to `n`, by all threads.
fn functions(lua: &Lua) -> mlua::Result<Functions> {
    let sum = lua.create_function(|_, n: u32| {
        let sum: u64 = (1..=n).into_par_iter().map(u64::from).sum();
        Ok(sum)
    })?;
    with_ping(lua, [("sum", sum)])
}

export_plugin!(Parts {
    name: || "pool",
    functions,
    ..Parts::default()
});
