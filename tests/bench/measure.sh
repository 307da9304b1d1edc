# Running the measuring scripts, for ../bench.sh to source. POSIX shell.

# fact NAME VALUE
fact() { printf 'fact\t%s\t%s\n' "$1" "$2"; }

# facts: what the figures depend on.
facts() {
    fact processor "$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1), $(nproc) in use"
    fact system "$(uname -srm), $(sed -n 's/^PRETTY_NAME="\(.*\)"/\1/p' /etc/os-release)"
    fact compilers "$(rustc --version), $(cc --version | head -n 1)"
    fact revision "$(cd "$root" && git describe --always --dirty 2>/dev/null || echo unknown)"
    fact date "$(date -u +%Y-%m-%d)"
    fact repetitions "$BENCH_REPETITIONS"
}

# measure ABI: all raw samples to standard output.
measure() {
    out=$root/build/$1
    lua=$(bench_interpreter "$1")
    plugin=$out/bench/bench_plugin.so
    minimal=$out/bench/minimal/cygnixy.so
    scratch=$root/build/bench/scratch
    trap 'rm -rf "$scratch"' EXIT
    trap 'exit 1' INT TERM
    rm -rf "$scratch"
    mkdir -p "$scratch"

    fact interpreter "$(run version)"
    sizes
    run calls "$plugin"
    [ "$1" != luajit ] || run calls "$plugin" "$out/bench/bench_bare.so"
    run cycle "$plugin" "$minimal" "$scratch"
    run heap "$minimal"
    loading
    events
    examples "$1"
    rm -rf "$scratch"
}

# run SCRIPT ARGS...: in the Lua that is measured.
run() {
    script=$root/tests/bench/measure/$1.lua
    shift
    LUA_PATH="$root/tests/bench/measure/?.lua" LUA_CPATH="$out/?.so;$out/bench/?.so" "$lua" "$script" "$@"
}

sizes() {
    for side in C mlua cygnixy; do
        printf 'size\ta minimal one, stripped\t%s\tKiB\t%s\n' "$side" \
            "$(wc -c <"$out/bench/minimal/$side.so" | awk '{ print $1 / 1024 }')"
    done
}

# Each process loads from the same files, which no process before it has changed. Most load one file,
# a few load all; the sides take turns.
loading() {
    for side in C mlua cygnixy; do
        mkdir "$scratch/$side"
        run copies "$side" "$out/bench/minimal/$side.so" "$scratch/$side" "$BENCH_PLUGINS"
    done
    for count in $(yes 1 | head -n "$BENCH_REPETITIONS") "$BENCH_PLUGINS" "$BENCH_PLUGINS" "$BENCH_PLUGINS"; do
        for side in C mlua cygnixy; do
            run loading "$side" "$scratch/$side" "$count"
        done
    done
}

# Whether events reach standard error decides what the rows mean.
events() {
    BENCH_REPETITIONS=1 run events "$plugin" 2>"$scratch/said" >/dev/null || die "$(cat "$scratch/said")"
    if [ ! -s "$scratch/said" ]; then
        fact events "no event reaches standard error in this build: the rows with warn! show disabled events"
    fi
    run events "$plugin" 2>/dev/null
}

# examples ABI: the example plugins next to the rocks that their bench.lua names. They find what is installed for
# this Lua; what is not is left out, and said.
examples() {
    for script in "$root"/plugin_api/examples/*/bench.lua; do
        [ -f "$script" ] || continue
        example=$(basename "$(dirname "$script")")
        mkdir -p "$scratch/$example"
        status=0
        LUA_PATH="$root/tests/bench/measure/?.lua;;" LUA_CPATH="$out/?.so;;" "$lua" "$script" \
            "$out/plugins/$(echo "$example" | tr - _).so" "$scratch/$example" \
            >"$scratch/samples" 2>"$scratch/said" || status=$?
        missing=$(sed -n "/^left out/d; s/.*\(module '[^']*' not found\).*/\1/p" "$scratch/said" | head -n 1)
        if [ "$status" -eq 0 ]; then
            cat "$scratch/samples"
            cat "$scratch/said" >&2
        elif [ -n "$missing" ]; then
            leave_out "$example on $1" "$missing"
        else
            die "$(cat "$scratch/said")"
        fi
        rm -rf "${scratch:?}/$example"
    done
}

# leave_out WHAT REASON
leave_out() {
    say "left out: $1: $2"
    fact "left out, $1" "$2"
}
