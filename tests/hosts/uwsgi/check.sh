#!/bin/sh
# uWSGI with its plugin for Lua 5.1: a master and two workers.
set -eu
abi=lua51
packages='uwsgi-core uwsgi-plugin-lua5.1'
. "$(dirname "$0")/../host.sh"

starts() {
    start "$unpacked/usr/bin/uwsgi-core" --plugins-dir "$unpacked/usr/lib/uwsgi/plugins" --plugin lua51 \
        --http-socket "127.0.0.1:$port" --http-socket-modifier1 6 --lua "$here/app.lua" \
        --master --processes 2 --die-on-term --disable-logging
}

check "it answers" starts
about "$(package_version uwsgi-core)" "$(get lua)"
check_steps
check_load "no request fails while the plugin is rebuilt" 4 replace
check "both workers have reloaded the plugin" becomes "hello?you" "Welcome, you!"
check "a function that was put away runs the new code" becomes "held?you" "Welcome, you!"
check "an unload" answers unload "plugin 'greet' is unloaded, and its library is unmapped" \
    "a call: plugin 'greet' has been unloaded"
check "it ends" stop TERM
check "its log is clean" is_clean "$log"
finish
