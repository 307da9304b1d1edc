//! Its `name` panics: it ends without having had a name.
#![forbid(unsafe_code)]
#![expect(clippy::panic, reason = "the point of this plugin")]

use cygnixy_test_zoo::Parts;
use plugin_interface::export_plugin;

export_plugin!(Parts {
    name: || panic!("no panic_name"),
    ..Parts::default()
});
