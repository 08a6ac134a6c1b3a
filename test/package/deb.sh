#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The Debian packages: built, without a word from lintian, installed into a root of their own, and used there.
# Not optimised: this is about the packages.
set -euo pipefail

source=${VMALLOC_SOURCE:?}
for tool in dpkg-buildpackage dh lintian dpkg; do
    command -v $tool >/dev/null || { echo "$tool is not there"; exit 77; }
done
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
unset LD_PRELOAD VMALLOC_OPTIONS VMALLOC_LIB DESTDIR MAKEFLAGS MFLAGS MAKELEVEL

fail() {
    printf 'FAILED: %s\n' "$*"
    exit 1
}
quiet() {
    "$@" >"$work/log" 2>&1 || { tail -60 "$work/log"; fail "$@"; }
}

mkdir "$work/vmalloc"
cd "$source"
{ git ls-files -co --exclude-standard 2>/dev/null || find . -path ./build -prune -o -type f -print; } |
    while read -r file; do [ ! -e "$file" ] || echo "$file"; done | tar -cf - -T - | tar -xf - -C "$work/vmalloc"

cd "$work/vmalloc"
dpkg-checkbuilddeps 2>"$work/log" || { cat "$work/log"; exit 77; }
export DEB_BUILD_OPTIONS="nocheck noopt noautodbgsym parallel=2"
quiet dpkg-buildpackage -us -uc -b
cd "$work"
lintian --allow-root --fail-on warning ./*.changes >"$work/log" 2>&1 || { cat "$work/log"; fail lintian; }
! grep '^[EWI]:' "$work/log" || fail lintian

root=$work/root db=$work/db
mkdir -p "$root" "$db"/{info,updates,triggers}
touch "$db/status" "$db/available"
quiet dpkg --force-not-root --force-depends --force-script-chrootless --instdir="$root" --admindir="$db" \
    --log=/dev/null -i ./*.deb
[ "$(dpkg-query --admindir="$db" -f '${db:Status-Abbrev}\n' -W | sort -u)" = "ii " ] || fail "not all installed"

libdir=$(dirname "$(find "$root/usr" -name libvmalloc.so)")
quiet "${CC:-cc}" -DMALLOC_IS_OURS=0 "$source/test/package/projects/program.c" -o program \
    -I"$root/usr/include" -L"$libdir" -lvmalloc
LD_LIBRARY_PATH=$libdir ./program || fail "a program with the package"

# The command needs no files for building.
rm "$libdir"/*.so
quiet "${CC:-cc}" "$source/test/package/projects/plain.c" -o plain -ldl
quiet timeout 20 "$root/usr/bin/vmalloc" run ./plain
