/* SPDX-License-Identifier: MIT */
/*
 * vmclrlock: break locks that a longjmp() left behind.
 *
 * Regions first get the event VM_METHTORN, still locked, to bring their structure in order; those
 * whose lock is free, VM_METHJUMP.  A region with VM_SINGLE has no lock that could tell: it is torn if
 * the thread opened it, and left alone if not, for another one may be at work in it.  The locks of the process go first: nothing
 * of ours is left half done under them but a walk.
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
    vmos_lock_wake(lock);
}

static void mend(Vmalloc_t *vm, int all)
{
    if (vmr_shared(vm)) {
        vmr_breakshared(vm, all);
    } else if (vmr_single(vm)) {
        if (all || vm->data->thread == vmos_self())
            vmr_event(vm, VM_METHTORN, NULL);
    } else {
        int torn = broken(&vm->data->lock, all);
        vmr_event(vm, torn ? VM_METHTORN : VM_METHJUMP, NULL);
        breakown(&vm->data->lock, all);
    }
}

void vmclrlock(int all)
{
    Vmalloc_t *vm;
    int e = errno;

    vmr_inside = 0;
    vmr_tell(NULL, VMR_JUMPED);
    breakown(&vmr_toldlock, all);
    breakown(&vmr_watchlock, all);
    breakown(&vmr_indexlock, all);
    breakown(&vmr_heaplock, all);
    breakown(&vmr_listlock, all);
    vmos_lock(&vmr_listlock);
    for (vm = vmr_next(NULL); vm != NULL; vm = vmr_next(vm))
        mend(vm, all);
    vmos_unlock(&vmr_listlock);
    errno = e;
}
