#!/bin/sh
# lighttpd with mod_magnet: one process, one thread.
set -eu
abi=lua54
packages='lighttpd lighttpd-modules-lua'
. "$(dirname "$0")/../host.sh"

configure() {
    fill "$here/lighttpd.conf" "$work/lighttpd.conf"
    in_packages "$unpacked/usr/sbin/lighttpd" -tt -f "$work/lighttpd.conf" -m "$unpacked/usr/lib/lighttpd"
}

check "the configuration is right" configure
check "it answers" start "$unpacked/usr/sbin/lighttpd" -D -f "$work/lighttpd.conf" -m "$unpacked/usr/lib/lighttpd"
about "$(package_version lighttpd)" "$(get lua)"
check_steps
check_load "no request fails while the plugin is rebuilt" 4 replace
check "a function that was put away runs the new code" becomes "held?you" "Welcome, you!"
check "an unload" answers unload "plugin 'greet' is unloaded, and its library is unmapped" \
    "a call: plugin 'greet' has been unloaded"
check "it ends" stop INT
check "its log is clean" is_clean "$log"
finish
