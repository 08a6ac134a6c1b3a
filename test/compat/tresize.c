/* SPDX-License-Identifier: MIT */
/*
 * Growing and shrinking a block whose neighbours are free.  The original kept the block where it
 * was; like its last version, we promise that only to those who ask for it with type 0, that a
 * refusal harms nothing, and that shrinking never moves.
 */
#include "terror.h"

static char *resize(Vmalloc_t *vm, char *p, size_t osize, size_t nsize, int type)
{
    char *q = (char *)vmresize(vm, p, nsize, type);
    size_t i, n = osize < nsize ? osize : nsize;
    if (q == 0) {
        tcheck(type == 0 && nsize > osize);
        tcheck((q = (char *)vmresize(vm, p, nsize, VM_RSCOPY)) != 0);
    } else if (type == 0 || nsize <= osize)
        tcheck(q == p);
    for (i = 0; i < n; ++i)
        tcheck(q[i] == 'x');
    memset(q, 'x', nsize);
    return q;
}

int main(void)
{
    Vmalloc_t *vm = vmopen(Vmdcheap, Vmbest, 0);
    char *a[4];
    int i;
    tcheck(vm != 0);
    for (i = 0; i < 4; ++i) {
        tcheck((a[i] = (char *)vmalloc(vm, 32)) != 0);
        memset(a[i], 'x', 32);
    }
    tcheck(vmfree(vm, a[1]) == 0 && vmfree(vm, a[3]) == 0);
    a[2] = resize(vm, a[2], 32, 60, VM_RSCOPY | VM_RSMOVE);
    a[2] = resize(vm, a[2], 60, 32, VM_RSCOPY | VM_RSMOVE);
    a[2] = resize(vm, a[2], 32, 120, VM_RSCOPY);
    a[2] = resize(vm, a[2], 120, 32, 0);
    a[2] = resize(vm, a[2], 32, 60, 0);
    a[2] = resize(vm, a[2], 60, 120, 0);
    a[0] = resize(vm, a[0], 32, 100000, VM_RSCOPY);
    a[0] = resize(vm, a[0], 100000, 50000, 0);
    a[0] = resize(vm, a[0], 50000, 90000, 0);
    tcheck(vmdbcheck(vm) >= 0);
    tcheck(vmclose(vm) == 0);
    return 0;
}
