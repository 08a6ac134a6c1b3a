/* SPDX-License-Identifier: MIT */
/* A map server: VM_RSCOPY alone is its realloc, VM_RSZERO with no block its calloc, all on Vmheap. */
#include "terror.h"

int main(void)
{
    int *ids = 0, n, i;
    char *names, *between;
    for (n = 10; n <= 10000; n *= 10) {
        tcheck((ids = (int *)vmresize(Vmheap, ids, n * sizeof(int), VM_RSCOPY)) != 0);
        for (i = n / 10 == 1 ? 0 : n / 10; i < n; ++i)
            ids[i] = i;
        tcheck((between = (char *)vmalloc(Vmheap, 100)) != 0); /* so that growing has to move */
        memset(between, 0xff, 100);
    }
    for (i = 0; i < 10000; ++i)
        tcheck(ids[i] == i);
    tcheck((names = (char *)vmresize(Vmheap, NIL(Void_t *), 3000, VM_RSZERO)) != 0);
    for (i = 0; i < 3000; ++i)
        tcheck(names[i] == 0);
    tcheck(vmresize(Vmheap, names, 0, 0) == 0); /* frees */
    tcheck(vmfree(Vmheap, ids) == 0);
    return 0;
}
