#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A program that clears Vmheap while samples are taken goes on, and is recorded on: nothing of the
# lane that went with the clearing is looked at.
set -uo pipefail

# shellcheck source=test/support/_profiled.sh
. "${VMALLOC_SOURCE:?}/test/support/_profiled.sh"

cat >"$work/clear.c" <<'END_OF_C'
#include <stdlib.h>
#include <string.h>
#include <vmalloc.h>

enum { ROUNDS = 5, BLOCKS = 20000, LARGE = 100 };

static void fill(size_t size, int n)
{
    for (int i = 0; i < n; i++) {
        char *volatile p = malloc(size);
        memset(p, -1, size);
        if (i % 3 == 0)
            free(p);
    }
}

int main(void)
{
    for (int i = 0; i < ROUNDS; i++) {
        char *volatile large[LARGE]; /* blocks that no lane counts, freed when theirs has gone */
        fill(100, BLOCKS);
        if (vmclear(Vmheap) != 0)
            return 1;
        for (int k = 0; k < LARGE; k++)
            large[k] = malloc(200000);
        for (int k = 0; k < LARGE; k++)
            free(large[k]);
        fill(48, BLOCKS);
    }
    return 0;
}
END_OF_C
if ! "${CC:-cc}" -g -O1 -I"$VMALLOC_SOURCE/include" -o "$work/clear" "$work/clear.c" "$library" \
    -Wl,-rpath,"$(dirname "$library")" 2>"$work/err"; then
    cat "$work/err"
    exit 77
fi
timeout 60 env VMPROFILE="$work/profile,sample=8192" "$work/clear" || { echo "FAILED: the program ended with $?"; exit 1; }
calls=$("$command" report --json "$work/profile" | grep -o '"calls":[0-9]*' | head -n 1 | cut -d: -f2)
# 5 rounds of 40000 blocks of 100 and 48 bytes and 100 large ones: 6 standard errors to either side
if [ "${calls:-0}" -lt 150000 ] || [ "$calls" -gt 250000 ]; then
    echo "FAILED: ${calls:-no} blocks of some 200500"
    exit 1
fi
