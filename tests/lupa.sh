#!/bin/sh
# Requires the module in the Lua runtimes that PyPI's lupa carries: `lupa.sh`. They keep their Lua
# symbols to themselves, and a process can hold all of them. Needs the builds that rust.sh makes.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
. "$root/tests/abi.sh"
. "$root/tests/checks.sh"

lupa=2.8
venv=$root/build/venv

install() {
    "$venv/bin/python" -c "import lupa; assert lupa.__version__ == '$lupa'" 2>/dev/null && return
    rm -rf "$venv"
    python3 -m venv "$venv" &&
        "$venv/bin/pip" install --quiet --disable-pip-version-check "lupa==$lupa"
}

run() {
    "$venv/bin/python" "$root/tests/lupa_cases.py" "$@"
}

# library NAME: a shared library of the system by its soname, or nothing.
library() {
    ldconfig -p 2>/dev/null | awk -v name="$1" '$1 == name { print $NF; exit }'
}

check "lupa $lupa is installed" install
for name in lua51 lua52 lua53 lua54 lua55; do
    check "$name with default settings" run life "$name" "$name"
done
for name in luajit20 luajit21; do
    check "$name with default settings, the build for LuaJIT" run life "$name" luajit
    check "$name with default settings, the build for Lua 5.1" run life "$name" lua51
done
check "all runtimes in one process" run all_at_once
check "two states of Lua 5.4" run two_states lua54
check "two states of LuaJIT" run two_states luajit21
check "a state on each of four threads" run threads lua54
check "log functions of several states of Lua 5.4" run logs lua54
check "log functions of several states of LuaJIT" run logs luajit21
check "the module for Lua 5.3 in Lua 5.4" run other_abi lua54 lua53
check "the module for Lua 5.4 in Lua 5.5" run other_abi lua55 lua54
check "the module for LuaJIT in Lua 5.1" run other_abi lua51 luajit
check "Lua 5.1 and LuaJIT require one file" run other_runtime lua51 luajit21 lua51
check "two LuaJITs require one file" run other_runtime luajit20 luajit21 luajit
stock=$(library liblua5.4.so.0)
if [ -n "$stock" ]; then
    check "lupa's Lua 5.4 and the system's require one file" run other_library lua54 "$stock"
else
    skip "lupa's Lua 5.4 and the system's require one file" "there is no liblua5.4.so.0"
fi
check "fork after loading, Lua 5.4" run fork lua54
check "fork after loading, LuaJIT" run fork luajit21
check "fork while a plugin is watched, Lua 5.4" run fork_watching lua54
check "fork while a plugin is watched, LuaJIT" run fork_watching luajit21
check "a watch where no thread may be started, Lua 5.4" run watch_without_threads lua54
check "a process that ends with its state open" run abandon lua54
finish
