#!/bin/sh
# Every test: `run.sh [ABI]...`, all ABIs if none is named. For each: the rock is installed, and
# the plugins and fixtures are built; then, as some specs load plugins of other ABIs, the specs
# run against the rocks. Then the Rust tests.
# Prints a line for each ABI, and at the end `N passed, N failed` alone on a line.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
. "$root/tests/abi.sh"

# shellcheck disable=SC2086 # a list of names
[ $# -gt 0 ] || set -- $all_abis
for abi in "$@"; do check_abi "$abi"; done

reports=$root/build/reports
rm -rf "$reports"
mkdir -p "$reports"
passed=0
failed=0
summary=''

# logged REPORT COMMAND...: runs it, output to the terminal and to the file; keeps its status.
logged() {
    report=$1
    shift
    { "$@" 2>&1 || echo "exit status $?" >"$report.status"; } | tee "$report"
    [ ! -e "$report.status" ]
}

# tally NAME REPORT STATUS PASSED FAILED: adds up. A run that failed without saying how often,
# as after a crash, counts as one failure, and so does one that ran no test.
tally() {
    ok=$4
    bad=$5
    note=''
    if [ "$3" -ne 0 ] && [ "$bad" -eq 0 ]; then
        bad=1
        note=" ($(cat "$2.status" 2>/dev/null || echo "did not build"))"
    elif [ "$((ok + bad))" -eq 0 ]; then
        bad=1
        note=' (ran no test)'
    fi
    passed=$((passed + ok))
    failed=$((failed + bad))
    summary="$summary$1: $ok ok, $bad not ok$note
"
}

# busted's last line: "3 successes / 0 failures / 0 errors / 0 pending : 0.01 seconds".
busted_count() {
    sed -n 's/\x1b\[[0-9;]*m//g; /success.*failure.*error.*pending/p' "$1" |
        awk -v kind="$2" '{ for (i = 2; i <= NF; i++) if ($i ~ kind) n += $(i - 1) } END { print n + 0 }'
}

# cargo's lines: "test result: ok. 3 passed; 0 failed; ...".
cargo_count() {
    awk -v kind="$2" '/^test result:/ { for (i = 2; i <= NF; i++) if ($i ~ kind) n += $(i - 1) } END { print n + 0 }' "$1"
}

prepare() {
    sh "$root/tests/rock.sh" "$1" && quickly_but_one "$1" sh "$root/tests/build.sh" "$1" plugins fixtures zoo
}

for abi in "$@"; do
    say "== $abi: build"
    logged "$reports/$abi-build.txt" prepare "$abi" || say "$abi: did not build"
done

# Some specs load plugins for other Luas than their own.
for abi in $all_abis; do
    [ -e "$reports/$abi-build.txt" ] && continue
    say "== $abi: plugins, for the specs of others"
    quickly_but_one "$abi" sh "$root/tests/build.sh" "$abi" plugins
done

for abi in "$@"; do
    say "== $abi: specs"
    report=$reports/$abi.txt
    status=0
    if [ ! -e "$reports/$abi-build.txt.status" ]; then
        logged "$report" sh "$root/tests/busted.sh" "$abi" || status=1
    else
        status=1
        : >"$report"
    fi
    tally "$abi" "$report" "$status" "$(busted_count "$report" '^success')" \
        "$(busted_count "$report" '^(failure|error)')"
done

say "== rust"
status=0
logged "$reports/rust.txt" bash "$root/tests/rust.sh" || status=1
tally rust "$reports/rust.txt" "$status" "$(cargo_count "$reports/rust.txt" '^passed')" \
    "$(cargo_count "$reports/rust.txt" '^failed')"

printf '\n%s\n%s passed, %s failed\n' "$summary" "$passed" "$failed"
[ "$failed" -eq 0 ]
