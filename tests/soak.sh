#!/bin/sh
# The long runs, for each ABI: `soak.sh [ABI]...`, all if none is named. CYCLES, RELOADS and KILLS set their
# length. Then the zoo under valgrind: each of its scripts has to end without an invalid access.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
. "$root/tests/abi.sh"

# shellcheck disable=SC2086 # a list of names
[ $# -gt 0 ] || set -- $all_abis
for abi in "$@"; do check_abi "$abi"; done

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

for abi in "$@"; do
    sh "$root/tests/build.sh" "$abi" module plugins zoo fixtures
    [ "$abi" != lua55 ] || build_host "$abi"
    interpreter=$(interpreter "$abi")
    say "== $abi: ${CYCLES:-10000} cycles and ${RELOADS:-1000} reloads of $interpreter"
    LUA_CPATH="$root/build/$abi/?.so" "$interpreter" "$root/tests/soak.lua" \
        "${CYCLES:-10000}" "${RELOADS:-1000}" "$root/build/$abi" "$scratch"
    say "== $abi: ${KILLS:-100} kills of a process that writes to the example plugin store"
    mkdir "$scratch/$abi-store"
    LUA_CPATH="$root/build/$abi/?.so" "$interpreter" "$root/plugin_api/examples/store/kill.lua" \
        "$root/build/$abi/plugins/store.so" "$scratch/$abi-store" "${KILLS:-100}" "$interpreter"
done

if ! command -v valgrind >/dev/null; then
    say "skipped: the zoo under valgrind, which is not installed"
    exit
fi
for abi in "$@"; do
    say "== $abi: the zoo under valgrind"
    sh "$root/tests/rock.sh" "$abi"
    # LuaJIT's generated code is beyond valgrind; its interpreter is clean.
    options=''
    [ "$abi" != luajit ] || options=-joff
    cat >"$scratch/$abi" <<END
#!/bin/sh
exec valgrind --quiet --error-exitcode=99 --leak-check=no $(interpreter "$abi") $options "\$@"
END
    chmod +x "$scratch/$abi"
    CYGNIXY_TEST_WRAPPER=$scratch/$abi sh "$root/tests/busted.sh" "$abi" tests/spec/zoo_spec.lua
done
