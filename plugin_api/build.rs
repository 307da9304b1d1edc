//! Checks the choice of a Lua ABI and records facts of the build for the plugin's manifest.

use std::env;
use std::process::Command;

const ABIS: [&str; 6] = ["lua51", "luajit", "lua52", "lua53", "lua54", "lua55"];

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    check_abi();
    record("CYGNIXY_RUSTC", &rustc_version());
    record("CYGNIXY_TARGET", &env::var("TARGET").unwrap_or_default());

    // The one place that decides where plugins get their Lua API from the loader.
    println!("cargo::rustc-check-cfg=cfg(bound_lua_api)");
    let is = |name: &str, choices: &[&str]| {
        env::var(name).is_ok_and(|value| choices.contains(&value.as_str()))
    };
    if env::var_os("CARGO_FEATURE_MODULE").is_some()
        && is("CARGO_CFG_TARGET_OS", &["linux"])
        && is("CARGO_CFG_TARGET_ARCH", &["x86_64", "aarch64"])
        && is("CARGO_CFG_TARGET_POINTER_WIDTH", &["64"])
    {
        println!("cargo::rustc-cfg=bound_lua_api");
    }
}

fn check_abi() {
    let chosen: Vec<&str> = ABIS
        .into_iter()
        .filter(|abi| env::var_os(format!("CARGO_FEATURE_{}", abi.to_uppercase())).is_some())
        .collect();
    let choices = ABIS.join(", ");
    match chosen.as_slice() {
        [_] => {}
        [] => println!(
            "cargo::error=no Lua ABI is chosen: enable exactly one of the features {choices}"
        ),
        several => println!(
            "cargo::error=more than one Lua ABI is chosen ({}): enable exactly one of the features {choices}",
            several.join(", ")
        ),
    }
}

fn record(name: &str, value: &str) {
    println!("cargo::rustc-env={name}={value}");
}

fn rustc_version() -> String {
    let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    Command::new(rustc)
        .arg("--version")
        .output()
        .ok()
        .and_then(|output| String::from_utf8(output.stdout).ok())
        .map_or_else(|| "unknown".to_owned(), |version| version.trim().to_owned())
}
