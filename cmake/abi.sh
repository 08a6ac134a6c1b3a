#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# abi.sh write|compare BUILD: the binary interface of libvmalloc.so, its exported names and the types that they
# reach, as libabigail sees it, against abi/libvmalloc-<machine>.abi. A name that is gone, a call or a public type
# that changed is a failure; new names pass and are told: "make abi" stores them.
set -euo pipefail

source=$(cd "$(dirname "$0")/.." && pwd)
what=${1:?usage: abi.sh write|compare BUILD}
build=$(realpath "${2:?usage: abi.sh write|compare BUILD}")
library=$build/libvmalloc.so
stored=$source/abi/libvmalloc-$(uname -m).abi
now=$(mktemp)
trap 'rm -f "$now" "$now".*' EXIT

cannot() {
    echo "$*"
    [ "$what" = compare ] || exit 1
    exit 77
}

command -v abidw >/dev/null || cannot "abidw of libabigail is not there"
readelf -S "$library" | grep -q '\.debug_info' || cannot "$library has no debug information"
[ "$what" = write ] || [ -e "$stored" ] || cannot "no interface of $(uname -m) is stored"

abidw --exported-interfaces-only --headers-dir "$source/include" --drop-private-types --no-corpus-path \
    --no-comp-dir-path --no-show-locs --no-elf-needed --no-parameter-names "$library" |
    sed "s| path='$source/| path='|" >"$now"

if [ "$what" = write ]; then
    mkdir -p "${stored%/*}" && cp "$now" "$stored"
    echo "$stored"
    exit
fi
case $(uname -m) in # a build of another word size in this system
    x86_64) readelf -h "$library" | grep -q 'ELF64' || cannot "the library is of another machine" ;;
esac
if ! abidiff --no-added-syms --no-show-locs "$stored" "$now"; then
    echo "The binary interface changed. When that is meant: make abi, and see CONTRIBUTING.md"
    exit 1
fi
abidiff --no-show-locs "$stored" "$now" || echo "New names: run make abi"
