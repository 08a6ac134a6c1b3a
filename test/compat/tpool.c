/* SPDX-License-Identifier: MIT */
/* A pool keeps the size it was first asked for, to the byte. */
#include "terror.h"

int main(void)
{
    Vmalloc_t *vm = vmopen(Vmdcheap, Vmpool, 0);
    char *p, *q;
    Vmstat_t sb;
    tcheck(vm != 0);
    tcheck((p = (char *)vmalloc(vm, 15)) != 0);
    tcheck((q = (char *)vmalloc(vm, 15)) != 0);
    tcheck((Vmulong_t)p % ALIGN == 0 && (Vmulong_t)q % ALIGN == 0);
    tcheck(vmresize(vm, q, 18, VM_RSCOPY) == 0);
    tcheck(vmalloc(vm, 16) == 0);
    tcheck(vmfree(vm, p) == 0);
    tcheck(vmsize(vm, p) < 0);
    tcheck(vmsize(vm, q) == 15);
    tcheck(vmstat(vm, &sb) == 0 && (int)sb.n_busy == 1 && sb.s_busy == 15);
    tcheck(vmclose(vm) == 0);
    return 0;
}
