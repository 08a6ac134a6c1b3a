/* SPDX-License-Identifier: MIT */
/*
 * swap: a region whose memory becomes that of another time.
 *
 *   regions inside die -> method: VM_METHCLOSE -> index -> (memory changes) -> index -> VM_METHATTACH
 *
 * The memory was saved with the lock held, by whatever thread; after the change it is the calling
 * thread's, and marked as waited for, in case somebody does.
 */
#include "parts.h"

static void indexsegs(Vmalloc_t *vm, int in)
{
    Vmseg_t *seg;

    for (seg = vm->data->segs; seg != NULL; seg = seg->next)
        if (in)
            vmr_index_add(vm, seg);
        else
            vmr_index_remove(vm, seg);
}

/* What of the state is this process'. */
static void own(Vmalloc_t *vm, int mode, const vmos_lock_t *lock)
{
    Vmdata_t *data = vm->data;

    data->lock.word = vmos_mark() | VMOS_WAITED;
    data->lock.wait = lock->wait;
    data->mode = (data->mode & (VM_METHODS | VMR_UNDER)) | (mode & ~(VM_METHODS | VMR_UNDER));
    data->vm = vm;
    if (vmr_single(vm))
        data->lock.word = 0;
}

int vmr_swap(Vmalloc_t *vm, int (*swapf)(void *arg), void *arg)
{
    vmos_lock_t lock;
    int mode, r;

    vmos_lock(&vmr_listlock);
    vmr_drown(vm);
    vmos_unlock(&vmr_listlock);
    vmr_lock(vm);
    lock = vm->data->lock;
    mode = vm->data->mode;
    vmr_event(vm, VM_METHCLOSE, (Void_t *)1);
    indexsegs(vm, 0);
    r = (*swapf)(arg);
    if (r == 0 && vm->data->magic != VMR_MAGIC) {
        errno = EUCLEAN;
        r = -1;
    }
    own(vm, mode, &lock);
    indexsegs(vm, 1);
    vmr_event(vm, VM_METHATTACH, NULL);
    vmr_unlock(vm);
    return r;
}
