/* SPDX-License-Identifier: MIT */
/* Six small blocks, two freed, structure sound, compaction. */
#include "terror.h"

int main(void)
{
    Vmalloc_t *vm = vmopen(Vmdcsystem, Vmbest, VM_TRUST);
    Void_t *p[6];
    int i;
    tcheck(vm != 0);
    for (i = 0; i < 6; ++i)
        tcheck((p[i] = vmalloc(vm, 4 + i)) != 0);
    tcheck(vmfree(vm, p[2]) == 0 && vmfree(vm, p[4]) == 0);
    tcheck(vmdbcheck(vm) >= 0);
    tcheck(vmcompact(vm) >= 0);
    tcheck(vmdbcheck(vm) >= 0);
    for (i = 0; i < 6; ++i)
        if (i != 2 && i != 4)
            tcheck(vmfree(vm, p[i]) == 0);
    tcheck(vmclose(vm) == 0);
    return 0;
}
