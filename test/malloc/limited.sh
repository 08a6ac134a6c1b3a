#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Under ulimit -v, as small machines have it, a program gets the memory that is left, without and with Vmdebug: neither
# the heap nor the books take addresses ahead that the program could have had.
set -uo pipefail

build=$(realpath "${VMALLOC_BUILD:?}")
library=$build/libvmalloc-malloc.so
if [ ! -e "$library" ]; then
    echo "libvmalloc-malloc is not built"
    exit 77
fi
unset LD_PRELOAD VMALLOC_OPTIONS VMETHOD VMDEBUG
# shellcheck source=test/support/_foreign.sh
. "${VMALLOC_SOURCE:?}/test/support/_foreign.sh"
pass_by_foreign "$library"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0

cat >"$work/program.c" <<'END'
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
int main(int argc, char **argv)
{
    static char *block[8192];
    char text[100];
    (void)argv;
    if (argc > 1) /* without blocks, if there is no memory for them */
        return free(malloc(10)), strcpy(text, strerror(2)), strlen(text) == 0;
    for (int i = 0; i < 8192; i++) {
        size_t n = i % 16 == 0 ? 8000 : 500;
        block[i] = malloc(n);
        if (block[i] == NULL)
            return printf("no memory for block %d\n", i), 1;
        memset(block[i], i, n);
    }
    for (int i = 0; i < 8192; i++)
        free(block[i]);
    return 0;
}
END
if ! cc -O0 -g -fno-builtin -o "$work/program" "$work/program.c"; then
    echo "no compiler"
    exit 77
fi

# 8 MB of blocks, and the library and libc with their data, which take 10
for megabytes in 40 64 80 100; do
    for level in "" 1; do
        (
            ulimit -v $((megabytes * 1024)) || exit 1
            VMALLOC_TOOL=/none VMDEBUG=$level LD_PRELOAD=$library timeout 60 "$work/program"
        ) >"$work/said" 2>&1 && [ ! -s "$work/said" ] && continue
        echo "$megabytes MB, VMDEBUG=$level:"
        sed 's/^/    /' "$work/said"
        failed=1
    done
done

# Whatever it is that finds no memory first: what does not need any goes on.
for kilobytes in $(seq 8000 250 32000); do
    (
        ulimit -v "$kilobytes" && "$work/program" text || exit 0 # too little for any program
        VMALLOC_TOOL=/none VMDEBUG=1 LD_PRELOAD=$library "$work/program" text
    ) >"$work/said" 2>&1
    status=$?
    [ $status -lt 128 ] && continue
    echo "$kilobytes kB: status $status"
    sed 's/^/    /' "$work/said"
    failed=1
done
exit $failed
