#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# VMPROFILE=file,unused: what a program asks for and never writes is told by site, to the byte, freed
# or not, and without touching what the program does not touch.
set -uo pipefail

# shellcheck source=test/support/_profiled.sh
. "${VMALLOC_SOURCE:?}/test/support/_profiled.sh"

cat >"$work/waste.c" <<'END_OF_C'
#include <stdlib.h>
#include <string.h>

__attribute__((noinline)) static void use(char *p, size_t n)
{
    memset(p, 'x', n);
    __asm__ volatile("" : : "r"(p) : "memory");
}

static char *volatile kept[100];

int main(void)
{
    char *large, *p;
    for (int i = 0; i < 100; i++) {
        p = malloc(1000); /* 900 of each are not written */
        use(p, 100);
        free(p);
        p = calloc(5, 400); /* 1000 */
        use(p, 1000);
        free(p);
        use(kept[i] = malloc(64), 60); /* 4, and never freed */
    }
    large = malloc(512 << 20); /* all but 4096 */
    use(large, 4096);
    p = realloc(NULL, 100);
    use(p, 100);
    p = realloc(p, 200);
    use(p, 150); /* 50 */
    free(p);
    return 0;
}
END_OF_C
"${CC:-cc}" -g -O1 -o "$work/waste" "$work/waste.c" 2>"$work/err" || { cat "$work/err"; exit 77; }

failed=0
# 100 * (900 + 1000 + 4) + (512 << 20) - 4096 + 50
wanted=$((190400 + 536870912 - 4096 + 50))
for word in unused unused=1; do
    rm -f "$work/profile"
    LD_PRELOAD="$library" VMPROFILE="$work/profile,$word" "$work/waste" || { echo "FAILED: the program"; exit 1; }
    "$command" report --json "$work/profile" >"$work/json" || exit 1
    sum=$(grep -o '"unused":[0-9]*' "$work/json" | sed -n 2p | cut -d: -f2)
    [ "${sum:-0}" -eq "$wanted" ] || { echo "FAILED: ${sum:-nothing} bytes, not $wanted"; failed=1; }
    grep -q '"unused":2,' "$work/json" || { echo "FAILED: not all blocks were looked at"; failed=1; }
done

# Samples tell nothing of it: it goes first in any order, and that is said.
for word in unused,sample=64k sample,unused unused,exact=10 exact=10,unused; do
    rm -f "$work/profile"
    LD_PRELOAD="$library" VMPROFILE="$work/profile,$word" "$work/waste" 2>"$work/err" || failed=1
    grep -q 'unused looks at every block' "$work/err" || { echo "FAILED: $word: nothing said"; failed=1; }
    "$command" report --json "$work/profile" >"$work/json" || failed=1
    sum=$(grep -o '"unused":[0-9]*' "$work/json" | sed -n 2p | cut -d: -f2)
    [ "${sum:-0}" -eq "$wanted" ] || { echo "FAILED: $word: ${sum:-nothing} bytes, not $wanted"; failed=1; }
done

# The largest site is the first line of the list, with its share.
"$command" report --by=unused "$work/profile" >"$work/text" || failed=1
grep -q 'unused .* were never written$' "$work/text" || { echo "FAILED: the summary"; failed=1; }
grep -A2 '^Bytes asked for and never written' "$work/text" | tail -n 1 |
    grep -q 'main .*100% of 512 MiB asked for' || { echo "FAILED: the list:"; cat "$work/text"; failed=1; }
# Resident: some MiB, not 512.
resident=$(awk '$1 == "resident" && $3 == "MiB" { print int($2) }' "$work/text")
[ "${resident:-999}" -lt 100 ] || { echo "FAILED: ${resident:-unknown} MiB were touched"; failed=1; }

# Without the word nothing is told, and asking for it says how.
rm -f "$work/profile"
LD_PRELOAD="$library" VMPROFILE="$work/profile,full" "$work/waste" || failed=1
"$command" report "$work/profile" >"$work/text" 2>&1 || failed=1
grep -q 'never written' "$work/text" && { echo "FAILED: told without being asked"; failed=1; }
"$command" report --by=unused "$work/profile" >"$work/text" 2>&1 && { echo "FAILED: by what is not there"; failed=1; }
grep -q 'FILE,unused' "$work/text" || { echo "FAILED: it does not say how"; failed=1; }

# Pages of blocks that the program may not read are not read at its end.
cat >"$work/guard.c" <<'END_OF_C'
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

int main(void)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    for (size_t n = 1; n <= 40; n++)
        for (size_t at = 0; at < n; at += n / 3 + 1) {
            char *p = aligned_alloc(page, n * page);
            if (p == NULL || mprotect(p + at * page, page, PROT_NONE) != 0)
                return 1;
        }
    return 0;
}
END_OF_C
"${CC:-cc}" -g -O1 -o "$work/guard" "$work/guard.c" || exit 1
LD_PRELOAD="$library" VMPROFILE="$work/profile,unused" "$work/guard" || { echo "FAILED: guarded pages: $?"; failed=1; }
"$command" report --by=unused "$work/profile" >"$work/text" || failed=1

# A thread that frees a large block, which it looks at for a while, when the program ends: the profile is
# whole, and the block is not counted twice.
cat >"$work/late.c" <<'END_OF_C'
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#define SIZE ((size_t)512 << 20)
static int begun;
static char *block;

static void *work(void *arg)
{
    __atomic_store_n(&begun, 1, __ATOMIC_RELEASE);
    free(block);
    return arg;
}

int main(void)
{
    pthread_t t;
    block = malloc(SIZE);
    block[SIZE / 2 - 1] = 'x';
    if (pthread_create(&t, NULL, work, NULL) != 0)
        return 1;
    while (!__atomic_load_n(&begun, __ATOMIC_ACQUIRE))
        usleep(100);
    usleep(2000);
    return 0;
}
END_OF_C
"${CC:-cc}" -g -O1 -pthread -o "$work/late" "$work/late.c" || exit 1
for _ in 1 2 3 4 5; do
    rm -f "$work/profile"
    LD_PRELOAD="$library" VMPROFILE="$work/profile,unused" "$work/late" || failed=1
    "$command" report --json "$work/profile" >"$work/json" 2>"$work/err" || failed=1
    [ -s "$work/err" ] && { echo "FAILED: at the end: $(cat "$work/err")"; failed=1; }
    sum=$(grep -o '"unused":[0-9]*' "$work/json" | sed -n 2p | cut -d: -f2)
    [ "${sum:-0}" -le $((270 << 20)) ] || { echo "FAILED: at the end: $sum bytes"; failed=1; }
done
exit "$failed"
