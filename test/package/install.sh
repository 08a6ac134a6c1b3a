#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# What is installed may be moved elsewhere: each public name has its manual page there, each public header is
# there, and the command finds the library.  What is uninstalled is gone, and nothing else.
set -euo pipefail
# shellcheck source=test/package/_stage.sh
. "${VMALLOC_SOURCE:?}/test/package/_stage.sh"
stage

# Each name that a page of section 3 announces has a page, itself or one that leads to it.
man=$(dirname "$(find "$work/tree" -name vmalloc.3)")
while read -r name; do
    page=$man/$name.3
    if grep -q '^\.so ' "$page" 2>/dev/null; then
        page=$man/../$(sed -n 's/^\.so //p' "$page")
    fi
    grep -qE "^\.Nm $name( ,)?$" "$page" || fail "man $name: no page"
done < <(awk '/^\.Sh NAME/ { on = 1; next } /^\.Nd/ { on = 0 } on && $1 == ".Nm" { print $2 }' "$source"/doc/man/*.3)
[ ! -e "$man/cc.3" ] || fail "man cc: a page of ours"

diff -r "$source/include" "$work/tree/include" || fail "the headers are not all installed"

# shellcheck disable=SC2016
[[ $("$work/tree/bin/vmalloc" run sh -c 'echo "$LD_PRELOAD"') == "$libdir"/libvmalloc-malloc.so* ]] ||
    fail "the command does not find its library"

command -v make >/dev/null || exit 0
DESTDIR="$work/a b" quiet cmake --install "$build" --prefix /usr
touch "$work/a b/usr/include/other.h"
quiet make -C "$source" BUILD="$build" PREFIX=/usr DESTDIR="$work/a b" uninstall
[ "$(cd "$work/a b" && find . ! -type d)" = ./usr/include/other.h ] || fail "uninstalling: $(find "$work/a b" ! -type d)"
[ -z "$(find "$work/a b" -name '*vmalloc*')" ] || fail "uninstalling left: $(find "$work/a b" -name '*vmalloc*')"
