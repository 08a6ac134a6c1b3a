# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# For scripts that compile what is loaded beside the library: goes to a folder that goes at the end, where the
# library is library.so; sets library, work and failed.

library=$(realpath "${VMALLOC_BUILD:?}")/libvmalloc-malloc.so
if [ ! -e "$library" ]; then
    echo "$library is not built"
    exit 77
fi
unset LD_PRELOAD LD_LIBRARY_PATH VMALLOC_OPTIONS VMDEBUG
# shellcheck source=test/support/_foreign.sh
. "${VMALLOC_SOURCE:?}/test/support/_foreign.sh"
pass_by_foreign "$library"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
ln -s "$library" library.so
failed=0
