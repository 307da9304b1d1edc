#!/bin/sh
# Checks the dynamic symbols of everything that is built in build/ABI: `symbols.sh [ABI]...`.
# No library wants a Lua symbol from the dynamic linker or offers one, and each exports its entry
# point alone.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
. "$root/tests/abi.sh"
. "$root/tests/checks.sh"

# shellcheck disable=SC2086 # a list of names
[ $# -gt 0 ] || set -- $all_abis

# Neither wanted nor offered; the module's entry point is told by `exports_only`.
has_no_lua() {
    nm -D "$1" >"$checks_work/symbols" || return
    ! grep -v ' T luaopen_cygnixy$' "$checks_work/symbols" | grep -E ' _?lua'
}

# exports_only FILE NAME: what the linker itself defines in every library does not count.
exports_only() {
    nm -D --defined-only "$1" | awk '{ print $NF }' |
        grep -vE '^(_init|_fini|_edata|_end|__bss_start)$' >"$checks_work/symbols"
    echo "$2" | diff - "$checks_work/symbols"
}

is_library() {
    nm -D "$1" >/dev/null 2>&1
}

for abi in "$@"; do
    check_abi "$abi"
    module=$root/build/$abi/cygnixy.so
    check "$abi: the module has no Lua symbol" has_no_lua "$module"
    check "$abi: the module exports luaopen_cygnixy alone" exports_only "$module" luaopen_cygnixy
    for plugin in "$root/build/$abi"/plugins/*.so "$root/build/$abi"/fixtures/*.so "$root/build/$abi"/probe.so; do
        name=$(basename "$plugin" .so)
        # Some fixtures are no libraries, on purpose.
        is_library "$plugin" || continue
        check "$abi: $name has no Lua symbol" has_no_lua "$plugin"
        # Some have another entry point, or none, on purpose.
        case $plugin in
        */fixtures/*) ;;
        *) check "$abi: $name exports its entry point alone" exports_only "$plugin" cygnixy_plugin_entry ;;
        esac
    done
done
finish
