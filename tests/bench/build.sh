# Building what the benchmark compares, for ../bench.sh to source. POSIX shell.

# include_dir ABI: the headers for the C module; for 5.5, which has no package, those in the sources that
# mlua's feature `vendored` brings.
include_dir() {
    case $1 in
    luajit) echo /usr/include/luajit-2.1 ;;
    lua55)
        for folder in "${CARGO_HOME:-$HOME/.cargo}"/registry/src/*/lua-src-*/lua-5.5*; do
            [ ! -f "$folder/lua.h" ] || newest=$folder
        done
        [ -n "${newest:-}" ] || return 1
        echo "$newest"
        ;;
    *) echo "/usr/include/lua$(lua_version "$1")" ;;
    esac
}

# bench_interpreter ABI: the distribution's, or for 5.5 the one that build_interpreter makes.
bench_interpreter() {
    case $1 in
    lua55) echo "$root/build/lua55/bench/lua5.5" ;;
    *) interpreter "$1" ;;
    esac
}

# build_interpreter SOURCES
build_interpreter() {
    cc -O2 -DLUA_USE_LINUX -Wl,-E -I"$1" -o "$(bench_interpreter lua55)" \
        "$root/tests/bench/native/host.c" "$1"/*.c -lm -ldl
}

# build_bench ABI HEADERS: everything into build/ABI/bench. The Rust crates are built with the workspace's
# release profile, C with the same level of optimisation; all are stripped.
build_bench() {
    bench_out=$root/build/$1/bench
    sh "$root/tests/build.sh" "$1" module plugins
    cargo_for "$1" -p bench_plain -p bench_plugin -p bench_minimal -p bench_0000 --features "$1"
    rm -rf "$bench_out"
    mkdir -p "$bench_out/minimal"
    copy_library "$(release_dir "$1")" bench_plain "$bench_out/bench_plain.so"
    copy_library "$(release_dir "$1")" bench_plugin "$bench_out/bench_plugin.so"
    copy_library "$(release_dir "$1")" bench_minimal "$bench_out/minimal/mlua.so"
    copy_library "$(release_dir "$1")" bench_0000 "$bench_out/minimal/cygnixy.so"
    compile functions "$2" "$bench_out/bench_native.so"
    compile minimal "$2" "$bench_out/minimal/C.so"
    compile bare "$2" "$bench_out/bench_bare.so"
    [ "$1" != lua55 ] || build_interpreter "$2"
}

# compile SOURCE HEADERS LIBRARY
compile() {
    cc -O3 -Wall -Wextra -shared -fPIC -s -I"$2" -o "$3" "$root/tests/bench/native/$1.c"
}
