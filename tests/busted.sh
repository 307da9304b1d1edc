#!/bin/sh
# Runs busted for one ABI against the installed rock: `busted.sh ABI [busted's arguments]`, all of
# tests/spec and the example plugins' own specs if no argument is given. CYGNIXY_TEST_WRAPPER is a program that runs the scripts
# which specs run in processes of their own, in place of the interpreter. Needs `tests/rock.sh ABI` before it, and for the
# specs that load plugins `tests/build.sh ABI plugins fixtures zoo`.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
. "$root/tests/abi.sh"

abi=${1:-}
check_abi "$abi"
shift
version=$(lua_version "$abi")
tree=$root/build/rocks/$abi
[ -f "$tree/lib/lua/$version/cygnixy.so" ] || die "no rock in $tree; run tests/rock.sh $abi"

unset LUA_INIT LUA_PATH LUA_CPATH
for suffix in 5_2 5_3 5_4 5_5; do
    unset "LUA_INIT_$suffix" "LUA_PATH_$suffix" "LUA_CPATH_$suffix"
done

# standard_path INTERPRETER FIELD: its default search path, less what is relative to the
# current directory. That is where the system keeps busted; the checkout is not in it.
standard_path() {
    "$1" -e "for item in package.$2:gmatch('[^;]+') do
        if item:sub(1, 1) ~= '.' then io.write(item, ';') end
    end"
}

# For 5.5 busted's Lua files are borrowed from 5.4; its C modules cannot be, and lua-host has
# stand-ins for them.
interpreter=$(interpreter "$abi")
case $abi in
lua55) path=$(standard_path lua5.4 path) cpath='' ;;
*) path=$(standard_path "$interpreter" path) cpath=$(standard_path "$interpreter" cpath) ;;
esac

# What specs share is in tests/support; they may write to an empty directory of their own.
scratch=$root/build/scratch/$abi
rm -rf "$scratch"
mkdir -p "$scratch"

LUA_PATH="$tree/share/lua/$version/?.lua;$tree/share/lua/$version/?/init.lua;$root/tests/support/?.lua;$path"
LUA_CPATH="$tree/lib/lua/$version/?.so;$cpath"
CYGNIXY_TEST_LUA=${CYGNIXY_TEST_WRAPPER:-$interpreter}
CYGNIXY_TEST_SCRATCH=$scratch
CYGNIXY_TEST_COMMAND=$tree/bin/cygnixy
CYGNIXY_TEST_ABI=$abi
CYGNIXY_TEST_PLUGINS=$root/build/$abi/plugins
CYGNIXY_TEST_FIXTURES=$root/build/$abi/fixtures
CYGNIXY_TEST_ZOO=$root/build/$abi/zoo
export LUA_PATH LUA_CPATH CYGNIXY_TEST_LUA CYGNIXY_TEST_SCRATCH CYGNIXY_TEST_COMMAND
export CYGNIXY_TEST_ABI CYGNIXY_TEST_PLUGINS CYGNIXY_TEST_FIXTURES CYGNIXY_TEST_ZOO
# The user's own settings have no say.
unset CYGNIXY_PATH CYGNIXY_LOG CYGNIXY_PLUGIN_API CYGNIXY_TEST_JOURNAL
# The checkout may be where others can write, as in /tmp.
export CYGNIXY_TRUSTED="$root/**"

cd "$root"
[ $# -gt 0 ] || set -- tests/spec plugin_api/examples/*/spec
# busted would put ./src and ./csrc first; the rock comes first instead.
exec "$interpreter" tests/busted.lua --output=plainTerminal \
    --lpath="$tree/share/lua/$version/?.lua" --cpath="$tree/lib/lua/$version/?.so" "$@"
