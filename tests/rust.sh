#!/bin/bash
# Every test that is not busted's: `rust.sh [ABI]...`, all ABIs if none is named. Runs all of them
# whatever fails. Each part ends in a line `test result: ...` for tests/run.sh to count.
set -u
root=$(cd "$(dirname "$0")/.." && pwd)
. "$root/tests/abi.sh"
cd "$root" || exit 1

# shellcheck disable=SC2086 # a list of names
[ $# -gt 0 ] || set -- $all_abis
for abi in "$@"; do check_abi "$abi"; done

# Panics are part of the tests; their backtraces would only make the report longer.
export RUST_BACKTRACE=0
report=$(mktemp)
trap 'rm -f "$report"' EXIT
failures=0

# part NAME COMMAND...: runs it. One that fails without a failed test counts as one.
part() {
    local name=$1 start=$SECONDS status=0
    shift
    "$@" >"$report" 2>&1 || status=$?
    say "-- $name ($((SECONDS - start)) s)"
    # What passed is only counted; what else was said is shown.
    grep -vE '^([.]*|ok: .*| +(Compiling|Downloaded|Downloading|Finished|Updating|Locking) .*)$' "$report"
    [ "$status" -eq 0 ] && return
    failures=$((failures + 1))
    grep -q '^test result: FAILED' "$report" ||
        echo "test result: FAILED. 0 passed; 1 failed; $name: exit status $status"
}

# What the parts below load: the module, the plugins, the fixtures and the probe. Most of it is
# there already when tests/run.sh calls.
build() {
    quickly_but_one "$1" sh tests/build.sh "$1" module plugins fixtures zoo &&
        (. "$root/tests/checks.sh" && build_probe "$1")
}

# Programs that bring their own Lua: the unit tests, and host_embed. The documentation's examples
# are the same for each ABI.
cargo_tests() {
    local abi=$1
    shift
    cargo test --quiet --no-fail-fast --target-dir "$(target_dir "$abi")" --no-default-features \
        -p cygnixy-plugin-api -p cygnixy -p cygnixy-host-embed --features "$abi,vendored" "$@"
}

with_send() {
    cargo test --quiet --no-fail-fast --target-dir "$(target_dir lua54)" \
        -p cygnixy-host-embed --features lua54,send
}

# A plugin that is built for one Lua is offered to all others, so all are built first.
# shellcheck disable=SC2086 # a list of names
for abi in $all_abis; do
    part "$abi: build" build "$abi"
done
for abi in "$@"; do
    case $abi in
    lua54)
        part "$abi: cargo test, documentation included" cargo_tests "$abi"
        part "$abi: cargo test of host_lua" cargo test --quiet --target-dir "$(target_dir "$abi")" \
            -p cygnixy-host-lua --features "$abi"
        part "$abi: cargo test with mlua's feature send" with_send
        ;;
    *) part "$abi: cargo test" cargo_tests "$abi" --lib --tests ;;
    esac
done
part "seed" sh tests/seed.sh "$@"
part "symbols" sh tests/symbols.sh "$@"
part "compile" sh tests/compile.sh
part "compilers" sh tests/compilers.sh
part "lupa" sh tests/lupa.sh
part "process" sh tests/process.sh "$@"
part "valgrind" sh tests/valgrind.sh "$@"
[ -x build/rocks/lua54/bin/cygnixy ] || part "lua54: rock" sh tests/rock.sh lua54
part "new" sh tests/new.sh
part "types" sh tests/types.sh
part "guide" sh tests/guide.sh

[ "$failures" -eq 0 ]
