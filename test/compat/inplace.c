/* SPDX-License-Identifier: MIT */
/* A sort shrinks its buffers with type 0; a record library grows strings in place or gives up. */
#include "terror.h"

int main(void)
{
    Vmalloc_t *vm = vmopen(Vmdcheap, Vmbest, 0);
    char *p, *q;
    size_t n;
    tcheck(vm != 0);
    for (n = 100; n < 1000000; n *= 7) {
        tcheck((p = (char *)vmalloc(vm, n)) != 0);
        p[n / 3 - 1] = 'z';
        tcheck(vmresize(vm, p, n / 3, 0) == p);
        tcheck(p[n / 3 - 1] == 'z');
        if ((q = (char *)vmresize(vm, p, n, 0)) == 0)
            tcheck((q = (char *)vmresize(vm, p, n, VM_RSCOPY)) != 0);
        tcheck(q[n / 3 - 1] == 'z');
    }
    tcheck(vmresize(vm, 0, 50, VM_RSZERO) != 0);
    tcheck(vmclose(vm) == 0);
    return 0;
}
