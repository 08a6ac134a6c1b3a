/* SPDX-License-Identifier: MIT */
/* 32 threads allocate, resize and free in one region; nobody finds another's bytes. */
#include "terror.h"

#include <pthread.h>

#define THREADS 32
#define ROUNDS 2000
#define SLOTS 64

static void *work(void *arg)
{
    int id = (int)(size_t)arg, k, i, n;
    unsigned seed = (unsigned)id * 7919u + 1;
    char *p[SLOTS];
    int size[SLOTS];
    memset(p, 0, sizeof p);
    for (k = 0; k < ROUNDS; ++k) {
        seed = seed * 1103515245u + 12345u;
        i = (int)(seed >> 16) % SLOTS;
        n = 1 + (int)(seed >> 8) % 500;
        if (p[i] != 0) {
            if (p[i][0] != id || p[i][size[i] - 1] != id)
                terror("a block was overwritten");
            if (k % 3 == 0) {
                vmfree(Vmregion, p[i]);
                p[i] = 0;
                continue;
            }
        }
        p[i] = (char *)vmresize(Vmregion, p[i], (size_t)n, VM_RSCOPY | VM_RSMOVE);
        if (p[i] == 0)
            terror("no memory");
        memset(p[i], id, (size_t)n);
        size[i] = n;
    }
    for (i = 0; i < SLOTS; ++i)
        if (vmfree(Vmregion, p[i]) != 0)
            terror("a block cannot be freed");
    return 0;
}

int main(void)
{
    pthread_t t[THREADS];
    Vmstat_t st;
    size_t before, i;
    tcheck(vmstat(Vmheap, &st) == 0);
    before = st.n_busy;
    for (i = 0; i < THREADS; ++i)
        tcheck(pthread_create(&t[i], 0, work, (void *)(i + 1)) == 0);
    for (i = 0; i < THREADS; ++i)
        tcheck(pthread_join(t[i], 0) == 0);
    tcheck(vmstat(NIL(Vmalloc_t *), &st) == 0);
    tcheck(st.n_region >= 1 && st.n_busy == before);
    tcheck(vmdbcheck(Vmregion) == 0);
    return 0;
}
