#!/bin/sh
# Installs what the tests need, where it is missing; with `setup.sh bench` also the rocks that the benchmark
# compares with. Fast and silent when nothing is.
set -eu

# What to look for, and the Debian package that has it. `lua:NAME` is a module of Lua 5.4.
needs='
lua5.1 lua5.1
lua5.2 lua5.2
lua5.3 lua5.3
lua5.4 lua5.4
luajit luajit
luarocks luarocks
busted lua-busted
luacheck lua-check
gcc gcc
pkg-config pkg-config
make make
python3 python3
valgrind valgrind
/usr/share/lua/5.4/dkjson.lua lua-dkjson
/usr/include/lua5.1/lua.h liblua5.1-0-dev
/usr/include/lua5.2/lua.h liblua5.2-dev
/usr/include/lua5.3/lua.h liblua5.3-dev
/usr/include/lua5.4/lua.h liblua5.4-dev
/usr/include/luajit-2.1/lua.h libluajit-5.1-dev
'
bench_needs='
lua:cjson lua-cjson
lua:lpeg lua-lpeg
lua:rex_pcre2 lua-rex-pcre2
lua:luasql.sqlite3 lua-sql-sqlite3
lua:openssl.digest lua-luaossl
'
case ${1:-} in
'') ;;
bench) needs=$needs$bench_needs ;;
*)
    echo "setup.sh: unknown argument '$1'; there is 'bench'" >&2
    exit 2
    ;;
esac

say() { printf '%s\n' "$*" >&2; }

has() {
    case $1 in
    /*) [ -e "$1" ] ;;
    lua:*) has lua5.4 && lua5.4 -e "require '${1#lua:}'" 2>/dev/null ;;
    *) command -v "$1" >/dev/null 2>&1 ;;
    esac
}

# The packages that are missing, on one line.
missing_packages() {
    printf '%s\n' "$needs" | while read -r thing package; do
        [ -z "$thing" ] || has "$thing" || printf ' %s' "$package"
    done
    # `python3 -m venv` also needs ensurepip, which Debian packages apart.
    if ! has python3 || ! python3 -c 'import ensurepip, venv' 2>/dev/null; then
        printf ' python3-venv'
    fi
}

as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    else
        sudo "$@"
    fi
}

apt_install() {
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$@"
}

if ! has cargo || ! has rustc; then
    say "setup.sh: Rust is needed and was not found. Install it from https://rustup.rs, or make"
    say "sure that the folder with cargo and rustc (often ~/.cargo/bin) is in PATH. Then try again."
    exit 1
fi

missing=$(missing_packages)
[ -n "$missing" ] || exit 0

if ! has apt-get; then
    say "setup.sh: missing:$missing"
    say "These are Debian's package names; please install them with this system's own means."
    exit 1
fi
if [ "$(id -u)" -ne 0 ] && ! has sudo; then
    say "setup.sh: missing:$missing"
    say "Please install them as root: apt-get install$missing"
    exit 1
fi

say "setup.sh: installing:$missing"
# The first try may fail for want of a package list; the second has a fresh one.
# shellcheck disable=SC2086 # a list of names
apt_install $missing || {
    as_root apt-get update
    apt_install $missing
}

missing=$(missing_packages)
if [ -n "$missing" ]; then
    say "setup.sh: still missing after installation:$missing"
    exit 1
fi
