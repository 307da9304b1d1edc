#!/bin/sh
# What must compile and what must not, and what the compiler says then: `compile.sh`.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
. "$root/tests/abi.sh"
. "$root/tests/checks.sh"

abi=lua54

# cargo_quiet COMMAND ARGS...: what is compiled is shared with the builds for the same Lua.
cargo_quiet() {
    command=$1
    shift
    (cd "$root" && cargo "$command" --quiet --target-dir "$(target_dir "$abi")" "$@")
}

# fails COMMAND ARGS...: cargo fails; what it says is in $checks_work/said.
fails() {
    if cargo_quiet "$@" >"$checks_work/said" 2>&1; then
        echo "it compiled"
        return 1
    fi
}

no_abi() {
    fails check -p "$1" --no-default-features &&
        expect "$checks_work/said" "no Lua ABI is chosen" "lua51, luajit, lua52, lua53, lua54, lua55"
}

# mlua refuses two as well, and it is chance whose build script is first. Either way all names
# are said, and of ours the message is there if cargo goes on.
two_abis() {
    set -- -p "$1" --no-default-features --features lua51,lua54
    # shellcheck disable=SC2086 # a list of names
    fails check "$@" && expect "$checks_work/said" $all_abis || return
    fails check --keep-going "$@" &&
        expect "$checks_work/said" "more than one Lua ABI is chosen (lua51, lua54)" \
            "lua51, luajit, lua52, lua53, lua54, lua55"
}

example() {
    echo "-p cygnixy-host-misuse --features examples,$abi --example $1"
}

compiles() {
    # shellcheck disable=SC2046 # a list of options
    cargo_quiet check $(example "$1")
}

# misuse COMMAND NAME TEXT...: the example does not compile, and each text is said.
misuse() {
    command=$1
    name=$2
    shift 2
    # shellcheck disable=SC2046 # a list of options
    fails "$command" $(example "$name") && expect "$checks_work/said" "$@"
}

for package in cygnixy-plugin-api cygnixy; do
    check "$package without a Lua ABI" no_abi $package
    check "$package with two Lua ABIs" two_abis $package
done
check "the macro in a crate without prelude, with shadowed names" compiles hygiene
check "the macro with a call and a trailing comma" compiles expressions
check "a type that is no plugin" misuse check not_a_plugin NotAPlugin PluginLua fail/not_a_plugin.rs
check "a plugin that is not Send" misuse check not_send "cannot be sent between threads safely" Local
check "a plugin that borrows" misuse check borrows "temporary value" fail/borrows.rs
check "no expression" misuse check no_expression "unexpected end of macro invocation" fail/no_expression.rs
# A panic would end the whole program.
aborting() {
    CARGO_PROFILE_DEV_PANIC=abort fails check -p greet --features "$abi" &&
        expect "$checks_work/said" "a plugin has to unwind"
}
check "a plugin that aborts on panic" aborting
check "two plugins in one library" misuse build twice cygnixy_plugin_entry fail/twice.rs
finish
