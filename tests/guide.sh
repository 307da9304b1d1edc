#!/bin/sh
# Does what docs/guide.md tells a newcomer, command by command, in a home directory of its own, and checks
# that the reference of the Lua API is up to date: `guide.sh`.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
. "$root/tests/abi.sh"
. "$root/tests/checks.sh"

lua=lua5.4

# The guide's reader has not set anything; cargo and its registry are where they are.
clean_home() {
    : "${CARGO_HOME:=$HOME/.cargo}" "${RUSTUP_HOME:=$HOME/.rustup}"
    export CARGO_HOME RUSTUP_HOME
    # What cargo compiles for the reader's own plugin is kept between runs.
    cache=$(target_dir new)
    mkdir -p "$cache"
    # A make that this test was started by would have the reader's make say more.
    for name in $(env | sed -n 's/^\(\(CYGNIXY\|LUA\|XDG\|LUAROCKS\)[A-Z0-9_]*\)=.*/\1/p') \
        CARGO_TARGET_DIR MAKEFLAGS MAKELEVEL MFLAGS; do
        unset "$name"
    done
    HOME=$checks_work/home
    export HOME
    mkdir -p "$HOME"
}

# What the script that is made of the guide begins with. A home in /tmp is where others can write.
prelude() {
    cat <<'END'
set -eu
exec 3>&1
block=none
trap 'status=$?; [ $status -eq 0 ] || { echo "line $block: exit status $status"; tail -n 30 "$said"; } >&3' EXIT
begin() {
    block=$1
    exec >"$said" 2>&1
}
end_block() {
    exec >&3 2>&3
    # A new plugin's folder.
    [ ! -f wordcount-scm-1.rockspec ] || [ -e target ] || ln -s "$PLUGIN_CACHE" target
    echo "line $block: done"
}
printed() {
    cat >"$said.expected"
    "$lua" "$root/tests/guide.lua" compare "$said.expected" "$said" && return
    block=$1
    echo "expected:" && cat "$said.expected"
    return 1
}
command -v sudo >/dev/null || sudo() { "$@"; }
cd "$root"
END
}

follow() {
    prelude >"$checks_work/guide.sh" &&
        "$lua" tests/guide.lua script <docs/guide.md >>"$checks_work/guide.sh" &&
        (
            clean_home
            CYGNIXY_TRUSTED="$HOME/**" said=$checks_work/said root=$root lua=$lua PLUGIN_CACHE=$cache
            export CYGNIXY_TRUSTED said root lua PLUGIN_CACHE
            sh "$checks_work/guide.sh"
        )
}

reference() {
    "$lua" docs/api.lua <lua/meta/cygnixy.lua >"$checks_work/api.md" &&
        diff "$checks_work/api.md" docs/api.md || { echo "make docs makes it anew"; return 1; }
}

cd "$root"
check "every command of docs/guide.md does what the guide says" follow
check "docs/api.md is made of the annotations as they are" reference
finish
