#!/bin/sh
# Unpacks Debian packages, with those that they need and the system lacks, into a folder:
# `unpack.sh FOLDER PACKAGE...`. Nothing is installed, so no service is started, and packages can be had that
# conflict with installed ones. Ends with status 3 if the distribution has no such package.
set -eu

say() { printf '%s\n' "$*" >&2; }

folder=$1
shift
stamp=$folder/packages.txt
if [ -e "$stamp" ] && [ "$(head -n 1 "$stamp")" = "$*" ]; then
    exit 0
fi

as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    else
        sudo "$@"
    fi
}

if ! command -v apt-get >/dev/null 2>&1 || ! command -v dpkg-deb >/dev/null 2>&1; then
    say "this is not Debian: there are no packages to unpack"
    exit 3
fi

# The packages that apt would install for these, and these.
wanted() {
    printf '%s\n' "$@" &&
        LC_ALL=C apt-get install --simulate --no-install-recommends "$@" | awk '$1 == "Inst" { print $2 }'
}

# Whether the package lists know the packages.
known() {
    for package in "$@"; do
        LC_ALL=C apt-cache policy "$package" | grep -q 'Candidate: [^(]' || return
    done
}

download() {
    cd "$folder/debs" && apt-get -qq -o APT::Sandbox::User=root download "$@"
}

if ! known "$@"; then
    as_root apt-get -qq update || say "apt-get update failed"
    if ! known "$@"; then
        say "no package of these: $*"
        exit 3
    fi
fi

rm -rf "$folder"
mkdir -p "$folder/debs"
folder=$(cd "$folder" && pwd)
list=$(wanted "$@")
list=$(printf '%s\n' "$list" | sort -u)
# Lists that are not fresh may lead to files that are not there any more.
# shellcheck disable=SC2086 # a list of names
(download $list) || {
    as_root apt-get -qq update
    (download $list)
}
for package in "$folder"/debs/*.deb; do
    dpkg-deb -x "$package" "$folder"
done
rm -rf "$folder/debs"
{
    echo "$*"
    # shellcheck disable=SC2086 # a list of names
    LC_ALL=C apt-cache show --no-all-versions $list | sed -n 's/^\(Package\|Version\): //p' | paste -d ' ' - -
} >"$stamp"
