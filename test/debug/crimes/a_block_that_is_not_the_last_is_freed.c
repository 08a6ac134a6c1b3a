/* SPDX-License-Identifier: MIT */
/* both: vmfree(0x[0-9a-f]*): this block cannot be freed */
#include "_crime.h"
#include <vmalloc.h>
#include <vmalloc/method.h>

void crime(int right)
{
    Vmalloc_t *vm = vmopen(Vmdcheap, vmover(Vmdebug, Vmlast), 0);
    void *p = vmalloc(vm, 10), *q = vmalloc(vm, 10);
    vmfree(vm, right ? q : p);
    vmclose(vm);
}
