#!/bin/sh
# Builds and runs programs of the shape of the seed's two examples: `seed.sh [ABI]...`.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
. "$root/tests/abi.sh"
. "$root/tests/checks.sh"

# shellcheck disable=SC2086 # a list of names
[ $# -gt 0 ] || set -- $all_abis

# The plugin is built as plugins are, the host as the programs are that bring their own Lua.
build() {
    cargo_for "$1" --quiet -p cygnixy-host-seed-plugin --features "$1" &&
        (cd "$root" && cargo build --quiet --target-dir "$(target_dir "$1")" \
            -p cygnixy-host-seed --features "$1")
}

run() {
    "$host" "$plugin" >"$checks_work/seed" || return
    head -n 3 "$checks_work/seed" >"$checks_work/first"
    printf 'MyPlugin loaded!\nHello, Lua!\nMyPlugin unloaded!\n' | diff - "$checks_work/first" || return
    expect "$checks_work/seed" "plugin 'my_plugin' has been unloaded"
}

# A program that exports nothing was linked without a flag that would make it.
exports_no_lua() {
    ! nm -D --defined-only "$host" | grep -E ' _?lua'
}

for abi in "$@"; do
    check_abi "$abi"
    host=$(target_dir "$abi")/debug/seed-host
    plugin=$(release_dir "$abi")/libmy_plugin.so
    check "$abi: the seed's plugin and host compile" build "$abi"
    check "$abi: the seed's host loads, calls and unloads the seed's plugin" run
    check "$abi: the seed's host exports no Lua symbol" exports_no_lua
done
finish
