#!/bin/sh
# Vim with its Lua interface, which opens Lua 5.2.
set -eu
abi=lua52
packages='vim-nox'
. "$(dirname "$0")/../host.sh"

check "it runs a script and ends" runs "$unpacked/usr/bin/vim.nox" -es -u NONE -i NONE \
    -c 'lua require "script" ()' -c 'qa!'
about "$(package_version vim-nox)" "$(lua_of)"
check_script
check "its output is clean" is_clean "$log"
finish
