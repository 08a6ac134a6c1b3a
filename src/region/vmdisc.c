/* SPDX-License-Identifier: MIT */
/*
 * vmdisc: replace the discipline of a region.  Its segments stay; the new one gets them to release.
 */
#include "parts.h"

Vmdisc_t *vmdisc(Vmalloc_t *vm, Vmdisc_t *disc)
{
    Vmdisc_t *old;
    int e = errno;

    if (vmr_live(vm) == NULL)
        return NULL;
    if (disc == NULL)
        return vm->disc;
    if (disc->memoryf == NULL) {
        errno = EINVAL;
        return NULL;
    }
    if (vmr_raise(vm, VM_DISC, disc) != 0) {
        errno = ECANCELED;
        return NULL;
    }
    vmr_lock(vm);
    old = vm->disc;
    vm->disc = disc;
    vmr_unlock(vm);
    errno = e;
    return old;
}
