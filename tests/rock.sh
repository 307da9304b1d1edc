#!/bin/sh
# Installs the rock from this checkout with LuaRocks into build/rocks/ABI: `rock.sh ABI`.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
. "$root/tests/abi.sh"

abi=${1:-}
check_abi "$abi"
version=$(lua_version "$abi")
tree=$root/build/rocks/$abi
prefix=$root/build/prefix/$abi

# LuaRocks finds an interpreter through a prefix that has bin/luaX.Y and include/lua.h. One of
# our own makes it use exactly the interpreter under test, 5.5 and LuaJIT included, wherever it
# is. The header is only looked at for its version number: the rock compiles no C.
make_prefix() {
    program=$(command -v "$(interpreter "$abi")") || die "$(interpreter "$abi") not found; run tests/setup.sh"
    rm -rf "$prefix"
    mkdir -p "$prefix/bin" "$prefix/include"
    ln -s "$program" "$prefix/bin/lua$version"
    echo "#define LUA_VERSION_NUM 50${version#5.}" >"$prefix/include/lua.h"
}

[ "$abi" != lua55 ] || build_host lua55
make_prefix
rm -rf "$tree"
mkdir -p "$tree"
cd "$root"
# The caller's own LuaRocks settings and Lua paths have no say in a test.
unset LUA_INIT LUA_PATH LUA_CPATH
LUAROCKS_CONFIG=$prefix/config.lua
export LUAROCKS_CONFIG
: >"$LUAROCKS_CONFIG"
# Only this tree: its paths are what LuaRocks writes into the command that it installs.
luarocks --lua-version="$version" --lua-dir="$prefix" --tree="$tree" \
    make --deps-mode=one rockspec/cygnixy-0.1.0-1.rockspec
[ -f "$tree/lib/lua/$version/cygnixy.so" ] || die "LuaRocks installed no lib/lua/$version/cygnixy.so"
