#!/bin/sh
# The benchmark: `bench.sh [ABI]...`, all if none is named. Results go to build/bench.
#
#   BENCH_REPETITIONS=31   how often each call is measured; fewer is faster and less exact
#   BENCH_PLUGINS=1000     how many different plugins are loaded into one state
#   BENCH_HEAP=10000000    the largest heap, in objects, in which a plugin is unloaded
#   PUBLISH=1              copies the plots, the tables and the figures to docs/bench
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
. "$root/tests/abi.sh"

# shellcheck disable=SC2086 # a list of names
[ $# -gt 0 ] || set -- $all_abis
for abi in "$@"; do check_abi "$abi"; done

results=$root/build/bench
: "${BENCH_REPETITIONS:=31}" "${BENCH_PLUGINS:=1000}"
export BENCH_REPETITIONS
# Backtraces would cost on the rows with errors; the rest would change what is measured.
export RUST_BACKTRACE=0
unset RUST_LOG CYGNIXY_LOG CYGNIXY_PATH CYGNIXY_IN_PLACE LUA_INIT LUA_PATH LUA_CPATH

. "$root/tests/bench/build.sh"
. "$root/tests/bench/measure.sh"

mkdir -p "$results/raw"
rm -f "$results"/*.svg "$results"/*.json "$results"/*.txt
facts >"$results/raw/machine.tsv"
measured=
for abi in "$@"; do
    if ! include=$(include_dir "$abi"); then
        fact "left out" "$abi: no headers, as cargo has not fetched its sources" | tee -a "$results/raw/machine.tsv" >&2
        continue
    fi
    build_bench "$abi" "$include"
    say "measuring $abi"
    measure "$abi" >"$results/raw/$abi.tsv"
    measured="$measured $abi"
done

# shellcheck disable=SC2086 # a list of names
(cd "$root/tests/bench/report" && LUA_PATH="./?.lua;;" lua5.4 main.lua "$results" $measured)
if [ "${PUBLISH:-}" = 1 ]; then
    rm -rf "$root/docs/bench"
    mkdir -p "$root/docs/bench"
    cp "$results"/*.svg "$results/bench.json" "$results/bench.txt" "$root/docs/bench/"
    say "published in docs/bench"
else
    say "PUBLISH=1 make bench measures again and copies plots, tables and figures to docs/bench"
fi
