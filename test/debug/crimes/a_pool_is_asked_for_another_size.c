/* SPDX-License-Identifier: MIT */
/* both: a pool has blocks of one size: 20 asked for, 10 before */
#include "_crime.h"
#include <vmalloc.h>
#include <vmalloc/method.h>

void crime(int right)
{
    Vmalloc_t *vm = vmopen(Vmdcheap, vmover(Vmdebug, Vmpool), 0);
    vmalloc(vm, 10);
    if ((vmalloc(vm, number(right ? 10 : 20)) != NULL) != right)
        exit(1);
    vmclose(vm);
}
