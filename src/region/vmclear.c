/* SPDX-License-Identifier: MIT */
/*
 * vmclear: free every block of a region and keep its segments.
 *
 * Regions that lie in its blocks die with them.
 */
#include "parts.h"

/* Vmheap is cleared: the handles of other regions are blocks of it. */
static void losehandles(void)
{
    Vmalloc_t *vm, *next;

    for (vm = VMR_HEAP->next; vm != NULL; vm = next) {
        next = vm->next;
        if (vmr_handle(vm)->inside)
            continue;
        vmr_sink(vm);
        vmr_unlink(vm);
        vmr_index_purge(vmr_handle(vm));
    }
}

int vmclear(Vmalloc_t *vm)
{
    int e = errno, r;

    if (vmr_live(vm) == NULL)
        return -1;
    VMOS_PROBE1(clear, vm);
    vmr_tell(vm, VMR_CLEARING);
    vmos_lock(&vmr_listlock);
    vmr_drown(vm);
    if (vm == VMR_HEAP)
        losehandles();
    vmos_unlock(&vmr_listlock);
    if (vmr_istold())
        (*vmr_checker->clearedf)(vm);
    vmr_lock(vm);
    if (vmr_shared(vm))
        vmr_beginagain(vm, VM_METHCLEAR), vmr_forgive(vm);
    vm->data->user = NULL;
    r = vmr_event(vm, VM_METHCLEAR, NULL);
    if (vmr_shared(vm))
        vmr_endagain(vm);
    vmr_unlock(vm);
    if (r < 0)
        return -1;
    errno = e;
    return 0;
}
