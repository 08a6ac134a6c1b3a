#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A profile of every block of malloc() has the sums that the program itself counts: over sizes that
# the short way serves and those that it does not, stacks that come again and new ones, blocks that
# another thread frees, threads that come and go, and in a child of fork().
set -uo pipefail

# shellcheck source=test/support/_profiled.sh
. "${VMALLOC_SOURCE:?}/test/support/_profiled.sh"

cat >"$work/quick.c" <<'EOF'
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum { THREADS = 3, GENERATIONS = 20, BLOCKS = 2000, KEPT = 500 };
typedef struct { unsigned long calls, bytes; } Sum;
static void *shared[KEPT];
static Sum sums[THREADS];

__attribute__((noinline)) static void *leaf(size_t n)
{
    void *p = malloc(n);
    __asm__ volatile("" : : "r"(p) : "memory");
    return p;
}

__attribute__((noinline)) static void *deep(unsigned path, size_t n)
{
    volatile char room[8 + (path & 1) * 40];
    void *p;
    room[0] = 0;
    p = path < 2 ? leaf(n) : path & 1 ? deep(path >> 1, n) : deep(path >> 2, n);
    return (char *)p + room[0];
}

static void *work(void *arg)
{
    Sum *sum = arg;
    unsigned seed = 5 + (unsigned)(sum - sums);
    for (int i = 0; i < BLOCKS; i++) {
        seed = seed * 1664525u + 1013904223u;
        size_t n = i % 100 == 0 ? seed >> 14 : seed >> 22;
        void *p = i % 3 ? leaf(n) : deep(seed >> 24, n);
        free(__atomic_exchange_n(&shared[(seed >> 8) % KEPT], p, __ATOMIC_ACQ_REL));
        sum->calls++;
        sum->bytes += n;
    }
    return NULL;
}

/* Threads that begin have the books and blocks of those that ended. */
static void run(void)
{
    pthread_t t[THREADS];
    Sum all = {0, 0};
    for (int g = 0; g < GENERATIONS * THREADS; g++) {
        if (g >= THREADS)
            pthread_join(t[g % THREADS], NULL);
        pthread_create(&t[g % THREADS], NULL, work, &sums[g % THREADS]);
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(t[i], NULL);
        all.calls += sums[i].calls;
        all.bytes += sums[i].bytes;
        sums[i] = (Sum){0, 0};
    }
    for (int i = 0; i < KEPT; i++)
        free(shared[i]), shared[i] = NULL;
    fprintf(stderr, "%lu %lu\n", all.calls, all.bytes);
}

int main(void)
{
    pid_t child;
    run();
    child = fork();
    run();
    if (child > 0)
        waitpid(child, NULL, 0);
    return 0;
}
EOF
"${CC:-cc}" -g -O1 -pthread -o "$work/quick" "$work/quick.c" 2>"$work/err" || { cat "$work/err"; exit 77; }

timeout 100 env LD_PRELOAD="$library" VMPROFILE="$work/%p.prof,full" "$work/quick" 2>"$work/own" || exit 1

# number NAME FILE: the first one of that name
number() { grep -o "\"$1\":[0-9]*" "$2" | head -n 1 | cut -d: -f2; }
# within NAME FILE LOW HIGH
within() {
    local n
    n=$(number "$1" "$2")
    if [ -z "$n" ] || [ "$n" -lt "$3" ] || [ "$n" -gt "$4" ]; then
        echo "FAILED: $2: $1 is ${n:-nothing}, not from $3 to $4"
        failed=1
    fi
}

failed=0
read -r calls bytes <"$work/own"
[ "$(sort -u "$work/own" | wc -l)" = 1 ] || { echo "the program itself differs"; exit 1; }
files=("$work"/*.prof)
[ ${#files[@]} = 2 ] || { echo "FAILED: ${#files[@]} profiles, not 2"; exit 1; }
# Two runs in the parent, one in the child; threads of libc need a few blocks of their own.
for file in "${files[@]}"; do
    "$command" report --json "$file" >"$file.json" || exit 1
    times=2
    [ "$(number calls "$file.json")" -gt $((calls * 3 / 2)) ] || times=1
    within damaged "$file.json" 0 0
    within missed "$file.json" 0 0
    within calls "$file.json" $((calls * times)) $((calls * times + 100))
    within bytes "$file.json" $((bytes * times)) $((bytes * times + 30000))
    within live "$file.json" 0 20
    echo "$times" >>"$work/times"
done
[ "$(sort "$work/times" | tr '\n' ' ')" = "1 2 " ] || { echo "FAILED: not one parent and one child"; failed=1; }

# Blocks that are resized, in place and not, keep their contents; resizes, growth and the high-water mark
# are those that the program knows of, to the byte.
cat >"$work/resize.c" <<'EOF'
#include <stdio.h>
#include <stdlib.h>

enum { SLOTS = 300, STEPS = 100000 };
static struct { unsigned char *p; size_t n; } slots[SLOTS];

int main(void)
{
    unsigned long seed = 7, calls = 0, bytes = 0, resizes = 0, growth = 0, live = 0, peak = 0;
    for (int i = 0; i < STEPS; i++) {
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        unsigned k = seed >> 40 & 0xffff, slot = k % SLOTS;
        size_t n = 1 + (seed >> 33) % (i % 50 == 0 ? 9000 : 400), old = slots[slot].n;
        unsigned char *p = slots[slot].p;
        if (p != NULL && (p[0] != (unsigned char)slot || p[old - 1] != (unsigned char)slot))
            return 1;
        if (p != NULL && i % 7 == 0) {
            free(p);
            p = NULL, n = 0;
        } else {
            resizes += p != NULL;
            growth += p != NULL && n > old ? n - old : 0;
            p = realloc(p, n);
            if (p == NULL || (old > 0 && p[0] != (unsigned char)slot))
                return 2;
            if (old > 0 && old <= n && p[old - 1] != (unsigned char)slot)
                return 3;
            p[0] = p[n - 1] = (unsigned char)slot;
            calls++, bytes += n;
        }
        live = live - old + n;
        peak = live > peak ? live : peak;
        slots[slot].p = p, slots[slot].n = n;
    }
    fprintf(stderr, "peak %lu\ncalls %lu\nbytes %lu\nlivebytes %lu\nresizes %lu\ngrowth %lu\n", peak, calls,
            bytes, live, resizes, growth);
    return 0;
}
EOF
"${CC:-cc}" -g -O1 -o "$work/resize" "$work/resize.c" || exit 1
LD_PRELOAD="$library" VMPROFILE="$work/resize.profile,full" "$work/resize" 2>"$work/resize.own" ||
    { echo "FAILED: contents of resized blocks: $?"; failed=1; }
"$command" report --json "$work/resize.profile" >"$work/resize.json" || exit 1
while read -r name own; do
    within "$name" "$work/resize.json" "$own" "$own"
done <"$work/resize.own"
[ "$(wc -l <"$work/resize.own")" = 6 ] || { echo "FAILED: the program does not tell its sums"; failed=1; }

# After vmclear() threads look for their lanes again; nothing is allocated but by the loop.
cat >"$work/clear.c" <<'EOF'
#include <stdlib.h>
#include <unistd.h>
#include <vmalloc.h>

static unsigned *all[5000];

int main(void)
{
    for (unsigned round = 0; round < 4; round++) {
        for (unsigned i = 0; i < 5000; i++) {
            all[i] = calloc(1, 16 + i * 37 % 500);
            all[i][0] = i, all[i][1] = round;
        }
        for (unsigned i = 0; i < 5000; i++)
            if (all[i][0] != i || all[i][1] != round)
                _exit(1);
        if (vmdbcheck(Vmregion) != 0 || vmclear(Vmregion) != 0)
            _exit(2);
    }
    _exit(0);
}
EOF
"${CC:-cc}" -g -O1 -I"$VMALLOC_SOURCE/include" -o "$work/clear" "$work/clear.c" "$library" || exit 1
timeout 100 env LD_LIBRARY_PATH="${library%/*}" VMPROFILE="$work/clear.profile,full" "$work/clear" ||
    { echo "FAILED: after vmclear(): $?"; failed=1; }
exit "$failed"
