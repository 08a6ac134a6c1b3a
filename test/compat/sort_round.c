/* SPDX-License-Identifier: MIT */
/* A sort sets the increment of the library's own discipline before it opens its regions. */
#include "terror.h"

static size_t Odd;

static int walk(Vmalloc_t *vm, Void_t *addr, size_t size, Vmdisc_t *disc, Void_t *handle)
{
    (void)addr;
    if (vm == (Vmalloc_t *)handle && size % disc->round != 0)
        Odd++;
    return 0;
}

int main(void)
{
    Vmalloc_t *vm;
    int i;
    Vmdcsbrk->round = 256 * 1024;
    tcheck(Vmdcsystem->round == Vmdcsbrk->round); /* two names of one object */
    tcheck((vm = vmopen(Vmdcsbrk, Vmlast, 0)) != 0);
    for (i = 0; i < 1000; ++i)
        tcheck(vmalloc(vm, 1000) != 0);
    tcheck(vmwalk(vm, walk, (Void_t *)vm) == 0 && Odd == 0);
    tcheck(vmclose(vm) == 0);
    return 0;
}
