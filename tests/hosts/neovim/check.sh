#!/bin/sh
# Neovim: a command, a timer and autocommands of a configuration.
set -eu
abi=luajit
packages='neovim'
. "$(dirname "$0")/../host.sh"

# The name is found in the user's data directory, which is where Neovim's own plugins are.
unset CYGNIXY_PATH
XDG_DATA_HOME=$work/data
VIMRUNTIME=$unpacked/usr/share/nvim/runtime
export XDG_DATA_HOME VIMRUNTIME
mkdir -p "$work/data/cygnixy/$abi"
cp "$built/greet.so" "$work/data/cygnixy/$abi/greet.so"

check "it runs a configuration and ends" runs "$unpacked/usr/bin/nvim" --headless -i NONE -u "$here/init.lua"
about "$(package_version neovim)" "$(lua_of)"
check_script
check "its output is clean" is_clean "$log"
finish
