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
export XDG_DATA_HOME

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

installed() {
    # The folder of this test may be where others can write, as in /tmp.
    in_plugin make install && CYGNIXY_TRUSTED="$checks_work/**" "$command" list >"$checks_work/said" &&
        expect "$checks_work/said" "hello  0.1.0  $abi  fits  $XDG_DATA_HOME/cygnixy/$abi/hello.so"
}

runs() {
    echo 'print(require("cygnixy").load("hello").greet((...)))' >"$checks_work/app.lua"
    CYGNIXY_TRUSTED="$checks_work/**" "$command" run "$checks_work/app.lua" you >"$checks_work/said" && expect "$checks_work/said" "Hello, you!"
}

as_rock() {
    in_plugin env LUAROCKS_CONFIG="$root/build/prefix/$abi/config.lua" \
        luarocks --lua-version="$version" --lua-dir="$root/build/prefix/$abi" --tree="$checks_work/tree" \
        make --deps-mode=none hello-scm-1.rockspec &&
        with_rock "$checks_work/tree" "$lua" -e 'print(require("hello").add(40, 2))' >"$checks_work/said" &&
        expect "$checks_work/said" "42"
}

check "a new plugin is made in an empty folder" make_new
check "make test builds it and passes" make_test
check "it is formatted, and free of warnings" lints
check "make install puts it where its name is found" installed
check "a script loads it by its name" runs
check "it is installed as a rock, for require" as_rock
finish
