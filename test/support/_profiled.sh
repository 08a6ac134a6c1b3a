# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# For scripts that profile a program which they compile: sets command, library and work, a folder that goes at the end.

command=${VMALLOC_BUILD:?}/vmalloc
library=$(realpath "$VMALLOC_BUILD/libvmalloc-malloc.so")
if [ ! -x "$command" ] || [ ! -e "$library" ] || ! command -v "${CC:-cc}" >/dev/null; then
    echo "no command, no library or no compiler"
    exit 77
fi
unset LD_PRELOAD VMALLOC_OPTIONS VMPROFILE
# shellcheck source=test/support/_foreign.sh
. "${VMALLOC_SOURCE:?}/test/support/_foreign.sh"
pass_by_foreign "$library"
work=$(realpath "$(mktemp -d)")
trap 'rm -rf "$work"' EXIT
