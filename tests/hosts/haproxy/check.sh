#!/bin/sh
# HAProxy with four threads: one Lua state for all of them, and one for each.
set -eu
abi=lua53
packages='haproxy'
. "$(dirname "$0")/../host.sh"

haproxy=$unpacked/usr/sbin/haproxy

configure() {
    fill "$here/haproxy.cfg" "$work/template.cfg"
    sed "s|@load@|$1|" "$work/template.cfg" >"$work/haproxy.cfg"
    in_packages "$haproxy" -c -f "$work/haproxy.cfg"
}

# reloads COUNT: so many states have reloaded the plugin.
reloads() {
    [ "$(grep -c "^\[notice\].*reloaded: plugin 'greet' is reloaded" "$log")" -eq "$1" ] || { cat "$log"; return 1; }
}

log_is_clean() {
    is_clean "$log" && ! grep -nE 'ALERT|Lua (task|function|service|converter|action)' "$log" &&
        ! grep -n WARNING "$log" | grep -vE 'Proxy .* stopped'
}

for directive in lua-load lua-load-per-thread; do
    [ "$directive" = lua-load ] && states=1 || states=4
    restore
    : >"$log"
    check "$directive: the configuration is right" configure "$directive"
    check "$directive: it answers" start "$haproxy" -db -f "$work/haproxy.cfg"
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
finish
