#!/bin/sh
# texlua, the Lua 5.3 of LuaTeX, which is linked into the program.
set -eu
abi=lua53
packages='texlive-binaries'
. "$(dirname "$0")/../host.sh"

echo 'require "script" ()' >"$work/main.lua"
check "it runs a script and ends" runs "$unpacked/usr/bin/texlua" "$work/main.lua"
about "$(package_version texlive-binaries)" "$(lua_of)"
check_script
check "its output is clean" is_clean "$log"
finish
