#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# deps.sh PURPOSE...: see that what a purpose needs is there. Root gets it installed; anybody else gets the
# command to say. Costs nothing when all is there.
set -euo pipefail

# purpose, need ("must", or "may" where the work goes on without), probe (a command or a file), Debian package
table='
build    must cmake                 cmake
build    may  cc                    gcc
build    may  /usr/include/stdio.h  libc6-dev
build    may  /usr/include/elfutils/libdwfl.h libdw-dev
build    may  /usr/include/zlib.h   zlib1g-dev
test     must /usr/include/cmocka.h libcmocka-dev
test     must python3               python3
test     may  g++                   g++
test     may  clang                 clang
test     may  mandoc                mandoc
test     may  codespell             codespell
test     may  gdb                   gdb
test     may  dtrace                systemtap-sdt-dev
test     may  pkg-config            pkg-config
test     may  /usr/include/lua5.4/lua.h liblua5.4-dev
test     may  /usr/include/sqlite3.h libsqlite3-dev
test     may  /usr/include/lmdb.h   liblmdb-dev
test     may  /usr/include/expat.h  libexpat1-dev
test     may  /usr/include/libxml2  libxml2-dev
test     may  python3-config        python3-dev
test     may  meson                 meson
test     may  abidiff               abigail-tools
test     may  dh                    debhelper
test     may  dpkg-buildpackage     dpkg-dev
test     may  lintian               lintian
test     may  /usr/include/c++/v1  libc++-dev
cdt      must /usr/include/graphviz/cdt.h libgraphviz-dev
cdt      may  pkg-config            pkg-config
valgrind must valgrind              valgrind
reference must python3              python3
page     must npm                   npm
page     may  chromium              chromium
demo     must gcc                   gcc
demo     may  python3               python3
demo     may  perl                  perl
demo     may  sqlite3               sqlite3
demo     may  lua5.4                lua5.4
demo     may  redis-server          redis-server
demo     may  redis-cli             redis-tools
demo     may  gs                    ghostscript
ports    may  musl-gcc              musl-tools
ports    may  i686-linux-gnu-gcc    gcc-i686-linux-gnu
ports    may  aarch64-linux-gnu-gcc gcc-aarch64-linux-gnu
ports    may  riscv64-linux-gnu-gcc gcc-riscv64-linux-gnu
ports    may  s390x-linux-gnu-gcc   gcc-s390x-linux-gnu
ports    may  qemu-s390x            qemu-user
ports    may  x86_64-w64-mingw32-gcc gcc-mingw-w64-x86-64
ports    may  wine                  wine
bench    must python3               python3
bench    may  /usr/include/boost/interprocess libboost-dev
bench    may  /usr/include/lmdb.h   liblmdb-dev
bench    may  /usr/include/sqlite3.h libsqlite3-dev
bench    may  /usr/include/libpmemobj.h libpmemobj-dev
'

there() {
    case $1 in
        /*) [ -e "$1" ] || [ -e "${1/include/local/include}" ] ;;
        *) command -v "$1" >/dev/null ;;
    esac
}

must=() may=()
while read -r purpose need probe package; do
    [[ " $* " == *" $purpose "* ]] || continue
    ! there "$probe" || continue
    [[ " ${must[*]} ${may[*]} " == *" $package "* ]] && continue
    if [ "$need" = must ]; then must+=("$package"); else may+=("$package"); fi
done <<<"$(sed '/^$/d' <<<"$table")"
[ $((${#must[@]} + ${#may[@]})) -gt 0 ] || exit 0

# RUNLEVEL=1 keeps a freshly installed server from being started.
apt() {
    RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive apt-get -qq -y -o DPkg::Lock::Timeout=300 "$@" >/dev/null 2>&1
}

install() {
    echo "Installing $* (apt-get)"
    apt install --no-install-recommends "$@" && return
    apt update && apt install --no-install-recommends "$@"
}

if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
    all=("${must[@]}" "${may[@]}")
    echo "Missing for '$*'. Run as root: apt-get install ${all[*]}" >&2
    [ ${#must[@]} -eq 0 ] || exit 1
    exit 0
fi
if [ ${#may[@]} -gt 0 ] && install "${must[@]}" "${may[@]}"; then
    exit 0
fi
if [ ${#must[@]} -gt 0 ] && ! install "${must[@]}"; then
    echo "Could not be installed. Try: apt-get update && apt-get install ${must[*]}" >&2
    exit 1
fi
