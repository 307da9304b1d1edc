# A host's surroundings, for tests/hosts/NAME/check.sh to source after setting `abi` and `packages`, which
# stand alone on a line each, where tests/hosts.sh reads them too.
#
# Sets $root, $host (its name), $here (its folder in tests/hosts), $unpacked (its packages), $work (an empty
# folder), $plugins (the folder with the plugins, in $work), $port, and the environment in which the
# programs run: Lua's paths as `eval "$(luarocks path)"` sets them, and CYGNIXY_PATH.

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../../.." && pwd)
host=$(basename "$here")
. "$root/tests/abi.sh"
. "$root/tests/checks.sh"

checks_name=$host
unpacked=$root/build/hosts/$host
work=$checks_work
plugins=$work/plugins
log=$work/log
said=$work/said
port=$(python3 "$root/tests/hosts/ask.py" port)
url=http://127.0.0.1:$port
version=$(lua_version "$abi")
rocks=$root/build/rocks/$abi
built=$root/build/hosts/plugins/$abi
server=

# What was started does not outlive the check.
clean_up() {
    [ -z "$server" ] || kill -s KILL "$server" 2>/dev/null || true
    rm -rf "$checks_work"
}
trap clean_up EXIT
trap 'exit 130' INT TERM

mkdir -p "$plugins"
: >"$log"
cp "$built/greet.so" "$built/misbehave.so" "$built/other.so" "$plugins"
cp "$built/second.so" "$work/second.so"

unset LUA_INIT CYGNIXY_LOG
for suffix in 5_2 5_3 5_4; do
    unset "LUA_INIT_$suffix" "LUA_PATH_$suffix" "LUA_CPATH_$suffix"
done
LUA_PATH="$root/tests/hosts/?.lua;$rocks/share/lua/$version/?.lua;;"
LUA_CPATH="$rocks/lib/lua/$version/?.so;;"
CYGNIXY_PATH="$plugins/?.so"
# The working folder is below /tmp, where others can write.
CYGNIXY_TRUSTED="$work/**"
HOSTS_PLUGINS=$plugins
HOSTS_SAID=$said
LC_ALL=C.UTF-8
HOME=$work
export LUA_PATH LUA_CPATH CYGNIXY_PATH CYGNIXY_TRUSTED HOSTS_PLUGINS HOSTS_SAID LC_ALL HOME
multiarch=$(gcc -print-multiarch)
libraries=$unpacked/usr/lib/$multiarch:$unpacked/lib/$multiarch:$unpacked/usr/lib/$multiarch/blas

# A crash leaves a file in the working folder, where the system writes such files at all.
cd "$work"
ulimit -c unlimited 2>/dev/null || true

# in_packages COMMAND...: runs a program with the libraries of the host's packages.
in_packages() {
    env LD_LIBRARY_PATH="$libraries" "$@"
}

# package_version PACKAGE: the version that was unpacked.
package_version() {
    awk -v name="$1" 'NR > 1 && $1 == name { print $2 }' "$unpacked/packages.txt"
}

# fill TEMPLATE TO: a configuration file, with values for what stands between @.
fill() {
    sed -e "s|@here@|$here|g" -e "s|@unpacked@|$unpacked|g" -e "s|@work@|$work|g" -e "s|@port@|$port|g" \
        "$1" >"$2"
}

get() { python3 "$root/tests/hosts/ask.py" get "$url/$1"; }

# answers STEP TEXT...: the server's answer to a step of service.lua has each text.
answers() {
    get "$1" >"$said" 2>&1 || true
    shift
    expect "$said" "$@"
}

# becomes STEP TEXT: within ten seconds, all answers are TEXT.
becomes() {
    : >"$work/answers"
    python3 "$root/tests/hosts/ask.py" until "$url/$1" "$2" 10
}

# launch COMMAND...: a program in the background, which does not leave the foreground by itself.
launch() {
    # Not in_packages: the process is to be the program, and not a shell that waits for it.
    env LD_LIBRARY_PATH="$libraries" "$@" >>"$log" 2>&1 </dev/null &
    server=$!
}

# start COMMAND...: a server, which answers.
start() {
    launch "$@"
    python3 "$root/tests/hosts/ask.py" until "$url/hello?you" "Hello, you!" 20 || {
        tail -n 20 "$log"
        return 1
    }
}

# stop SIGNAL: the server ends with status 0.
stop() {
    kill -s "$1" "$server" && ended
}

# ended: waits for the server's own end, which is to be of status 0.
ended() {
    for _ in $(seq 200); do
        kill -0 "$server" 2>/dev/null || break
        sleep 0.1
    done
    ! kill -0 "$server" 2>/dev/null || { echo "it does not end"; return 1; }
    ended_status=0
    wait "$server" || ended_status=$?
    server=
    [ "$ended_status" -eq 0 ] || { echo "exit status $ended_status"; tail -n 20 "$log"; return 1; }
}

# load_during SECONDS COMMAND: requests all the time, and COMMAND, which replaces the plugin's file, meanwhile.
# None fails, and each is answered by the old version or by the new one.
load_during() {
    rm -f "$work/load.txt"
    python3 "$root/tests/hosts/ask.py" load "$url/hello?load" "$1" >"$work/load.txt" &
    requests=$!
    sleep 1
    "$2" || return
    wait "$requests" || return
    expect "$work/load.txt" " answered, 0 failed" "times: Hello, load!" "times: Welcome, load!" || return
    [ "$(wc -l <"$work/load.txt")" -eq 3 ] || { cat "$work/load.txt"; return 1; }
}

# check_load NAME SECONDS COMMAND: the same as a check, with the numbers.
check_load() {
    check "$1" load_during "$2" "$3"
    [ ! -e "$work/load.txt" ] || sed 's/^/    /' "$work/load.txt"
}

# comes STEP PATTERN: an answer comes that begins so. Each thread or process of a server answers for itself.
comes() {
    : >"$work/answers"
    for _ in $(seq 100); do
        get "$1" >>"$work/answers" 2>&1 || true
        ! grep -q "^$2" "$work/answers" || return 0
    done
    sort "$work/answers" | uniq -c
    return 1
}

# replace: the plugin's file is rebuilt.
replace() {
    cp "$built/second.so" "$plugins/new" && mv "$plugins/new" "$plugins/greet.so"
}

restore() {
    cp "$built/greet.so" "$plugins/new" && mv "$plugins/new" "$plugins/greet.so"
}

# is_clean FILE...: the logs tell of no crash, and none left a core.
is_clean() {
    ! grep -nE '(exited on|killed by|exit) signal|SIGSEGV|SIGABRT|[Ss]egmentation|core dumped|panicked|double free|corrupted' "$@" &&
        ! ls "$work" | grep -E '^core'
}

# refused FILE: it has the loader's message about the plugin for another Lua.
refused() {
    [ "$abi" = lua54 ] && set -- "$1" lua53 || set -- "$1" lua54
    expect "$1" "cannot load plugin 'greet' ($plugins/other.so): Lua ABI: expected '$abi'" "found '$2'" \
        "no code of it was run"
}

refuses_other() {
    get other >"$said" 2>&1 || true
    refused "$said"
}

# about VERSION LUA: what is tested, for the table.
about() {
    echo "host: $host | $1 | $2"
}

# What all servers have to answer, before and after a reload.
check_steps() {
    check "a call" answers "hello?you" "Hello, you!"
    check "an error is a string" answers fail "false, string: " "there is nobody to greet"
    check "a panic is an error" answers panic "false, string: " "a plain panic"
    check "a bare name" answers named "the same plugin"
    check "a plugin for another Lua is refused" refuses_other
}

# runs COMMAND...: a program that does script.lua and ends with status 0; it said something.
runs() {
    rm -f "$said"
    in_packages timeout -k 5 60 "$@" >"$log" 2>&1 </dev/null || {
        run_status=$?
        cat "$log"
        return "$run_status"
    }
    [ -s "$said" ] || { cat "$log"; return 1; }
}

# lua_of: the Lua as the script said it.
lua_of() { sed -n 's/^lua: //p' "$said"; }

# What script.lua has to say.
check_script() {
    check "a call" expect "$said" "hello: Hello, you!"
    check "an error is a string" expect "$said" "fail: false, string: " "there is nobody to greet"
    check "a panic is an error" expect "$said" "panic: false, string: " "a plain panic"
    check "a bare name" expect "$said" "named: the same plugin"
    check "a plugin for another Lua is refused" refused "$said"
    check "a reload without a restart" expect "$said" "reload: plugin 'greet' is reloaded" "rebuilt: Welcome, you!"
    check "a function that was put away runs the new code" expect "$said" "held: Welcome, you!"
    check "an unload" expect "$said" "unload: plugin 'greet' is unloaded, and its library is unmapped" \
        "plugin 'greet' has been unloaded"
}
