/* SPDX-License-Identifier: MIT */
/* both: vmfree(0x[0-9a-f]*): block of a region that was cleared or closed: 10 bytes */
#include "_crime.h"
#include <vmalloc.h>

void crime(int right)
{
    Vmalloc_t *vm = vmopen(Vmdcheap, Vmdebug, 0);
    void *p = vmalloc(vm, 10);
    if (right)
        vmfree(vm, p);
    vmclear(vm);
    if (!right)
        vmfree(vm, p);
    vmclose(vm);
}
