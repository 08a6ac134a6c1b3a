/* SPDX-License-Identifier: MIT */
/*
 * vmsegment: the segment of a region that holds an address.
 *
 * Not through the index: that knows the innermost segment, and this may be one around it.
 */
#include "parts.h"

Void_t *vmsegment(Vmalloc_t *vm, Void_t *addr)
{
    const char *at = addr;
    Vmseg_t *seg;

    if (vmr_live(vm) == NULL)
        return NULL;
    vmr_lock(vm);
    for (seg = vm->data->segs; seg != NULL; seg = seg->next)
        if (at >= seg->addr && at < seg->addr + seg->extent)
            break;
    vmr_unlock(vm);
    return seg != NULL ? seg->addr : NULL;
}

Void_t *vmsegfind(Vmalloc_t *vm, Void_t *addr)
{
    return vmsegment(vm, addr);
}
