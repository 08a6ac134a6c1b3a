/* SPDX-License-Identifier: MIT */
/* both: vmalloc(): the region is closed */
#include "_crime.h"
#include <vmalloc.h>

void crime(int right)
{
    Vmalloc_t *vm = vmopen(Vmdcsystem, Vmdebug, 0);
    if (right)
        vmalloc(vm, 10);
    vmclose(vm);
    if (!right && vmalloc((Vmalloc_t *)hide(vm), 10) != NULL)
        exit(1);
}
