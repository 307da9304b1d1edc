# Facts about each Lua ABI, for the scripts beside this file to source. POSIX shell.
#
# Expects $root, the checkout's absolute path. Every build of one ABI has its own target
# directory, because cargo gives libraries of different features the same file name.

all_abis="lua51 luajit lua52 lua53 lua54 lua55"

say() { printf '%s\n' "$*" >&2; }

die() {
    say "$(basename "$0"): $*"
    exit 1
}

# check_abi ABI: ends the script with the list of choices if ABI is not one of them.
check_abi() {
    case " $all_abis " in
    *" ${1:-none} "*) ;;
    *) die "unknown ABI '${1:-}'; choose one of: $all_abis" ;;
    esac
}

# quickly_but_one ABI COMMAND...: builds the example plugins quickly, in tests of all ABIs but Lua 5.4's.
quickly_but_one() {
    if [ "$1" = lua54 ]; then
        shift
        "$@"
    else
        shift
        BUILD_QUICKLY=1 "$@"
    fi
}

# lua_version ABI: the version in directory names, as LuaRocks and Lua itself use it.
lua_version() {
    case $1 in
    lua51 | luajit) echo 5.1 ;;
    lua5?) echo "5.${1#lua5}" ;;
    esac
}

# rock_abi ABI: the build in the rock. LuaJIT shares the 5.1 tree, and so the 5.1 build.
rock_abi() {
    case $1 in
    luajit) echo lua51 ;;
    *) echo "$1" ;;
    esac
}

# target_dir ABI: where cargo builds for it.
target_dir() {
    case ${CARGO_TARGET_DIR:-} in
    '') echo "$root/target/$1" ;;
    /*) echo "$CARGO_TARGET_DIR/$1" ;;
    *) echo "$root/$CARGO_TARGET_DIR/$1" ;;
    esac
}

# release_dir ABI: where the finished files are.
release_dir() {
    echo "$(target_dir "$1")${CARGO_BUILD_TARGET:+/$CARGO_BUILD_TARGET}/release"
}

# interpreter ABI: the program that runs Lua; for 5.5, which has no package, one of ours.
interpreter() {
    case $1 in
    luajit) echo luajit ;;
    lua55) echo "$(release_dir lua55)/lua-host" ;;
    *) echo "lua$(lua_version "$1")" ;;
    esac
}

# cargo_for ABI ARGS...: a release build in the ABI's target directory.
cargo_for() {
    cargo_abi=$1
    shift
    (cd "$root" && cargo build --release --target-dir "$(target_dir "$cargo_abi")" "$@")
}

# build_host ABI: the stand-alone interpreter in tests/host_lua.
build_host() {
    cargo_for "$1" -p cygnixy-host-lua --features "$1"
}

# copy_library DIR NAME TO: a cdylib under its name on any system, as a new file: one that is
# overwritten while a process has it mapped would crash that process.
copy_library() {
    for library in "$1/lib$2.so" "$1/lib$2.dylib" "$1/$2.dll"; do
        if [ -f "$library" ]; then
            rm -f "$3"
            cp "$library" "$3"
            return
        fi
    done
    die "no library '$2' in $1"
}
