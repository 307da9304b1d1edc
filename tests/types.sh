#!/bin/sh
# A type checker for Lua reads the module's annotations and those that `cygnixy stubs` writes: it accepts
# the scripts in tests/types and rejects those in tests/types/rejected: `types.sh`. Needs the rock for lua54,
# its plugins and fixtures.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
. "$root/tests/abi.sh"
. "$root/tests/checks.sh"

abi=lua54
checker_version=0.25.1
checker=$root/build/tools/bin/emmylua_check
folder=$root/build/types

# Compiled once, without optimisation, as it has little to do: that takes minutes.
install_checker() {
    "$checker" --version 2>/dev/null | grep -qxF "emmylua_check $checker_version" && return
    say "types.sh: compiling emmylua_check $checker_version into build/tools"
    CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_OPT_LEVEL=0 CARGO_PROFILE_RELEASE_CODEGEN_UNITS=64 \
        cargo install --quiet --locked --force --root "$root/build/tools" \
        --version "$checker_version" emmylua_check
}

# stubs FOLDER FILE...: writes the stubs of plugins.
stubs() {
    stubs_in=$1
    shift
    for file in "$@"; do
        "$root/build/rocks/$abi/bin/cygnixy" stubs --output "$stubs_in/$(basename "$file" .so).lua" "$file" || return
    done
}

# project NAME FILE...: a folder with the files, the module's annotations and the stubs.
project() {
    project=$folder/$1
    shift
    rm -rf "$project"
    mkdir -p "$project/library"
    cp "$@" "$project/"
    cp "$root/lua/meta/cygnixy.lua" "$project/library/"
    stubs "$project/library" "$root/build/$abi/fixtures/documented.so" &&
        echo '{ "runtime.version": "Lua 5.4", "workspace.library": ["library"] }' >"$project/.luarc.json"
}

accepts() {
    project accepted "$root/tests/types/accepted.lua" && "$checker" --warnings-as-errors "$folder/accepted"
}

# All at once, as most of a run is the checker's start.
reject_all() {
    project rejected "$root"/tests/types/rejected/*.lua || return
    if "$checker" --warnings-as-errors "$folder/rejected" >"$folder/said"; then
        echo "nothing was rejected"
        return 1
    fi
}

# rejects FILE: what is said of the file has the text of its first line, and is one warning.
rejects() {
    awk -v begin="--- $(basename "$1") " \
        '/^--- / || /^Summary/ { inside = index($0, begin) == 1 } inside' "$folder/said" >"$checks_work/said"
    expect "$checks_work/said" "[1 warning" "$(sed -n '1s/^-- expected: //p' "$1")"
}

# The annotations themselves.
clean() {
    project clean "$root/tests/types/accepted.lua" &&
        cp "$folder/clean/library/"*.lua "$folder/clean/" && rm -r "$folder/clean/library" &&
        "$checker" --warnings-as-errors "$folder/clean"
}

# The stubs of the example plugins, and a script that says which plugin it has for each.
examples() {
    project examples "$root/tests/types/examples.lua" &&
        stubs "$folder/examples" "$root/build/$abi/plugins"/*.so &&
        "$checker" --warnings-as-errors "$folder/examples"
}

# The annotations of the example plugins' objects with the stubs that they go with, and a script that uses them.
objects() {
    project objects "$root/tests/types/objects.lua" || return
    for meta in "$root"/plugin_api/examples/*/meta/*.lua; do
        name=$(basename "$meta" .lua)
        cp "$meta" "$folder/objects/$name.meta.lua"
        stubs "$folder/objects" "$root/build/$abi/plugins/$name.so" || return
    done
    "$checker" --warnings-as-errors "$folder/objects"
}

check "emmylua_check $checker_version is installed" install_checker
check "the annotations and stubs are free of mistakes" clean
check "so are the stubs of the example plugins" examples
check "the annotations of the example plugins' objects go with the stubs" objects
check "a script that uses a plugin as it is meant is accepted" accepts
check "the checker runs on scripts with mistakes" reject_all
for file in "$root"/tests/types/rejected/*.lua; do
    check "rejected: $(basename "$file" .lua | tr _ ' ')" rejects "$file"
done
finish
