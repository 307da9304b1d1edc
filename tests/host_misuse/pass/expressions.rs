//! A call, with a trailing comma. Struct expressions and unit structs are in the other crates.
#![forbid(unsafe_code)]

struct Plugin {
    _limit: u32,
}

impl Plugin {
    fn new(limit: u32) -> Self {
        Self { _limit: limit }
    }
}

cygnixy_host_misuse::plugin!(Plugin);

renamed::export_plugin!(Plugin::new({
    let half = 21;
    half * 2
}),);
