#!/bin/sh
# Plugins of another compiler and of other profiles, in stock lua5.4 with the loader of this one:
# `compilers.sh`. Needs build/lua54 as rust.sh makes it.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
. "$root/tests/abi.sh"
. "$root/tests/checks.sh"

abi=lua54

# variant NAME CARGO...: builds greet and the probe in a target directory of their own with the
# cargo given, and puts them beside the loader in build/variants/NAME.
variant() {
    name=$1
    shift
    folder=$root/build/variants/$name
    target=$(target_dir "variant-$name")
    rm -rf "$folder"
    mkdir -p "$folder/plugins"
    cp "$root/build/$abi/cygnixy.so" "$folder/" &&
        (cd "$root" && "$@" --quiet --target-dir "$target" -p greet -p cygnixy-host-probe --features "$abi") &&
        copy_library "$target/$profile" greet "$folder/plugins/greet.so" &&
        copy_library "$target/$profile" probe "$folder/probe.so"
}

# Everything in life.lua, errors and panics included.
works() {
    "$(interpreter "$abi")" "$root/tests/life.lua" "$root/build/variants/$1"
}

# built_by NAME TEXT: the manifest tells the compiler.
built_by() {
    "$(interpreter "$abi")" -e "
        package.cpath = '$root/build/variants/$1/?.so'
        print(require 'cygnixy'.inspect('$root/build/variants/$1/probe.so').rustc)" >"$checks_work/rustc"
    expect "$checks_work/rustc" "$2"
}

# try NAME CARGO...: one variant, as two checks.
try() {
    name=$1
    check "plugins, $name: build" variant "$@"
    check "plugins, $name: load, call, fail, panic, unload" works "$name"
}

profile=release
if rustup run nightly rustc --version >"$checks_work/nightly" 2>/dev/null; then
    try nightly rustup run nightly cargo build --release
    version=$(cut -d' ' -f2 "$checks_work/nightly")
    check "plugins, nightly: the manifest says $version" built_by nightly "$version"
else
    skip "plugins built by another compiler" "rustup has no nightly"
fi
try fat-lto env CARGO_PROFILE_RELEASE_LTO=fat cargo build --release
try small env CARGO_PROFILE_RELEASE_OPT_LEVEL=z CARGO_PROFILE_RELEASE_LTO=off \
    CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16 CARGO_PROFILE_RELEASE_STRIP=none cargo build --release
profile=debug
try debug cargo build
finish
