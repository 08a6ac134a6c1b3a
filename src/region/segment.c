/* SPDX-License-Identifier: MIT */
/*
 * segment: what holds for every segment, the first and the later ones.
 *
 *   addr           base                                end       addr + extent
 *   | gap | Vmseg_t | usable                            | gap |
 *
 * Discipline and program may give memory at any address: the gaps together are 0 or VM_ALIGN
 * bytes, because extent is a multiple of VM_ALIGN.
 */
#include "parts.h"

#include <string.h>

Vmseg_t *vmr_layseg(char *addr, size_t extent)
{
    Vmseg_t *seg = (Vmseg_t *)(void *)VMB_UP(addr, VM_ALIGN);

    memset(seg, 0, sizeof *seg);
    seg->addr = addr;
    seg->extent = extent;
    seg->base = (char *)seg + VMR_SEGHEAD;
    seg->end = (char *)VMB_DOWN(addr + extent, VM_ALIGN);
    return seg;
}

size_t vmr_segsize(Vmalloc_t *vm, size_t usable)
{
    size_t size;

    if (vmb_addover(usable, VMR_SEGHEAD + VM_ALIGN, &size))
        return 0;
    return vmb_round(size, vm->data->incr);
}

/* Add to the region's extent, or take from it when delta is "negative". */
static void account(Vmdata_t *data, size_t delta)
{
    data->extent += delta;
    if (data->extent > data->maxextent)
        data->maxextent = data->extent;
}

void vmr_linkseg(Vmalloc_t *vm, Vmseg_t *seg)
{
    Vmdata_t *data = vm->data;

    seg->next = data->segs;
    data->segs = seg;
    data->nseg++;
    account(data, seg->extent);
    vmr_index_add(vm, seg);
}

void vmr_setextent(Vmalloc_t *vm, Vmseg_t *seg, size_t extent)
{
    vmr_note(vm, &vm->data->nseg, 3 * sizeof(size_t));
    vmr_note(vm, &seg->extent, (size_t)((char *)&seg->own - (char *)&seg->extent));
    account(vm->data, extent - seg->extent);
    seg->extent = extent;
    seg->end = (char *)VMB_DOWN(seg->addr + extent, VM_ALIGN);
    vmr_index_setend(vm, seg);
}

/* The pointer to seg in the list of segments, NULL when it is not there. */
static Vmseg_t **linkto(Vmdata_t *data, const Vmseg_t *seg)
{
    Vmseg_t **at = &data->segs;

    while (*at != NULL && *at != seg)
        at = &(*at)->next;
    return *at != NULL ? at : NULL;
}

int vmmtrelease(Vmalloc_t *vm, Vmseg_t *seg)
{
    Vmseg_t **at = linkto(vm->data, seg), *next = seg->next;
    size_t extent = seg->extent;
    char *addr = seg->addr;
    int e = errno;

    if (at == NULL || next == NULL) { /* the first one holds the region itself */
        errno = EINVAL;
        return -1;
    }
    vmr_index_remove(vm, seg); /* nobody shall look for addresses in what may go */
    vmr_sweep(vm, addr, addr + extent);
    if (vmr_ask(vm, addr, extent, 0) == NULL) {
        vmr_index_add(vm, seg);
        return -1;
    }
    *at = next;
    vm->data->nseg--;
    account(vm->data, 0 - extent);
    errno = e;
    return 0;
}

int vmmtshrink(Vmalloc_t *vm, Vmseg_t *seg, size_t keep)
{
    size_t head = (size_t)(seg->base - seg->addr), extent;
    int e = errno;

    if (vmb_addover(keep, VM_ALIGN - 1, &extent) || vmb_addover(extent, head, &extent))
        return 0;
    extent = vmb_round(head + VMB_UP(keep, VM_ALIGN), vm->data->incr);
    if (extent == 0 || extent >= seg->extent)
        return 0;
    vmr_sweep(vm, seg->addr + extent, seg->addr + seg->extent);
    if (vmr_ask(vm, seg->addr, seg->extent, extent) == NULL)
        return -1;
    vmr_setextent(vm, seg, extent);
    errno = e;
    return 0;
}
