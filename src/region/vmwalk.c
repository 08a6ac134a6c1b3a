/* SPDX-License-Identifier: MIT */
/*
 * vmwalk: visit segments, or blocks.
 *
 * The callbacks run under the region's lock, and vmwalk() of all regions under the list's too; all
 * locks are free again afterwards, whatever the callback said.
 */
#include "parts.h"

/* Visit the segments of one region; *last gets the value of f.  Whether the walk goes on. */
static int walkone(Vmalloc_t *vm, Vmwalk_f f, Void_t *handle, int *last)
{
    Vmseg_t *seg, *next;

    vmr_lock(vm);
    for (seg = vm->data->segs; seg != NULL; seg = next) {
        next = seg->next;
        *last = (*f)(vm, seg->addr, seg->extent, vm->disc, handle);
        if (*last < 0)
            break;
    }
    vmr_unlock(vm);
    return *last >= 0;
}

int vmwalk(Vmalloc_t *vm, Vmwalk_f f, Void_t *handle)
{
    int last = 0;

    if (f == NULL) {
        errno = EINVAL;
        return -1;
    }
    if (vm != NULL) {
        if (vmr_live(vm) == NULL)
            return -1;
        walkone(vm, f, handle, &last);
        return last;
    }
    vmos_lock(&vmr_listlock);
    for (vm = vmr_next(NULL); vm != NULL; vm = vmr_next(vm))
        if (!walkone(vm, f, handle, &last))
            break;
    vmos_unlock(&vmr_listlock);
    return last;
}

int vmsegwalk(Vmalloc_t *vm, Vmwalk_f f, Void_t *handle)
{
    return vmwalk(vm, f, handle);
}

typedef struct call {
    Vmblock_f f;
    Void_t *handle;
} call_t;

/* A block of a region that a checker is told of: its size is the one that was asked for. */
static int told(Vmalloc_t *vm, Void_t *addr, size_t size, int busy, Void_t *handle)
{
    const call_t *call = handle;
    int hushed = vmr_loud(), r;

    if (busy)
        busy = (*vmr_checker->busyf)(vm, addr, &size);
    r = (*call->f)(vm, addr, size, busy, call->handle);
    vmr_hushagain(hushed);
    return r;
}

static int walktold(Vmalloc_t *vm, Vmblock_f f, Void_t *handle)
{
    call_t call = {f, handle};
    int r;

    vmr_hush();
    r = (*vm->meth.more->walkf)(vm, told, &call);
    vmr_unhush();
    return r;
}

int vmblkwalk(Vmalloc_t *vm, Vmblock_f f, Void_t *handle)
{
    int r;

    if (vmr_live(vm) == NULL)
        return -1;
    if (f == NULL || vm->meth.more->walkf == NULL) {
        errno = f == NULL ? EINVAL : ENOTSUP;
        return -1;
    }
    vmr_lock(vm);
    r = vm->meth.meth & VMR_TOLD ? walktold(vm, f, handle)
                                 : (*vm->meth.more->walkf)(vm, f, handle);
    vmr_unlock(vm);
    return r;
}
