#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# What README.md lets a newcomer type works, and prints what is shown there: see _readme.py.
set -euo pipefail

build=${VMALLOC_BUILD:?}
if [ ! -x "$build/vmalloc" ] || [ ! -e "$build/libvmalloc-malloc.so" ] || ! command -v cc >/dev/null; then
    echo "no cc, or $build has no command and no malloc interface"
    exit 77
fi
if grep -qs '^LIBDW_LIBRARY:.*NOTFOUND' "$build/CMakeCache.txt"; then
    echo "without elfutils the command names no functions"
    exit 77
fi
# shellcheck source=test/support/_foreign.sh
. "${VMALLOC_SOURCE:?}/test/support/_foreign.sh"
pass_by_foreign "$(realpath "$build/libvmalloc-malloc.so")"
python3 "$(dirname "$0")/_readme.py" "$VMALLOC_SOURCE" "$build"
