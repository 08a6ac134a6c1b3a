/* SPDX-License-Identifier: MIT */
/* N regions of Vmbest at once on the heap discipline, for bench/curves: ns to open and close one, ns of a
 * pair in a random one of them, and bytes of memory for each. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <vmalloc.h>

enum { PAIRS = 1000000, TURNS = 100000 };

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static size_t next(uint64_t *x, size_t n)
{
    *x = *x * UINT64_C(6364136223846793005) + 1442695040888963407;
    return (size_t)(*x >> 33) % n;
}

/* All n are opened and then closed so many times that it can be measured, after once for warmth: ns for each. */
static double turns(Vmalloc_t **vm, size_t n)
{
    size_t rounds = n < TURNS ? TURNS / n : 1, r, i;
    double began = 0;
    for (r = 0; r <= rounds; r++) {
        if (r == 1)
            began = seconds();
        for (i = 0; i < n; i++)
            if ((vm[i] = vmopen(Vmdcheap, Vmbest, 0)) == NULL)
                return -1;
        for (i = 0; i < n; i++)
            vmclose(vm[i]);
    }
    return (seconds() - began) / (double)rounds / (double)n * 1e9;
}

/* ns of a pair in a random one. */
static double pairs(Vmalloc_t **vm, size_t n)
{
    double began = seconds();
    uint64_t x = 1;
    int i;
    for (i = 0; i < PAIRS; i++) {
        Vmalloc_t *v = vm[next(&x, n)];
        void *p = vmalloc(v, 16 + next(&x, 200));
        if (p == NULL || vmfree(v, p) < 0)
            return -1;
    }
    return (seconds() - began) / PAIRS * 1e9;
}

int main(int argc, char **argv)
{
    size_t n = argc > 1 ? strtoul(argv[1], NULL, 10) : 1000, i;
    Vmalloc_t **vm = malloc(n * sizeof(*vm));
    Vmstat_t st;
    double open, pair;
    if (n == 0 || vm == NULL || (open = turns(vm, n)) < 0)
        return 1;
    for (i = 0; i < n; i++)
        if ((vm[i] = vmopen(Vmdcheap, Vmbest, 0)) == NULL)
            return 1;
    vmstat(Vmheap, &st);
    pair = pairs(vm, n);
    printf("%zu %.1f %.1f %.0f\n", n, open, pair, (double)st.s_busy / (double)n);
    for (i = 0; i < n; i++)
        vmclose(vm[i]);
    free(vm);
    return pair < 0;
}
