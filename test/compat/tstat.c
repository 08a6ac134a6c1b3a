/* SPDX-License-Identifier: MIT */
/* Statistics of each method for one block, and after it is freed. */
#include "terror.h"

static Vmstat_t Sb;

static Vmalloc_t *one(Vmethod_t *meth, size_t size, Void_t **p)
{
    Vmalloc_t *vm = vmopen(Vmdcheap, meth, 0);
    tcheck(vm != 0);
    tcheck((*p = vmalloc(vm, size)) != 0);
    tcheck(vmstat(vm, &Sb) == 0);
    return vm;
}

static void none(Vmalloc_t *vm, Void_t *p)
{
    tcheck(vmfree(vm, p) == 0);
    tcheck(vmstat(vm, &Sb) == 0);
    tcheck((int)Sb.n_busy == 0 && Sb.s_busy == 0);
    tcheck(vmclose(vm) == 0);
}

int main(void)
{
    Vmalloc_t *vm;
    Void_t *p;
    vm = one(Vmbest, 123, &p);
    tcheck(Sb.n_busy == 1 && Sb.s_busy >= 123 && Sb.s_busy <= 155);
    none(vm, p);
    vm = one(Vmpool, 13, &p);
    tcheck(Sb.n_busy == 1 && Sb.s_busy == 13);
    none(vm, p);
    vm = one(Vmlast, 123, &p);
    tcheck(Sb.n_busy == 1 && Sb.s_busy >= 123);
    none(vm, p);
    return 0;
}
