/* SPDX-License-Identifier: MIT */
/* Whose block is it. */
#include "terror.h"

int main(void)
{
    Vmalloc_t *vm1 = vmopen(Vmdcheap, Vmbest, 0), *vm2 = vmopen(Vmdcheap, Vmbest, 0);
    Void_t *a1, *a2;
    tcheck(vm1 && vm2);
    tcheck((a1 = vmalloc(vm1, 10)) && (a2 = vmalloc(vm2, 10)));
    tcheck(vmregion(a1) == vm1 && vmregion(a2) == vm2);
    tcheck(vmregion(NIL(Void_t *)) == NIL(Vmalloc_t *));
    tcheck(vmaddr(vm1, a1) == 0 && vmaddr(vm1, a2) == -1);
    tcheck(vmsegment(vm1, a1) != 0 && vmsegment(vm1, a2) == 0);
    vmclose(vm1);
    vmclose(vm2);
    return 0;
}
