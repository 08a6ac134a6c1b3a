/* SPDX-License-Identifier: MIT */
/* fence 139: read at 0x[0-9a-f]*, which is not there: no memory of the process$ */
/* guard 139: read in a block of a region that was cleared or closed: 10000000 bytes */
#include "_crime.h"
#include <vmalloc.h>

void crime(int right)
{
    Vmalloc_t *vm = vmopen(Vmdcsystem, Vmdebug, 0);
    char *p = vmalloc(vm, 10000000);
    put(p, 5000000);
    if (right)
        get(p, 5000000);
    vmclose(vm);
    if (!right)
        get(p, 5000000);
}
