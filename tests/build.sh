#!/bin/sh
# Builds for one ABI into build/ABI: `build.sh ABI [module|plugins|fixtures|zoo|host]...`,
# the module and the example plugins if nothing is named. With BUILD_QUICKLY=1 the plugins are built as the
# fixtures are: the tests do so for all ABIs but one.
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

# For what does little, or little in tests: that it is built fast matters more than that it runs fast.
quickly() {
    (
        export CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16
        export CARGO_PROFILE_RELEASE_OPT_LEVEL=1
        "$@"
    )
}

# Every folder of plugin_api/examples is a package of the same name.
build_plugins() {
    set --
    for manifest in "$root"/plugin_api/examples/*/Cargo.toml; do
        set -- "$@" -p "$(basename "$(dirname "$manifest")")"
    done
    if [ "${BUILD_QUICKLY:-}" = 1 ]; then
        quickly cargo_for "$abi" "$@" --features "$abi"
    else
        cargo_for "$abi" "$@" --features "$abi"
    fi
    rm -rf "$out/plugins"
    mkdir -p "$out/plugins"
    for name in "$@"; do
        [ "$name" = -p ] && continue
        name=$(echo "$name" | tr - _)
        copy_library "$(release_dir "$abi")" "$name" "$out/plugins/$name.so"
    done
}

# Every example of the package in tests/FOLDER is a plugin, or a broken one, in a file of its name.
build_examples() {
    quickly cargo_for "$abi" -p "cygnixy-test-$1" --examples --features "$abi"
    rm -rf "${out:?}/$1"
    mkdir -p "$out/$1"
    for file in "$root/tests/$1"/plugins/*.rs; do
        name=$(basename "$file" .rs)
        copy_library "$(release_dir "$abi")/examples" "$name" "$out/$1/$name.so"
    done
}

for part in "$@"; do
    case $part in
    module | plugins) "build_$part" ;;
    fixtures | zoo) build_examples "$part" ;;
    host) build_host "$abi" ;;
    *) die "unknown part '$part'; choose among: module plugins fixtures zoo host" ;;
    esac
done
