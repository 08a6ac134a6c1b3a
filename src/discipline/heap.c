/* SPDX-License-Identifier: MIT */
/*
 * Vmdcheap: a segment is a block of Vmheap.
 *
 * Holds no state, and memoryf does not look at its discipline: programs copy it, or its memoryf
 * alone, into disciplines of their own.  Cost: that of a block.
 */
#include "discipline_tables.h"
#include "region.h"
#include "request.h"

Void_t *vmdc_heap_memoryf(Vmalloc_t *vm, Void_t *addr, size_t csize, size_t nsize, Vmdisc_t *disc)
{
    Vmalloc_t *heap = vmr_heap();
    Void_t *r = NULL;

    (void)vm, (void)disc;
    if (heap == NULL)
        return NULL;
    vmr_inside++;
    switch (vmdc_request(addr, csize, nsize)) {
    case VMDC_GET:
        r = vmalloc(heap, nsize);
        break;
    case VMDC_GROW:
    case VMDC_SHRINK:
        r = vmresize(heap, addr, nsize, 0);
        break;
    case VMDC_RELEASE:
        r = vmfree(heap, addr) < 0 ? NULL : addr;
        break;
    case VMDC_NONE:
        break;
    }
    vmr_inside--;
    return r;
}

Vmdisc_t vmdc_heap = {vmdc_heap_memoryf, NULL, 0, sizeof(Vmdisc_t)};
