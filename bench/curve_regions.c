/* SPDX-License-Identifier: MIT */
/* N regions of Vmbest at once on the heap discipline, for bench/curves: ns to open and close one, ns of a
 * pair in a random one of them, and bytes of memory for each. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <vmalloc.h>

enum { PAIRS = 1000000 };

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

int main(int argc, char **argv)
{
    size_t n = argc > 1 ? strtoul(argv[1], NULL, 10) : 1000, i;
    Vmalloc_t **vm = malloc(n * sizeof(*vm));
    Vmstat_t st;
    uint64_t x = 1;
    double open, pair, close;
    if (vm == NULL)
        return 1;
    open = seconds();
    for (i = 0; i < n; i++)
        if ((vm[i] = vmopen(Vmdcheap, Vmbest, 0)) == NULL)
            return 1;
    open = seconds() - open;
    vmstat(Vmheap, &st);
    pair = seconds();
    for (i = 0; i < PAIRS; i++) {
        Vmalloc_t *v = vm[next(&x, n)];
        void *p = vmalloc(v, 16 + next(&x, 200));
        if (p == NULL || vmfree(v, p) < 0)
            return 1;
    }
    pair = seconds() - pair;
    close = seconds();
    for (i = 0; i < n; i++)
        vmclose(vm[i]);
    close = seconds() - close;
    printf("%zu %.1f %.1f %.0f\n", n, (open + close) / (double)n * 1e9, pair / PAIRS * 1e9,
           (double)st.s_busy / (double)n);
    free(vm);
    return 0;
}
