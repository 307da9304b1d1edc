//! Decides where the module binds its own Lua API, as `plugin_api` does for plugins.

use std::env;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rustc-check-cfg=cfg(bound_lua_api)");
    let is = |name: &str, choices: &[&str]| {
        env::var(name).is_ok_and(|value| choices.contains(&value.as_str()))
    };
    if is("CARGO_CFG_TARGET_OS", &["linux"])
        && is("CARGO_CFG_TARGET_ARCH", &["x86_64", "aarch64"])
        && is("CARGO_CFG_TARGET_POINTER_WIDTH", &["64"])
    {
        println!("cargo::rustc-cfg=bound_lua_api");
    }
}
