#!/bin/sh
# HAProxy, a master and a worker with four threads: one Lua state for all of them, and one for each.
set -eu
abi=lua53
packages='haproxy'
. "$(dirname "$0")/../host.sh"

haproxy=$unpacked/usr/sbin/haproxy

# As it is installed, it starts as root and then runs as a user who may not see this checkout.
user_and_group=''
if [ "$(id -u)" -eq 0 ]; then
    user_and_group='user nobody'
fi
chmod 755 "$work"

# configure DIRECTIVE [THREADS]: how Lua is loaded, and what allows threads.
configure() {
    fill "$here/haproxy.cfg" "$work/template.cfg"
    sed -e "s|@load@|$1|" -e "s|@threads@|${2:-}|" -e "s|@user_and_group@|$user_and_group|" \
        "$work/template.cfg" >"$work/haproxy.cfg"
    in_packages "$haproxy" -c -f "$work/haproxy.cfg"
}

# reloads COUNT: so many states have reloaded the plugin.
reloads() {
    [ "$(grep -c "^\[notice\].*reloaded: plugin 'greet' is reloaded" "$log")" -eq "$1" ] || { cat "$log"; return 1; }
}

log_is_clean() {
    is_clean "$log" && ! grep -nE 'ALERT|Lua (task|function|service|converter|action)' "$log" &&
        ! grep -n WARNING "$log" | grep -vE 'Proxy .* stopped|Exiting Master|exited with code 0|All workers exited. Exiting... \(0\)'
}

for directive in lua-load lua-load-per-thread; do
    [ "$directive" = lua-load ] && states=1 || states=4
    restore
    : >"$log"
    check "$directive: the configuration is right" configure "$directive" insecure-fork-wanted
    check "$directive: it answers" start "$haproxy" -W -db -f "$work/haproxy.cfg"
    [ "$directive" != lua-load ] || about "$(package_version haproxy)" "$(get lua)"
    check_steps
    check "$directive: an action" answers "action?you" "Hello, you!"
    check "$directive: a converter" answers "converter?you" "Hello, you!"
    check_load "$directive: no request fails while the plugin is rebuilt" 4 replace
    check "$directive: it was reloaded in every state ($states)" reloads "$states"
    check "$directive: a function that was put away runs the new code" becomes "held?you" "Welcome, you!"
    check "$directive: it is unloaded in every state, and unmapped" \
        comes unload "plugin 'greet' is unloaded, and its library is unmapped"
    check "$directive: a call after that" answers "hello?you" "plugin 'greet' has been unloaded"
    check "$directive: a soft stop" stop USR1
    check "$directive: its log is clean" log_is_clean
done

# Without the setting a watch is refused, and everything else works.
restore
: >"$log"
check "no threads: the configuration is right" configure lua-load
check "no threads: it answers" start "$haproxy" -W -db -f "$work/haproxy.cfg"
check "no threads: a watch is refused" answers watch "the watcher's thread cannot be started"
check "no threads: the plugin is rebuilt" replace
check "no threads: a reload without a watch" answers reload "plugin 'greet' is reloaded"
check "no threads: a call" answers "hello?you" "Welcome, you!"
check "no threads: an unload" answers unload "plugin 'greet' is unloaded, and its library is unmapped"
check "no threads: a soft stop" stop USR1
check "no threads: its log is clean" log_is_clean
finish
