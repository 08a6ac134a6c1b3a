/* SPDX-License-Identifier: MIT */
/*
 * vmclose: release a region and its handle.
 *
 *   VM_CLOSE  ->  list, nested regions, method  ->  segments, the first one last  ->  VM_ENDCLOSE
 *
 * The discipline may lie in the region's own memory, and so may the handle (VM_MEMORYF): both are
 * only passed on once segments go, from copies made before.
 */
#include "parts.h"

/* No call can find the region any more, and its method knows that it ends.  Of one that processes share, and of
 * an image, this process gives up its view of the memory, though that is kept. */
static void withdraw(Vmalloc_t *vm, int keep)
{
    vmos_lock(&vmr_listlock);
    if (!keep || vmr_shared(vm) || vmr_dcflags(vm) & VM_DCKEPT)
        vmr_drown(vm);
    vmr_unlink(vm);
    vmos_unlock(&vmr_listlock);
    vmr_lock(vm);
    vmr_event(vm, VM_METHCLOSE, keep ? (Void_t *)1 : NULL);
    vmr_unlock(vm);
}

/* The segment that holds addr, other than the first. */
static Vmseg_t *laterseg(Vmseg_t *seg, const void *addr)
{
    for (; seg->next != NULL; seg = seg->next)
        if ((const char *)addr >= seg->addr && (const char *)addr < seg->addr + seg->extent)
            return seg;
    return NULL;
}

/* Give all segments back, the one that the discipline lies in as late as can be, the first one
 * last.  vm is a copy of the handle. */
static void release(Vmalloc_t *vm, Vmemory_f memoryf)
{
    Vmseg_t *home = laterseg(vm->data->segs, vm->disc), *seg, *next;

    vm->data->magic = 0;
    for (seg = vm->data->segs; seg != NULL; seg = next) {
        next = seg->next;
        if (next == NULL && home != NULL)
            (*memoryf)(vm, home->addr, home->extent, 0, vm->disc);
        if (seg != home)
            (*memoryf)(vm, seg->addr, seg->extent, 0, vm->disc);
    }
}

static void unindex(Vmalloc_t *vm)
{
    Vmseg_t *seg;

    for (seg = vm->data->segs; seg != NULL; seg = seg->next)
        vmr_index_remove(vm, seg);
}

/* The region's memory went before: only the handle is left.  Those of Vmdebug stay for good, to be
 * known again. */
static int closedead(vmr_handle_t *h)
{
    if (h->vm.meth.meth & VM_MTDEBUG && vmr_event(&h->vm, VM_METHDEAD, NULL) != 0) {
        errno = EINVAL;
        return -1;
    }
    vmos_lock(&vmr_listlock);
    vmr_unlink(&h->vm);
    vmos_unlock(&vmr_listlock);
    vmr_index_purge(h);
    vmr_freehandle(h);
    return 0;
}

static void closelive(Vmalloc_t *vm, int keep)
{
    Vmemory_f memoryf = vm->disc->memoryf;
    Vmexcept_f exceptf = vm->disc->exceptf;
    int inside = vmr_handle(vm)->inside;
    Vmalloc_t last;

    withdraw(vm, keep);
    if (vmr_istold())
        (*vmr_checker->closedf)(vm, 1); /* after regions inside, whose blocks are not to be touched until then */
    unindex(vm);
    last = *vm;
    if (!keep)
        release(&last, memoryf);
    last.data = NULL;
    if (!inside)
        vm->data = NULL;
    if (exceptf != NULL)
        (*exceptf)(inside ? &last : vm, VM_ENDCLOSE, inside ? (Void_t *)1 : NULL, last.disc);
    if (!inside)
        vmr_freehandle(vmr_handle(vm));
}

/* A region that was opened several times is open until it was closed as often. */
static int closedonce(vmr_handle_t *h)
{
    int once;

    vmos_lock(&vmr_listlock);
    once = h->again > 0;
    h->again -= once ? 1 : 0;
    vmos_unlock(&vmr_listlock);
    return once;
}

int vmclose(Vmalloc_t *vm)
{
    int e = errno, r;

    if (vm == NULL || vm == VMR_HEAP) {
        errno = EINVAL;
        return -1;
    }
    if (vm->data == NULL)
        return closedead(vmr_handle(vm));
    if (closedonce(vmr_handle(vm)))
        return 0;
    r = vmr_raise(vm, VM_CLOSE, (Void_t *)1);
    if (r < 0) {
        errno = ECANCELED;
        return -1;
    }
    VMOS_PROBE1(close, vm);
    vmr_tell(vm, VMR_CLOSING);
    closelive(vm, r > 0);
    errno = e;
    return 0;
}
