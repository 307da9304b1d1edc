//! Its `on_load` panics: it ends without having been loaded.
#![forbid(unsafe_code)]
#![expect(clippy::panic, reason = "the point of this plugin")]

use cygnixy_test_zoo::Parts;
use plugin_interface::export_plugin;

export_plugin!(Parts {
    name: || "panic_load",
    on_load: || panic!("no panic_load"),
    ..Parts::default()
});
