/* SPDX-License-Identifier: MIT */
/* both: vmfree(0x[0-9a-f]*): wrong region: block of 10 bytes of region "ours", given to region "theirs" */
#include "_crime.h"
#include <vmalloc.h>

void crime(int right)
{
    Vmalloc_t *ours = vmopen(Vmdcheap, Vmdebug, 0), *theirs = vmopen(Vmdcheap, Vmdebug, 0);
    void *p = vmalloc(ours, 10);
    vmname(ours, "ours");
    vmname(theirs, "theirs");
    if (!right)
        vmfree(theirs, p);
    vmfree(ours, p);
    vmclose(theirs);
    vmclose(ours);
}
