#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A profile of every block becomes one of samples: figures stay right, and nothing is lost or
# damaged on the way, with threads and with blocks that live through it.
set -uo pipefail

# shellcheck source=test/support/_profiled.sh
. "${VMALLOC_SOURCE:?}/test/support/_profiled.sh"

cat >"$work/turn.c" <<'END'
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { THREADS = 4, BLOCKS = 100000, KEPT = 1000, SIZE = 1000 };
static char *kept[THREADS][KEPT];

static void *work(void *arg)
{
    char **mine = kept[(size_t)arg];
    for (int i = 0; i < BLOCKS; i++) {
        char *p = malloc(SIZE);
        memset(p, i, SIZE);
        free(mine[i % KEPT]);
        mine[i % KEPT] = p;
    }
    return NULL;
}

int main(void)
{
    pthread_t t[THREADS];
    for (size_t i = 0; i < THREADS; i++)
        pthread_create(&t[i], NULL, work, (void *)i);
    for (size_t i = 0; i < THREADS; i++)
        pthread_join(t[i], NULL);
    for (size_t i = 0; i < THREADS; i++) {
        for (size_t j = 0; j < KEPT / 2; j++)
            free(kept[i][j]);
        for (size_t j = KEPT / 2; j < KEPT; j++)
            memset(kept[i][j] = realloc(kept[i][j], 2 * SIZE), 1, 2 * SIZE);
    }
    return 0;
}
END
"${CC:-cc}" -g -O1 -pthread -o "$work/turn" "$work/turn.c" 2>"$work/err" || { cat "$work/err"; exit 77; }

# number NAME: from the report, the first one of that name
number() { grep -o "\"$1\":[0-9]*" "$work/turn.json" | head -n 1 | cut -d: -f2; }

# within NAME LOW HIGH
within() {
    local n
    n=$(number "$1")
    if [ -z "$n" ] || [ "$n" -lt "$2" ] || [ "$n" -gt "$3" ]; then
        echo "FAILED: $words: $1 is ${n:-nothing}, not from $2 to $3"
        failed=1
    fi
}

run() {
    words=$1
    timeout 100 env LD_PRELOAD="$library" VMPROFILE="$work/turn.prof,seed=5,$words" "$work/turn" || exit 1
    "$command" report --json "$work/turn.prof" >"$work/turn.json" || exit 1
    within damaged 0 0
    within missed 0 0
}

failed=0
# All count; the program's own and a few of libc.
run exact=10000000
within period 0 0
within samples 0 0
within calls 402000 402100
within livebytes 4000000 4010000

# 1 000 bytes of 20 000: five times the standard error, P sqrt(samples), to either side.
run exact=100000,sample=20000
within period 20000 20000
within samples 13000 17000
within bytes 392000000 416000000
within calls 390000 414000
within livebytes 2500000 5500000
"$command" report "$work/turn.prof" >"$work/turn.text" || failed=1
grep -q 'before that *the first 100' "$work/turn.text" || { echo 'FAILED: not told'; failed=1; }

# Samples from the beginning: what the lanes' meters let pass is right, too.
run sample=20000
within period 20000 20000
within bytes 392000000 416000000
within calls 390000 414000
within livebytes 4000000 8000000

# And no turn at all.
run full
within period 0 0
within calls 402000 402100
exit "$failed"
