/* SPDX-License-Identifier: MIT */
/*
 * vmclrlock: break locks that a longjmp() left behind.
 *
 * Regions first get the event VM_METHTORN, still locked, to bring their structure in order.  The
 * locks of the process go first: nothing of ours is left half done under them but a walk.
 */
#include "parts.h"

static int broken(const vmos_lock_t *lock, int all)
{
    return all ? vmos_locked(lock) : vmos_lockedbyme(lock);
}

static void breakown(vmos_lock_t *lock, int all)
{
    if (broken(lock, all))
        vmos_unlock(lock);
}

void vmclrlock(int all)
{
    Vmalloc_t *vm;
    int e = errno;

    vmr_inside = 0;
    vmr_tell(NULL, VMR_JUMPED);
    breakown(&vmr_watchlock, all);
    breakown(&vmr_indexlock, all);
    breakown(&vmr_heaplock, all);
    breakown(&vmr_listlock, all);
    vmos_lock(&vmr_listlock);
    for (vm = vmr_next(NULL); vm != NULL; vm = vmr_next(vm)) {
        if (vmr_single(vm) || !broken(&vm->data->lock, all)) {
            (*vm->meth.more->eventf)(vm, VM_METHJUMP, NULL);
            continue;
        }
        (*vm->meth.more->eventf)(vm, VM_METHTORN, NULL);
        vmos_unlock(&vm->data->lock);
    }
    vmos_unlock(&vmr_listlock);
    errno = e;
}
