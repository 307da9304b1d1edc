#!/bin/sh
# What a stock interpreter does as a process: `process.sh [ABI]...`. How it ends, and what it
# prints of an error that nothing catches.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
. "$root/tests/abi.sh"
. "$root/tests/checks.sh"

# shellcheck disable=SC2086 # a list of names
[ $# -gt 0 ] || set -- $all_abis

# lua ABI CODE: runs it after life.lua, in an interpreter that knows nothing else.
lua() {
    env -i PATH="$PATH" HOME="$checks_work" "$(interpreter "$1")" \
        -e "assert(loadfile '$root/tests/life.lua')('$root/build/$1', 2)" -e "$2"
}

# The interpreter's own message handler prints strings alone; lua5.1's would print
# "(error object is a userdata value)" of anything else.
uncaught() {
    status=0
    lua "$1" "probe.$2" >"$checks_work/out" 2>"$checks_work/err" || status=$?
    expect "$checks_work/err" "(command line):1: $3" || return
    if grep -F 'userdata' "$checks_work/err"; then return 1; fi
    [ "$status" -eq 1 ]
}

# `os.exit` of Lua 5.1 and LuaJIT knows no second argument; with it the others close the state.
exits() {
    status=0
    lua "$1" "io.stdout:write('said') os.exit($2)" >"$checks_work/out" 2>"$checks_work/err" || status=$?
    expect "$checks_work/out" said || return
    if [ -s "$checks_work/err" ]; then
        cat "$checks_work/err"
        return 1
    fi
    [ "$status" -eq 7 ]
}

# on_unload runs once when the state is closed, and not when it is left open.
ends() {
    log=$checks_work/end
    : >"$log"
    lua "$1" "probe.log_to('$log') $2" || return
    printf '%s' "$3" | diff - "$log"
}

# Everything the loader or a plugin opened is closed on exec, so a child program gets nothing.
leaks_no_file() {
    lua "$1" "os.execute('ls -l /proc/self/fd')" >"$checks_work/fds" || return
    if grep -F "$root/build" "$checks_work/fds"; then return 1; fi
}

both='on_unload
drop
'
for abi in "$@"; do
    check_abi "$abi"
    [ "$abi" != lua55 ] || [ -x "$(interpreter lua55)" ] || build_host lua55 || continue
    check "$abi: an uncaught error prints its message" uncaught "$abi" "fail()" "the probe failed: no signal"
    check "$abi: an uncaught panic prints its message" uncaught "$abi" "panic('no luck')" "the function panicked: no luck"
    check "$abi: os.exit with the state open" exits "$abi" 7
    check "$abi: os.exit with the state closed" exits "$abi" "7, true"
    check "$abi: on_unload runs once at the end of the script" ends "$abi" "" "$both"
    check "$abi: on_unload runs once for an unload and the end" ends "$abi" "cygnixy.unload(probe)" "$both"
    check "$abi: on_unload does not run if the state is left open" ends "$abi" "os.exit(0)" ""
    check "$abi: a second require starts no second world" ends "$abi" \
        "package.loaded.cygnixy = nil assert(require 'cygnixy' == cygnixy)" "$both"
    check "$abi: a child program gets no open file" leaks_no_file "$abi"
done
finish
