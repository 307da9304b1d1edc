# Checks that are neither busted's nor cargo's, for the scripts beside this file to source after
# abi.sh. Each prints a line, and `finish` prints one in cargo's words, which tests/run.sh counts.

checks_passed=0
checks_failed=0
checks_work=$(mktemp -d)
trap 'rm -rf "$checks_work"' EXIT

# check NAME COMMAND...: passes if the command succeeds; its output is shown if it does not.
check() {
    check_name=$1
    shift
    if "$@" >"$checks_work/output" 2>&1; then
        checks_passed=$((checks_passed + 1))
        echo "ok: $check_name"
    else
        check_status=$?
        checks_failed=$((checks_failed + 1))
        echo "FAILED: $check_name (exit status $check_status)"
        tail -n 20 "$checks_work/output" | sed 's/^/    /'
    fi
}

# skip NAME REASON: says that a check was left out.
skip() {
    echo "SKIPPED: $1: $2"
}

# expect FILE TEXT...: succeeds if the file has each text in it; says which it lacks.
expect() {
    expect_file=$1
    expect_status=0
    shift
    for text in "$@"; do
        if ! grep -qF -e "$text" "$expect_file"; then
            echo "expected, and not found: $text"
            expect_status=1
        fi
    done
    [ "$expect_status" -eq 0 ] || sed 's/^/found: /' "$expect_file"
    return "$expect_status"
}

# finish: prints the count, under $checks_name or the name of the script, and ends the script.
finish() {
    word=ok
    [ "$checks_failed" -eq 0 ] || word=FAILED
    echo "test result: $word. $checks_passed passed; $checks_failed failed; ${checks_name:-$(basename "$0" .sh)}"
    [ "$checks_failed" -eq 0 ]
    exit
}

# build_probe ABI: the plugin of tests/host_probe, into build/ABI/probe.so.
build_probe() {
    cargo_for "$1" --quiet -p cygnixy-host-probe --features "$1" &&
        mkdir -p "$root/build/$1" &&
        copy_library "$(release_dir "$1")" probe "$root/build/$1/probe.so"
}
