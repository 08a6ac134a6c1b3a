#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# find_package(vmalloc) in another project: each target, in C and in C++.
set -euo pipefail
# shellcheck source=test/package/_stage.sh
. "${VMALLOC_SOURCE:?}/test/package/_stage.sh"
stage

in_cmake find "-DCMAKE_PREFIX_PATH=$work/tree"
for program in "$work"/find/{vmalloc,static,malloc,malloc_static}_c "$work"/find/*_cpp; do
    [ -e "$program" ] || continue # no compiler for C++
    "$program" || fail "$program"
    echo "vmalloc::${program##*/}"
done
for kind in static malloc_static; do
    ! readelf -d "$work/find/${kind}_c" | grep 'NEEDED.*vmalloc' || fail "$kind needs the shared library"
done
