/* SPDX-License-Identifier: MIT */
/* both: vmfree(0x[0-9a-f]*): wrong region: block of 10 bytes of region "malloc" */
#include "_crime.h"
#include <vmalloc.h>

void crime(int right)
{
    Vmalloc_t *vm = vmopen(Vmdcheap, Vmdebug, 0);
    char *p = block(10);
    if (!right)
        vmfree(vm, p);
    vmclose(vm);
    free(p);
}
