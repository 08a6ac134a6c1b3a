/* SPDX-License-Identifier: MIT */
/* both: vmclose(): the region is closed */
#include "_crime.h"
#include <vmalloc.h>

void crime(int right)
{
    Vmalloc_t *vm = vmopen(Vmdcsystem, Vmdebug, 0);
    vmclose(vm);
    if (!right)
        vmclose((Vmalloc_t *)hide(vm));
}
