#!/bin/sh
# WeeChat's Lua plugin, without a terminal.
set -eu
abi=lua53
packages='weechat-headless weechat-lua'
. "$(dirname "$0")/../host.sh"

cat >"$work/main.lua" <<'EOF'
weechat.register("cygnixy", "cygnixy", "1.0", "MIT", "Calls a plugin", "", "")
require "script" ()
weechat.command("", "/wait 1 /quit")
EOF
WEECHAT_EXTRA_LIBDIR=$unpacked/usr/lib/$multiarch/weechat
export WEECHAT_EXTRA_LIBDIR
check "it runs a script and ends" runs "$unpacked/usr/bin/weechat-headless" --dir "$work/home" \
    --run-command "/lua load $work/main.lua"
about "$(package_version weechat-headless)" "$(lua_of)"
check_script
check "its output is clean" is_clean "$log"
finish
