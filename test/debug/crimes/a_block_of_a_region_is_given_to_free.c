/* SPDX-License-Identifier: MIT */
/* both: free(0x[0-9a-f]*): wrong family: block of 10 bytes comes from vmalloc, which is given back by vmfree */
#include "_crime.h"
#include <vmalloc.h>

void crime(int right)
{
    Vmalloc_t *vm = vmopen(Vmdcsystem, Vmdebug, 0);
    void *p = vmalloc(vm, 10);
    if (right)
        vmfree(vm, p);
    else
        free(p);
    vmclose(vm);
}
