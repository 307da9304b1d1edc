//! No prelude, no unsafe code, no missing documentation, and names that stand in the way.
#![no_implicit_prelude]
#![forbid(unsafe_code)]
#![deny(missing_docs, unused, unreachable_pub)]

struct Plugin;

::cygnixy_host_misuse::plugin!(Plugin);

#[allow(dead_code, non_camel_case_types)]
mod shadows {
    pub(crate) struct str;
    pub(crate) struct u8;
    pub(crate) struct Box;
    pub(crate) enum Result {}
}
#[allow(unused_imports)]
use shadows::*;

#[allow(dead_code)]
fn construct() {}

::renamed::export_plugin!(Plugin);
