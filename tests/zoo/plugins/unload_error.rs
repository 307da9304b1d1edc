//! Its `on_unload` returns an error: who unloads holds an error of the library's own type.
#![forbid(unsafe_code)]

use cygnixy_test_zoo::Parts;
use plugin_interface::export_plugin;

export_plugin!(Parts {
    name: || "unload_error",
    on_unload: || Err("the door is stuck".into()),
    ..Parts::default()
});
