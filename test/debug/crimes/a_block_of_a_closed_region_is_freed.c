/* SPDX-License-Identifier: MIT */
/* both: free(0x[0-9a-f]*): block of a region that was cleared or closed: 10 bytes */
#include "_crime.h"
#include <vmalloc.h>

void crime(int right)
{
    Vmalloc_t *vm = vmopen(Vmdcsystem, Vmdebug, 0);
    void *p = vmalloc(vm, 10);
    vmclose(vm);
    if (!right)
        free(hide(p));
}
