/* SPDX-License-Identifier: MIT */
/*
 * vmgetmem: a region's life through one function.
 */
#include "parts.h"

Void_t *vmgetmem(Vmalloc_t *vm, Void_t *addr, size_t size)
{
    if (vm == NULL)
        return vmopen(Vmdcheap, Vmbest, 0);
    if (addr == NULL && size == 0) {
        vmclose(vm);
        return NULL;
    }
    return vmresize(vm, addr, size, VM_RSMOVE | VM_RSCOPY | VM_RSZERO);
}
