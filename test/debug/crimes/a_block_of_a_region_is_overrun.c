/* SPDX-License-Identifier: MIT */
/* fence: write past the end: 1 byte, 0 bytes behind a block of 10 bytes, found by vmfree() */
/* guard: same */
#include "_crime.h"
#include <vmalloc.h>

void crime(int right)
{
    Vmalloc_t *vm = vmopen(Vmdcheap, Vmdebug, 0);
    char *p = (char *)vmalloc(vm, 10);
    put(p, right ? 9 : 10);
    vmfree(vm, p);
    vmclose(vm);
}
