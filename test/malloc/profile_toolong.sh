#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Where files of a process may not be longer (ulimit -f) a profile ends there, and the program does not.
set -uo pipefail

# shellcheck source=test/support/_profiled.sh
. "${VMALLOC_SOURCE:?}/test/support/_profiled.sh"

cat >"$work/many.c" <<'END_OF_C'
#include <stdio.h>
#include <stdlib.h>

/* A site for each way down. */
__attribute__((noinline)) static int down(int depth, int way)
{
    void *volatile p;
    int r;
    if (depth == 0) {
        p = malloc(10);
        r = p != NULL;
        free(p);
        return r;
    }
    r = way & 1 << depth ? down(depth - 1, way) + 1 : down(depth - 1, way) * 1;
    return r - (way & 1 << depth ? 1 : 0);
}

int main(void)
{
    int i, n = 0;
    for (i = 0; i < 8192; i++)
        n += down(12, i);
    return printf("%d\n", n) < 0;
}
END_OF_C
"${CC:-cc}" -g -O0 -o "$work/many" "$work/many.c" 2>"$work/err" || { cat "$work/err"; exit 77; }

failed=0
for blocks in 1 64 2000; do # of 1024 bytes
    rm -f "$work/profile"
    said=$(ulimit -f "$blocks" && LD_PRELOAD="$library" VMPROFILE="$work/profile" "$work/many" 2>"$work/err")
    status=$?
    if [ $status -ne 0 ] || [ "$said" != 8192 ]; then
        echo "FAILED: with $blocks blocks the program ended with $status and said '$said'"
        failed=1
    fi
done
exit $failed
