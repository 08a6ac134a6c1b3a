/* SPDX-License-Identifier: MIT */
/* What a user of the package compiles; MALLOC_IS_OURS tells what the program was linked to. */
#include <stdlib.h>
#include <vmalloc.h>
#include <vmalloc/discipline.h>
#include <vmalloc/method.h>

int main(void)
{
    Vmalloc_t *vm = vmopen(Vmdcsystem, Vmlast, 0);
    void *p = malloc(100), *q = vmalloc(vm, 100);
    int bad = vmregion(q) != vm || (vmregion(p) == Vmheap) != MALLOC_IS_OURS;

    free(p);
    return vmclose(vm) != 0 || bad;
}
