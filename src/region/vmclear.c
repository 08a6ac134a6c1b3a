/* SPDX-License-Identifier: MIT */
/*
 * vmclear: free every block of a region and keep its segments.
 *
 * Regions that lie in its blocks die with them.  With Vmheap, that is every other region: their
 * handles are blocks of it.
 */
#include "parts.h"

int vmclear(Vmalloc_t *vm)
{
    Vmalloc_t *other, *next;
    int e = errno, r;

    if (vmr_live(vm) == NULL)
        return -1;
    vmos_lock(&vmr_listlock);
    vmr_drown(vm);
    for (other = vm == VMR_HEAP ? vm->next : NULL; other != NULL; other = next) {
        next = other->next;
        vmr_sink(other);
        vmr_index_purge(vmr_handle(other));
    }
    vmos_unlock(&vmr_listlock);
    vmr_lock(vm);
    vm->data->user = NULL;
    r = (*vm->meth.more->eventf)(vm, VM_METHCLEAR, NULL);
    vmr_unlock(vm);
    if (r < 0)
        return -1;
    errno = e;
    return 0;
}
