#!/bin/sh
# Apache's httpd with mod_lua: a Lua state for each thread.
set -eu
abi=lua53
packages='apache2'
. "$(dirname "$0")/../host.sh"

# It does not serve as root, but as a user who may not see this checkout.
user_and_group=
if [ "$(id -u)" -eq 0 ]; then
    user_and_group='User www-data\nGroup www-data'
fi
cp -R "$rocks" "$work/rocks"
cp "$here/handler.lua" "$root/tests/hosts/service.lua" "$work"
chmod 755 "$work"
LUA_PATH="$work/?.lua;$work/rocks/share/lua/$version/?.lua;;"
LUA_CPATH="$work/rocks/lib/lua/$version/?.so;;"

configure() {
    fill "$here/apache.conf" "$work/template.conf"
    sed "s|@user_and_group@|$user_and_group|" "$work/template.conf" >"$work/apache.conf"
    in_packages "$unpacked/usr/sbin/apache2" -t -f "$work/apache.conf"
}

# A graceful restart, in which other processes and states come, and then a rebuilt plugin.
disturb() {
    kill -s USR1 "$server"
    sleep 2
    replace
}

log_is_clean() {
    is_clean "$log" && ! grep -nE ':(warn|error|crit|alert|emerg)\]' "$log"
}

check "the configuration is right" configure
check "it answers" start "$unpacked/usr/sbin/apache2" -D FOREGROUND -f "$work/apache.conf"
about "$(package_version apache2)" "$(get lua)"
check_steps
check_load "no request fails in a graceful restart and while the plugin is rebuilt" 6 disturb
check "all threads have reloaded the plugin" becomes "hello?you" "Welcome, you!"
check "a function that was put away runs the new code" becomes "held?you" "Welcome, you!"
check "it is unloaded in every thread's state, and unmapped" \
    comes unload "plugin 'greet' is unloaded, and its library is unmapped"
check "a call after that" answers "hello?you" "plugin 'greet' has been unloaded"
check "it ends" stop WINCH
check "its log is clean" log_is_clean
finish
