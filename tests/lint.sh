#!/bin/sh
# Formatting and lints of Rust and Lua. mlua's features `module` and `vendored` exclude each
# other, so the module's side and the hosts' side are checked by commands of their own.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
. "$root/tests/abi.sh"
cd "$root"

abi=${ABI:-lua54}

# clippy DIRECTORY ARGS...: each side has its own target directory, as builds have.
clippy() {
    directory=$1
    shift
    cargo clippy --target-dir "$(target_dir "$directory")" "$@" -- -D warnings
}

# The packages of one folder each, named like it.
examples=''
for manifest in plugin_api/examples/*/Cargo.toml; do
    examples="$examples -p $(basename "$(dirname "$manifest")")"
done

cargo fmt --all --check

# The Lua module, and everything that is loaded into a Lua.
clippy "lint-module" -p cygnixy --no-default-features --features "module,$abi"
# shellcheck disable=SC2086 # a list of options
clippy "lint-module" $examples --features "$abi"
clippy "lint-module" -p cygnixy-test-fixtures -p cygnixy-test-zoo --examples --features "$abi"
clippy "lint-module" -p bench_plain -p bench_plugin -p bench_minimal -p bench_0000 \
    -p cygnixy-host-probe -p cygnixy-host-seed-plugin --features "$abi"

# Programs that carry their own Lua, and the two libraries as such programs see them.
clippy "lint-vendored" -p cygnixy -p cygnixy-plugin-api --all-targets --no-default-features \
    --features "cygnixy/$abi,cygnixy/vendored"
clippy "lint-vendored" -p cygnixy-host-lua -p cygnixy-host-embed -p cygnixy-host-seed --all-targets \
    --features "$abi"

# Links in the documentation.
RUSTDOCFLAGS="-D warnings" cargo doc --quiet --no-deps --target-dir "$(target_dir lint-vendored)" \
    -p cygnixy -p cygnixy-plugin-api --no-default-features --features "cygnixy/$abi,cygnixy/vendored"

luacheck --quiet lua bin/cygnixy docs tests rockspec plugin_api
