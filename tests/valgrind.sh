#!/bin/sh
# Runs tests/life.lua and a short tests/soak.lua in stock interpreters under valgrind:
# `valgrind.sh [ABI]...`. Any invalid access, or jump on uninitialised memory, from the first require
# to the end of the process fails. Leaks are looked for where fast functions end in all ways they can; of
# the rest the soak run finds what grows.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
. "$root/tests/abi.sh"
. "$root/tests/checks.sh"

# shellcheck disable=SC2086 # a list of names
[ $# -gt 0 ] || set -- $all_abis

# LuaJIT's generated code and its allocator at fixed addresses are beyond valgrind unless the
# compiler is off; its interpreter is clean.
run() {
    abi=$1
    shift
    options=''
    [ "$abi" != luajit ] || options=-joff
    # shellcheck disable=SC2086 # none or some
    valgrind --quiet --error-exitcode=99 ${leak_check:---leak-check=no} "$(interpreter "$abi")" $options "$@"
}

fast_functions() {
    leak_check='--leak-check=full --errors-for-leak-kinds=definite'
    status=0
    LUA_CPATH="$root/build/$1/?.so" run "$1" "$root/tests/fast_calls.lua" \
        "$root/build/$1/fixtures/fast.so" "$root/build/$1/fixtures/by_hand.so" "$root/build/$1/plugins/json.so" ||
        status=$?
    leak_check=
    return "$status"
}

closed() {
    run "$1" "$root/tests/life.lua" "$root/build/$1" 2
}

# `os.exit` leaves the state open in most Lua versions, as a signal does.
left_open() {
    run "$1" -e "assert(loadfile '$root/tests/life.lua')('$root/build/$1', 1) os.exit(0)"
}

# An error that nothing catches: the interpreter prints it and closes the state.
uncaught() {
    status=0
    run "$1" -e "assert(loadfile '$root/tests/life.lua')('$root/build/$1', 1) probe.fail()" \
        2>"$checks_work/uncaught" || status=$?
    expect "$checks_work/uncaught" "the probe failed: no signal" && [ "$status" -eq 1 ]
}

# The module and a plugin, first met inside a coroutine that is then collected.
in_coroutine() {
    run "$1" -e "
        coroutine.wrap(function()
            package.cpath = '$root/build/$1/?.so'
            cygnixy = require 'cygnixy'
            probe = cygnixy.load('$root/build/$1/probe.so')
            pcall(probe.fail)
        end)()
        for _ = 1, 5 do collectgarbage() end
        for _ = 1, 20 do
            assert(not pcall(probe.fail)) assert(not pcall(probe.panic)) assert(not pcall(cygnixy.load))
            collectgarbage()
        end
        cygnixy.unload 'probe'
        assert(not pcall(probe.fail))"
}

# Some cycles of load, call, fail and unload, and some reloads.
short_soak() {
    LUA_CPATH="$root/build/$1/?.so" run "$1" "$root/tests/soak.lua" 10 4 "$root/build/$1" "$checks_work"
}

if ! command -v valgrind >/dev/null; then
    skip "valgrind" "it is not installed"
    finish
fi
for abi in "$@"; do
    check_abi "$abi"
    [ "$abi" != lua55 ] || [ -x "$(interpreter lua55)" ] || build_host lua55 || continue
    # Only what is added by the module counts, so the interpreter has to be clean by itself.
    check "$abi: the interpreter alone is clean" run "$abi" -e "collectgarbage() pcall(error)"
    check "$abi: load, call, fail, panic, unload, load again, close" closed "$abi"
    check "$abi: the same, and the state is left open" left_open "$abi"
    check "$abi: the same, and an error that nothing catches" uncaught "$abi"
    check "$abi: ten cycles of three plugins, and four reloads" short_soak "$abi"
    check "$abi: fast functions, in all the ways that they can end, lose nothing" fast_functions "$abi"
    check "$abi: first met inside a coroutine that is collected" in_coroutine "$abi"
done
finish
