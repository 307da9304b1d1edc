#!/bin/sh
# nginx with ngx_http_lua_module, which brings a LuaJIT of its own.
set -eu
abi=luajit
packages='nginx libnginx-mod-http-lua'
. "$(dirname "$0")/../host.sh"

nginx=$unpacked/usr/sbin/nginx

in_nginx() {
    in_packages "$nginx" -p "$work" -c "$work/nginx.conf" "$@"
}

# configure PLACE: where the plugin is loaded.
configure() {
    user=''
    [ "$(id -u)" -ne 0 ] || user='user root;'
    in_master=''
    in_worker=''
    case $1 in
    master) in_master='init_by_lua_block { require "service" "watch" }' ;;
    workers) in_worker='service "watch"' ;;
    esac
    fill "$here/nginx.conf" "$work/template.conf"
    sed -e "s|@user@|$user|" -e "s|@in_master@|$in_master|" -e "s|@in_worker@|$in_worker|" \
        "$work/template.conf" >"$work/nginx.conf"
    in_nginx -t
}

starts() { start "$nginx" -p "$work" -c "$work/nginx.conf"; }

workers() { cat "/proc/$server/task/$server/children"; }

# new_workers OLD: the old ones have gone, and there are two others.
new_workers() {
    for _ in $(seq 100); do
        present=$(workers)
        still=''
        for pid in $1; do
            case " $present " in *" $pid "*) still=$pid ;; esac
        done
        [ -n "$still" ] || [ "$(echo "$present" | wc -w)" -ne 2 ] || return 0
        sleep 0.1
    done
    echo "workers: $1, then $present"
    return 1
}

# The configuration is reloaded, the plugin is rebuilt, and the configuration is reloaded again.
disturb() {
    old=$(workers)
    in_nginx -s reload
    sleep 1
    replace
    sleep 2
    in_nginx -s reload
    new_workers "$old"
}

# reloaded_in_both: each worker reloaded the plugin, by its own timer.
reloaded_in_both() {
    [ "$(grep -oE '\[notice\] ([0-9]+)#.*reloaded: ' "$log" | sort -u -k2,2 | wc -l)" -ge 2 ] ||
        { grep -n reloaded "$log"; return 1; }
}

log_is_clean() {
    is_clean "$log" && ! grep -nE '\[(warn|error|crit|alert|emerg)\]' "$log"
}

for place in master workers; do
    restore
    : >"$log"
    check "in the $place: the configuration is right" configure "$place"
    check "in the $place: two workers answer" starts
    [ "$place" != master ] ||
        about "$(package_version nginx), Lua module $(package_version libnginx-mod-http-lua)" "$(get lua)"
    check_steps
    check_load "in the $place: no request fails in reloads of the configuration and of the plugin" 6 disturb
    check "in the $place: both workers have reloaded the plugin" reloaded_in_both
    check "in the $place: a function that was put away runs the new code" becomes "held?you" "Welcome, you!"
    check "in the $place: a worker unloads it" answers unload "plugin 'greet' is unloaded, and its library is unmapped" \
        "a call: plugin 'greet' has been unloaded"
    check "in the $place: it ends" stop QUIT
    check "in the $place: its log is clean" log_is_clean
done
finish
