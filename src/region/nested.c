/* SPDX-License-Identifier: MIT */
/*
 * nested: regions whose memory is part of another region that goes away first.
 *
 * Their index nodes and their state lie in memory that is about to be released or used again.  So
 * the nodes are taken out, and the handles become dead: data is NULL and all methods fail, until
 * vmclose() frees the handle.  What they hold elsewhere is lost, as blocks are that nobody frees.
 */
#include "parts.h"

static int refuse(void)
{
    errno = EINVAL;
    return -1;
}

static Void_t *deadalloc(Vmalloc_t *vm, size_t size, int local)
{
    (void)vm, (void)size, (void)local;
    refuse();
    return NULL;
}

static Void_t *deadresize(Vmalloc_t *vm, Void_t *addr, size_t size, int type, int local)
{
    (void)vm, (void)addr, (void)size, (void)type, (void)local;
    refuse();
    return NULL;
}

static Void_t *deadalign(Vmalloc_t *vm, size_t size, size_t align, int local)
{
    (void)vm, (void)size, (void)align, (void)local;
    refuse();
    return NULL;
}

static int deadfree(Vmalloc_t *vm, Void_t *addr, int local)
{
    (void)vm, (void)addr, (void)local;
    return refuse();
}

static long deadask(Vmalloc_t *vm, Void_t *addr, int local)
{
    (void)vm, (void)addr, (void)local;
    return refuse();
}

static int deadcompact(Vmalloc_t *vm, int local)
{
    (void)vm, (void)local;
    return refuse();
}

static const Vmethod_t dead = {deadalloc, deadresize, deadfree,  deadask, deadask,
                               deadcompact, deadalign, 0, NULL};

void vmr_bury(Vmalloc_t *vm)
{
    if (vmr_istold())
        (*vmr_checker->closedf)(vm, 0);
    vm->meth = dead;
    vm->data = NULL;
}

/* The method may hold things outside the region's memory: caches of threads, words of the page
 * map.  Someone who still holds the lock is using memory that goes: not waited for. */
static void tellmethod(Vmalloc_t *vm)
{
    Vmdata_t *data = vm->data;
    int single = vmr_single(vm);

    if (data->magic != VMR_MAGIC || (!single && vmos_trylock(&data->lock) < 0))
        return;
    vmr_event(vm, VM_METHCLOSE, NULL);
    if (!single)
        vmos_unlock(&data->lock);
}

void vmr_sink(Vmalloc_t *vm)
{
    if (vm->data == NULL)
        return;
    tellmethod(vm);
    vmr_unlink(vm);
    vmr_bury(vm);
}

void vmr_drown(Vmalloc_t *vm)
{
    Vmalloc_t *in;
    Vmseg_t *seg;

    if (!vmr_guests(vm))
        return;
    for (seg = vm->data->segs; seg != NULL; seg = seg->next)
        while ((in = vmr_index_take(vm, seg->addr, seg->addr + seg->extent)) != NULL)
            vmr_sink(in);
}

/* Under a region's lock, so the list cannot be had: the dead stay in it and are passed over. */
void vmr_sweep(Vmalloc_t *vm, const char *addr, const char *end)
{
    Vmalloc_t *in;

    while ((in = vmr_index_take(vm, addr, end)) != NULL)
        if (in->data != NULL)
            vmr_bury(in);
    vmos_own(addr, (size_t)(end - addr));
}
