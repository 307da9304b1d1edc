#!/bin/sh
# Builds what the hosts load into build/hosts/plugins/ABI: `plugins.sh ABI`.
#
#   greet.so      the example
#   second.so     the example, rebuilt with another answer and version
#   misbehave.so  a fixture: its function `panic_str` panics
#   other.so      the example for another Lua
#
# And the rock, into build/rocks/ABI.
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
. "$root/tests/abi.sh"

abi=${1:-}
check_abi "$abi"
other=lua54
[ "$abi" != lua54 ] || other=lua53
out=$root/build/hosts/plugins/$abi
second=$root/build/hosts/second

# The example's source with another answer, in a package of its own, as an author would have it.
write_second() {
    rm -rf "$second"
    mkdir -p "$second/src"
    sed 's/Hello, /Welcome, /' "$root/plugin_api/examples/greet/src/lib.rs" >"$second/src/lib.rs"
    cp "$root/Cargo.lock" "$second"
    cat >"$second/Cargo.toml" <<EOF
[package]
name = "greet"
version = "0.2.0"
edition = "2024"

[lib]
crate-type = ["cdylib"]

[features]
lua51 = ["cygnixy-plugin-api/lua51"]
luajit = ["cygnixy-plugin-api/luajit"]
lua52 = ["cygnixy-plugin-api/lua52"]
lua53 = ["cygnixy-plugin-api/lua53"]
lua54 = ["cygnixy-plugin-api/lua54"]
lua55 = ["cygnixy-plugin-api/lua55"]

[dependencies]
cygnixy-plugin-api = { path = "$root/plugin_api", default-features = false, features = ["module"] }

[workspace]
EOF
}

build_second() {
    (cd "$second" && cargo build --release --target-dir "$root/build/hosts/target/$abi" --features "$abi")
}

sh "$root/tests/rock.sh" "$abi"
cargo_for "$abi" -p greet --features "$abi"
cargo_for "$other" -p greet --features "$other"
cargo_for "$abi" -p cygnixy-test-fixtures --example misbehave --features "$abi"
write_second
build_second
mkdir -p "$out"
copy_library "$(release_dir "$abi")" greet "$out/greet.so"
copy_library "$root/build/hosts/target/$abi/release" greet "$out/second.so"
copy_library "$(release_dir "$abi")/examples" misbehave "$out/misbehave.so"
copy_library "$(release_dir "$other")" greet "$out/other.so"
