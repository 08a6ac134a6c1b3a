/* SPDX-License-Identifier: MIT */
/*
 * root: the first segment of a region, and its handle.
 *
 *   addr | Vmseg_t | Vmdata_t, method's state | [handle] | [log] | base ... end |
 *
 * Only Vmdata_t and the method's state are cleared: touching less than a page makes opening cheap,
 * and large segments stay untouched.
 */
#include "parts.h"

#include <string.h>

/* Segment sizes are multiples of this, whatever number the discipline says. */
static size_t increment(const Vmdisc_t *disc)
{
    size_t round = disc->round > 0 ? disc->round : vmos_pagesize();

    return round % VM_ALIGN == 0 ? round : vmb_lcm(round, VM_ALIGN);
}

static size_t rootsize(const Vmethodx_t *more, int mode, size_t incr)
{
    size_t size = VM_ALIGN + VMR_SEGHEAD + VMR_STATESIZE(more);

    if (mode & VM_MEMORYF)
        size += VMR_HANDLESIZE;
    if (mode & VMR_SHARED)
        size += VMR_LOGBYTES;
    if (vmb_addover(size, more->room, &size))
        return 0;
    return vmb_round(size, incr);
}

Vmdata_t *vmr_rootdata(Vmseg_t *root)
{
    return (Vmdata_t *)(void *)((char *)root + VMR_SEGHEAD);
}

vmr_handle_t *vmr_roothandle(Vmseg_t *root, const Vmethodx_t *more)
{
    return (vmr_handle_t *)(void *)((char *)vmr_rootdata(root) + VMR_STATESIZE(more));
}

/* The region's state, as it is before the method sees it. */
static void layroot(Vmalloc_t *vm, Vmseg_t *root, int mode, size_t incr)
{
    const Vmethodx_t *more = vm->meth.more;
    Vmdata_t *data = vmr_rootdata(root);

    root->base = (char *)data + VMR_STATESIZE(more);
    if (mode & VM_MEMORYF)
        root->base += VMR_HANDLESIZE;
    memset(data, 0, VMR_STATEOFF + more->size);
    if (mode & VMR_SHARED) {
        vmr_laylog(data, root->base);
        root->base += VMR_LOGBYTES;
    }
    data->mode = (mode & (VM_OPENFLAGS | VMR_SHARED)) | (vm->meth.meth & VM_METHODS);
    data->incr = incr;
    data->nseg = 1;
    data->extent = data->maxextent = root->extent;
    data->segs = root;
}

Vmseg_t *vmr_root(Vmalloc_t *vm, int mode)
{
    size_t incr = increment(vm->disc), size;
    Vmseg_t *root;
    char *addr;

    size = incr > 0 ? rootsize(vm->meth.more, mode, incr) : 0;
    addr = size > 0 ? vmr_ask(vm, NULL, 0, size) : NULL;
    if (addr == NULL) {
        errno = ENOMEM;
        return NULL;
    }
    vmr_sweep(NULL, addr, addr + size);
    root = vmr_layseg(addr, size);
    layroot(vm, root, mode, incr);
    return root;
}

vmr_handle_t *vmr_newhandle(const Vmalloc_t *tmp, void *place)
{
    Vmalloc_t *heap = place == NULL ? vmr_heap() : NULL;
    vmr_handle_t *h = place;

    if (heap != NULL) {
        vmr_inside++;
        h = (*heap->meth.allocf)(heap, sizeof *h, 0);
        vmr_inside--;
    }
    if (h == NULL)
        return NULL;
    memset(h, 0, sizeof *h);
    h->vm.meth = tmp->meth;
    h->vm.disc = tmp->disc;
    h->inside = place != NULL;
    return h;
}

void vmr_freehandle(vmr_handle_t *h)
{
    int e = errno;

    if (!h->inside && !(h->vm.meth.meth & VM_MTDEBUG)) {
        vmr_inside++;
        (*VMR_HEAP->meth.freef)(VMR_HEAP, h, 0);
        vmr_inside--;
    }
    errno = e;
}
