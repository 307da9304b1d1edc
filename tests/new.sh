#!/bin/sh
# What `cygnixy new` makes builds, passes its own spec and can be installed, as it stands: `new.sh`.
# Needs the rock for lua54.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
. "$root/tests/abi.sh"
. "$root/tests/checks.sh"

abi=lua54
version=$(lua_version "$abi")
lua=$(interpreter "$abi")
tree=$root/build/rocks/$abi
command=$tree/bin/cygnixy
# What cargo compiled is kept between runs; the plugin's folder is not.
cache=$(target_dir new)

unset LUA_INIT LUA_PATH LUA_CPATH CYGNIXY_PATH CYGNIXY_PLUGIN_API CARGO_TARGET_DIR
XDG_DATA_HOME=$checks_work/data
# The folder of this test may be where others can write, as in /tmp. What is made in it is judged.
CYGNIXY_TRUSTED=$checks_work
export XDG_DATA_HOME CYGNIXY_TRUSTED
plugin_of_rock=$checks_work/tree/lib/lua/$version/cygnixy_plugins/hello.so

# As `eval "$(luarocks path)"` sets them.
with_rock() {
    rocks=$1
    shift
    env LUA_PATH="$rocks/share/lua/$version/?.lua;$tree/share/lua/$version/?.lua;;" \
        LUA_CPATH="$rocks/lib/lua/$version/?.so;$tree/lib/lua/$version/?.so;;" "$@"
}

make_new() {
    mkdir -p "$checks_work/empty" "$cache" &&
        (cd "$checks_work/empty" && "$command" new --api "$root" hello && ln -s "$cache" hello/target)
}

in_plugin() {
    (cd "$checks_work/empty/hello" && "$@")
}

make_test() {
    in_plugin with_rock "$tree" make test >"$checks_work/said" 2>&1 ||
        { cat "$checks_work/said"; return 1; }
    expect "$checks_work/said" "4 successes / 0 failures / 0 errors"
}

# The lints of Rust, and of Lua as a project has them.
lints() {
    in_plugin cargo fmt --check &&
        in_plugin cargo clippy --quiet --target-dir target/lint -- -D warnings &&
        in_plugin luacheck --quiet --std max+busted lua spec
}

# With a umask that lets a group write.
installed() {
    (umask 002 && in_plugin make install) && "$command" list >"$checks_work/said" &&
        expect "$checks_work/said" "hello  0.1.0  $abi  fits  $XDG_DATA_HOME/cygnixy/$abi/hello.so"
}

# Folders that were there before stay as they are.
keeps_folders() {
    mkdir "$checks_work/shared" && chmod 2770 "$checks_work/shared" &&
        in_plugin make install XDG_DATA_HOME="$checks_work/shared" &&
        [ "$(stat -c %a "$checks_work/shared" "$checks_work/shared/cygnixy/$abi" | tr '\n' ' ')" = "2770 2755 " ]
}

runs() {
    echo 'print(require("cygnixy").load("hello").greet((...)))' >"$checks_work/app.lua"
    "$command" run "$checks_work/app.lua" you >"$checks_work/said" && expect "$checks_work/said" "Hello, you!"
}

# What a script of Lua says, in the tree that the plugin's rock is in. There is no plugin anywhere else.
in_tree() {
    XDG_DATA_HOME=$checks_work/none with_rock "$checks_work/tree" "$lua" -e "$1" >"$checks_work/said" 2>&1
}

as_rock() {
    in_plugin env LUAROCKS_CONFIG="$root/build/prefix/$abi/config.lua" \
        luarocks --lua-version="$version" --lua-dir="$root/build/prefix/$abi" --tree="$checks_work/tree" \
        make --deps-mode=none hello-scm-1.rockspec &&
        in_tree 'print(require("hello").add(40, 2))' && expect "$checks_work/said" "42"
}

# If the module is in the same tree.
by_name() {
    cp "$tree/lib/lua/$version/cygnixy.so" "$checks_work/tree/lib/lua/$version/" &&
        in_tree 'print(require("cygnixy").load("hello").add(40, 2))' && expect "$checks_work/said" "42" &&
        in_tree 'require("cygnixy.command").main({ "list" })' &&
        expect "$checks_work/said" "hello  0.1.0  $abi  fits  $plugin_of_rock"
}

refused() {
    chmod g+w "$plugin_of_rock" && ! in_tree 'require("hello")' &&
        expect "$checks_work/said" "expected '$plugin_of_rock' to be writable by root and user $(id -u) alone" &&
        chmod g-w "$plugin_of_rock"
}

check "a new plugin is made in an empty folder" make_new
check "make test builds it and passes" make_test
check "it is formatted, and free of warnings" lints
check "make install puts it where its name is found" installed
check "make install leaves the modes of other folders alone" keeps_folders
check "a script loads it by its name" runs
check "it is installed as a rock, for require" as_rock
check "the rock is found by its name" by_name
check "the rock is refused if others can write to it" refused
finish
