#!/bin/sh
# Tarantool, with a LuaJIT of its own, which is linked into the program. The script is a fiber.
set -eu
abi=luajit
packages='tarantool'
. "$(dirname "$0")/../host.sh"

cat >"$work/main.lua" <<'EOF'
require "script" ()
os.exit(0)
EOF
check "it runs a script and ends" runs "$unpacked/usr/bin/tarantool" "$work/main.lua"
about "$(package_version tarantool)" "$(lua_of)"
check_script
check "its output is clean" is_clean "$log"
finish
