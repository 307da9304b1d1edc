//! Its `get_lua_functions` panics: it ends between being loaded and being used.
#![forbid(unsafe_code)]
#![expect(clippy::panic, reason = "the point of this plugin")]

use cygnixy_test_zoo::Parts;
use plugin_interface::export_plugin;

export_plugin!(Parts {
    name: || "panic_functions",
    functions: |_| panic!("no panic_functions"),
    ..Parts::default()
});
