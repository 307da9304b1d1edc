#!/bin/sh
# Builds for one ABI into build/ABI: `build.sh ABI [module|plugins|fixtures|host]...`,
# the module and the example plugins if nothing is named.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
. "$root/tests/abi.sh"

abi=${1:-}
check_abi "$abi"
shift
[ $# -gt 0 ] || set -- module plugins
out=$root/build/$abi

build_module() {
    cargo_for "$abi" -p cygnixy --no-default-features --features "module,$abi"
    mkdir -p "$out"
    copy_library "$(release_dir "$abi")" cygnixy "$out/cygnixy.so"
}

# Every folder of plugin_api/examples is a package of the same name.
build_plugins() {
    set --
    for manifest in "$root"/plugin_api/examples/*/Cargo.toml; do
        set -- "$@" -p "$(basename "$(dirname "$manifest")")"
    done
    cargo_for "$abi" "$@" --features "$abi"
    rm -rf "$out/plugins"
    mkdir -p "$out/plugins"
    for name in "$@"; do
        [ "$name" = -p ] && continue
        name=$(echo "$name" | tr - _)
        copy_library "$(release_dir "$abi")" "$name" "$out/plugins/$name.so"
    done
}

# Every example of the fixtures package is a plugin, or a broken one. Cargo keeps a second
# copy of each under a name that ends in a hash. There are many and they do little: that they
# are built fast matters more than that they run fast.
build_fixtures() {
    (
        export CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16
        export CARGO_PROFILE_RELEASE_OPT_LEVEL=1
        cargo_for "$abi" -p cygnixy-test-fixtures --examples --features "$abi"
    )
    rm -rf "$out/fixtures"
    mkdir -p "$out/fixtures"
    built=$(release_dir "$abi")/examples
    for file in "$built"/*.so "$built"/*.dylib "$built"/*.dll; do
        name=$(basename "$file")
        name=${name%.*}
        case $file in
        *-????????????????.*) continue ;;
        esac
        [ -f "$file" ] || continue
        name=${name#lib}
        copy_library "$built" "$name" "$out/fixtures/$name.so"
    done
}

for part in "$@"; do
    case $part in
    module | plugins | fixtures) "build_$part" ;;
    host) build_host "$abi" ;;
    *) die "unknown part '$part'; choose among: module plugins fixtures host" ;;
    esac
done
