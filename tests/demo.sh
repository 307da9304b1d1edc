#!/bin/sh
# Runs the log scanner of plugin_api/examples on a Lua that this machine has; where it has
# none, on our own small interpreter.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
. "$root/tests/abi.sh"

# The ABI of whatever `lua` is here, or nothing.
plain_lua_abi() {
    plain=$(lua -e 'print(jit and "luajit" or "lua" .. _VERSION:gsub("[^%d]", ""))' 2>/dev/null) || return 0
    case " $all_abis " in *" $plain "*) echo "$plain" ;; esac
}

abi=''
for program in lua5.4 luajit lua5.3 lua5.1 lua5.2 lua; do
    command -v "$program" >/dev/null || continue
    case $program in
    luajit) abi=luajit ;;
    lua) abi=$(plain_lua_abi) ;;
    *) abi=lua5${program#lua5.} ;;
    esac
    [ -z "$abi" ] || break
done
if [ -z "$abi" ]; then
    abi=lua54
    program=$(release_dir "$abi")/lua-host
    say "This machine has no Lua: building one."
    build_host "$abi"
fi

sh "$root/tests/build.sh" "$abi" module plugins
cd "$root"
LUA_CPATH="build/$abi/?.so" "$program" plugin_api/examples/logscan/demo.lua "build/$abi/plugins"
