#!/bin/sh
# nmap's scripting engine: scripts run in coroutines, and undeclared globals are errors. No host is scanned.
set -eu
abi=lua53
packages='nmap'
. "$(dirname "$0")/../host.sh"

check "it runs a script and ends" runs "$unpacked/usr/bin/nmap" --datadir "$unpacked/usr/share/nmap" \
    --script "$here/cygnixy.nse"
about "$(package_version nmap)" "$(lua_of)"
check "the script has ended well" expect "$log" "|_cygnixy: done"
check_script
check "its output is clean" is_clean "$log"
finish
