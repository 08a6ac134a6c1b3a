#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The calls that doc/coming-from.md tells to make instead of others compile and work: see _coming.py.
set -euo pipefail

build=$(realpath "${VMALLOC_BUILD:?}")
if [ ! -e "$build/libvmalloc-malloc.so" ] || [ ! -e "$build/libvmalloc.a" ] ||
    ! command -v cc >/dev/null || ! command -v c++ >/dev/null; then
    echo "no cc or c++, or $build has not all libraries"
    exit 77
fi
# shellcheck source=test/support/_foreign.sh
. "${VMALLOC_SOURCE:?}/test/support/_foreign.sh"
pass_by_foreign "$build/libvmalloc-malloc.so"
python3 "$(dirname "$0")/_coming.py" "$VMALLOC_SOURCE" "$build"
