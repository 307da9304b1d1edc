#!/bin/sh
# Redis keeps its scripts from all modules: there is no way in, and this is what it says.
set -eu
abi=lua51
packages='redis-server'
. "$(dirname "$0")/../host.sh"

# script TEXT: what a script returns.
script() {
    in_packages "$unpacked/usr/bin/redis-cli" -h 127.0.0.1 -p "$port" eval "$1" 0 >"$said" 2>&1 || true
}

starts() {
    launch "$unpacked/usr/bin/redis-server" --bind 127.0.0.1 --port "$port" --save '' --dir "$work"
    for _ in $(seq 100); do
        script 'return _VERSION'
        ! grep -q '^Lua' "$said" || return 0
        sleep 0.1
    done
    cat "$log"
    return 1
}

# says SCRIPT TEXT
says() {
    script "$1"
    expect "$said" "$2"
}

check "it answers" starts
about "$(package_version redis-server)" "$(cat "$said")"
check "require is not there" says 'return require "cygnixy"' "nonexistent global variable 'require'"
check "neither is package" says 'return package.loadlib' "nonexistent global variable 'package'"
check "it ends" stop TERM
check "its log is clean" is_clean "$log"
finish
