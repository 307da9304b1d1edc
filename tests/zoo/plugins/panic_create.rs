//! The expression that makes it panics: it ends before it began.
#![forbid(unsafe_code)]
#![expect(clippy::panic, reason = "the point of this plugin")]

use cygnixy_test_zoo::{Parts, silence_panics};
use plugin_interface::export_plugin;

fn construct() -> Parts {
    silence_panics();
    panic!("no panic_create");
}

export_plugin!(construct());
