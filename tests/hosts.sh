#!/bin/sh
# The installed rock in programs that embed Lua, from their Debian packages: `hosts.sh [HOST]...`, all
# folders of tests/hosts if none is named. The packages are unpacked into build/hosts and not installed.
# Prints a line for each host, and at the end `N passed, N failed, N skipped` alone on a line.
#
# A host is a folder with a script check.sh, which is independent of the others. A host that the distribution
# does not have is skipped, which is a failure: whoever wants to do without it names the others. One that cannot
# be unpacked or prepared has failed.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
. "$root/tests/abi.sh"

hosts=$root/tests/hosts
reports=$root/build/hosts/reports
# No check takes half of this.
seconds=300

if [ $# -eq 0 ]; then
    for check in "$hosts"/*/check.sh; do
        set -- "$@" "$(basename "$(dirname "$check")")"
    done
fi
for host in "$@"; do
    [ -f "$hosts/$host/check.sh" ] || die "no host '$host' in tests/hosts"
done

rm -rf "$reports"
mkdir -p "$reports"
passed=0
failed=0
skipped=0
summary=''
session=''

# setting HOST NAME: what its check.sh says on a line `NAME=VALUE`.
setting() { sed -n "s/^$2='\{0,1\}\([^']*\)'\{0,1\}\$/\1/p" "$hosts/$1/check.sh"; }

# processes_of SESSION: the processes of a session, but for ended ones.
processes_of() {
    for stat in /proc/[0-9]*/stat; do
        # What follows the name in brackets: state, parent, group, session.
        sed -n "s/^\([0-9]*\) (.*) \([^Z]\) [0-9]* [0-9]* $1 .*/\1/p" "$stat" 2>/dev/null || true
    done
}

end_session() {
    [ -z "$session" ] || for pid in $(processes_of "$session"); do
        kill -s KILL "$pid" 2>/dev/null || true
    done
}
trap end_session EXIT
trap 'exit 130' INT TERM

# run HOST: its check, in a session of its own, so that all that it starts can be found and ended.
run() {
    rm -f "$reports/session"
    setsid --wait sh -c 'echo $$ >"$1"; exec timeout --foreground -k 10 "$2" sh "$3"' \
        sh "$reports/session" "$seconds" "$hosts/$1/check.sh" &
    checking=$!
    while [ ! -s "$reports/session" ]; do sleep 0.1; done
    session=$(cat "$reports/session")
    run_status=0
    wait "$checking" || run_status=$?
    left=$(processes_of "$session")
    if [ -n "$left" ]; then
        for pid in $left; do
            echo "left behind: $(tr '\0' ' ' <"/proc/$pid/cmdline" 2>/dev/null)"
        done
        end_session
        run_status=1
    fi
    session=''
    return "$run_status"
}

# count REPORT KIND: of the line `test result: ok. 3 passed; 0 failed; …`.
count() {
    awk -v kind="$2" '/^test result:/ { for (i = 2; i <= NF; i++) if ($i ~ kind) n += $(i - 1) } END { print n + 0 }' "$1"
}

for host in "$@"; do
    abi=$(setting "$host" abi)
    [ -z "$abi" ] || [ -e "$reports/$abi-build.txt" ] && continue
    say "== $abi: the rock and the plugins"
    sh "$hosts/plugins.sh" "$abi" >"$reports/$abi-build.txt" 2>&1 || {
        tail -n 20 "$reports/$abi-build.txt" >&2
        echo "does not build" >"$reports/$abi-build.failed"
    }
done

for host in "$@"; do
    say "== $host"
    abi=$(setting "$host" abi)
    report=$reports/$host.txt
    : >"$report"
    status=0
    note=''
    # shellcheck disable=SC2046 # a list of names
    sh "$hosts/unpack.sh" "$root/build/hosts/$host" $(setting "$host" packages) >"$report" 2>&1 || status=$?
    if [ "$status" -eq 3 ]; then
        reason=$(tail -n 1 "$report")
        skipped=$((skipped + 1))
        echo "SKIPPED: $host: $reason"
        summary="${summary}SKIPPED: $host: $reason
"
        continue
    elif [ "$status" -ne 0 ]; then
        cat "$report"
        echo "FAILED: $host: its packages cannot be unpacked"
        note=' (its packages cannot be unpacked)'
    elif [ -e "$reports/$abi-build.failed" ]; then
        status=1
        note=" ($abi does not build)"
    else
        { run "$host" 2>&1 || echo "exit status $?" >"$report.status"; } | tee "$report"
        if [ -e "$report.status" ]; then
            status=1
            note=" ($(cat "$report.status"))"
        fi
    fi
    good=$(count "$report" '^passed')
    bad=$(count "$report" '^failed')
    # A check that ended early, or checked nothing, has failed.
    if [ "$bad" -eq 0 ] && { [ "$status" -ne 0 ] || [ "$good" -eq 0 ]; }; then
        bad=1
    fi
    [ "$bad" -gt 0 ] || note=''
    passed=$((passed + good))
    failed=$((failed + bad))
    about=$(sed -n 's/^host: //p' "$report")
    summary="$summary${about:-$host}: $good ok, $bad not ok$note
"
done

printf '\n%s\n%s passed, %s failed, %s skipped\n' "$summary" "$passed" "$failed" "$skipped"
[ "$failed" -eq 0 ] && [ "$skipped" -eq 0 ] && [ "$passed" -gt 0 ]
