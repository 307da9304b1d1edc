#!/bin/sh
# The long run, for each ABI: `soak.sh [ABI]...`, all if none is named. CYCLES sets its length.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
. "$root/tests/abi.sh"

# shellcheck disable=SC2086 # a list of names
[ $# -gt 0 ] || set -- $all_abis
for abi in "$@"; do check_abi "$abi"; done

for abi in "$@"; do
    sh "$root/tests/build.sh" "$abi" module plugins
    interpreter=$(interpreter "$abi")
    case $abi in
    lua55) build_host "$abi" ;;
    esac
    plugins=$root/build/$abi/plugins
    say "== $abi: ${CYCLES:-10000} cycles of $interpreter"
    LUA_CPATH="$root/build/$abi/?.so" "$interpreter" "$root/tests/soak.lua" \
        "${CYCLES:-10000}" "$plugins/greet.so" "$plugins/logscan.so"
done
