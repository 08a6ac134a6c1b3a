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

    (void)vm, (void)disc;
    if (heap == NULL)
        return NULL;
    switch (vmdc_request(addr, csize, nsize)) {
    case VMDC_GET:
        return vmalloc(heap, nsize);
    case VMDC_GROW:
    case VMDC_SHRINK:
        return vmresize(heap, addr, nsize, 0);
    case VMDC_RELEASE:
        return vmfree(heap, addr) < 0 ? NULL : addr;
    case VMDC_NONE:
        break;
    }
    return NULL;
}

Vmdisc_t vmdc_heap = {vmdc_heap_memoryf, NULL, 0, sizeof(Vmdisc_t)};
