/* SPDX-License-Identifier: MIT */
/* Vmlast on segments whose size is a multiple of 127. */
#include "terror.h"

int main(void)
{
    Vmalloc_t *vm;
    char *first, *second, *other;
    Vmdcheap->round = 127;
    tcheck((vm = vmopen(Vmdcheap, Vmlast, 0)) != 0);
    tcheck((first = (char *)vmalloc(vm, 5)) != 0);
    tcheck((Vmulong_t)first % ALIGN == 0);
    tcheck((second = (char *)vmalloc(vm, 8)) != 0);
    tcheck((Vmulong_t)second % ALIGN == 0);
    tcheck(vmfree(vm, first) < 0);
    tcheck(vmfree(vm, second) == 0);
    tcheck((other = (char *)vmalloc(vm, 10)) != 0);
    tcheck(other == second);
    tcheck((other = (char *)vmresize(vm, other, 256, 1)) != 0);
    tcheck((other = (char *)vmresize(vm, other, 32, 0)) != 0);
    memset(other, 1, 32);
    tcheck(vmclose(vm) == 0);
    return 0;
}
