#!/bin/sh
# The comparison of call costs, for each ABI: `bench.sh [ABI]...`, all with a Debian package if
# none is named. Results go to build/bench.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
. "$root/tests/abi.sh"

[ $# -gt 0 ] || set -- lua51 luajit lua52 lua53 lua54
for abi in "$@"; do check_abi "$abi"; done

# include_dir ABI: where Debian has the headers for the C module.
include_dir() {
    case $1 in
    luajit) echo /usr/include/luajit-2.1 ;;
    lua55) die "there are no headers for Lua 5.5 to build the C module with" ;;
    *) echo "/usr/include/lua$(lua_version "$1")" ;;
    esac
}

for abi in "$@"; do
    include=$(include_dir "$abi")
    out=$root/build/$abi
    sh "$root/tests/build.sh" "$abi" module
    cargo_for "$abi" -p bench_plain -p bench_plugin --features "$abi"
    mkdir -p "$out/bench" "$root/build/bench"
    copy_library "$(release_dir "$abi")" bench_plain "$out/bench/bench_plain.so"
    copy_library "$(release_dir "$abi")" bench_plugin "$out/bench/bench_plugin.so"
    cc -O2 -shared -fPIC -I"$include" -o "$out/bench/bench_native.so" "$root/tests/bench/native.c"
    LUA_PATH="$root/tests/bench/?.lua" LUA_CPATH="$out/?.so;$out/bench/?.so" \
        "$(interpreter "$abi")" "$root/tests/bench/run.lua" \
        "$abi" "$out/bench/bench_plugin.so" "$root/build/bench/$abi"
done
