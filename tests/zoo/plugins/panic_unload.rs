//! Its `on_unload` panics: it may not have released what it held.
#![forbid(unsafe_code)]
#![expect(clippy::panic, reason = "the point of this plugin")]

use cygnixy_test_zoo::Parts;
use plugin_interface::export_plugin;

export_plugin!(Parts {
    name: || "panic_unload",
    on_unload: || panic!("no panic_unload"),
    ..Parts::default()
});
