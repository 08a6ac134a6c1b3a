/* SPDX-License-Identifier: MIT */
/* Vmheap as the first thing that the library is asked for. */
#include "terror.h"

int main(void)
{
    char *p = (char *)vmalloc(Vmheap, 100), *q;
    tcheck(p != 0);
    memset(p, 1, 100);
    tcheck(vmregion(p) == Vmheap);
    tcheck(vmregion(&p) == 0);
    tcheck((q = vmnewof(Vmheap, 0, char, 100, 1)) != 0 && q[100] == 0);
    tcheck(Vmregion == Vmheap);
    tcheck(vmclose(Vmheap) < 0);
    tcheck(vmfree(Vmheap, p) == 0 && vmfree(Vmheap, q) == 0);
    tcheck(vmset(_VM_(Vmheap), 0, 0) & VM_MTBEST);
    tcheck(_Vmheap.disc == Vmdcsystem);
    return 0;
}
