#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# "make dist" twice, as users who differ in all that should not matter, gives the same bytes; and they are a tree
# that configures.
set -euo pipefail

source=${VMALLOC_SOURCE:?}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
if ! git -C "$source" rev-parse HEAD >/dev/null 2>&1; then
    echo "not a git repository"
    exit 77
fi

# dist FOLDER: prints the tar file's path
dist() {
    make -s -C "$source" BUILD="$1" dist | tail -1
}

one=$(umask 022; TZ=UTC LC_ALL=C dist "$work/one")
two=$(umask 077; TZ=Asia/Tokyo LC_ALL=C.UTF-8 HOME=$work GIT_CONFIG_COUNT=2 \
    GIT_CONFIG_KEY_0=tar.umask GIT_CONFIG_VALUE_0=user GIT_CONFIG_KEY_1=core.autocrlf GIT_CONFIG_VALUE_1=true \
    GIT_CONFIG_NOSYSTEM=1 dist "$work/two")
cmp "$one" "$two"
tar -xzf "$one" -C "$work"
tree=$(echo "$work"/vmalloc-*)
[ "$tree" = "$work/$(basename "$one" .tar.gz)" ]
cmake -S "$tree" -B "$work/build" -DBUILD_TESTING=OFF >"$work/log" 2>&1 || { cat "$work/log"; exit 1; }
