/* SPDX-License-Identifier: MIT */
/*
 * heap: Vmheap, opened by whatever needs it first.
 *
 * That may be malloc() of the dynamic linker or a macro on Vmheap in a constructor of another
 * library, before any code of ours could run.  So the handle is an object that the linker fills,
 * and its methods are doors: they open Vmheap, and go through the real method.  After the opening
 * the handle has the real method itself.
 *
 * Invariant: data is set before the real method is, and opened last.  The macros read the method
 * without asking for that order, which only matters to a thread that looks while another opens:
 * the constructor below sees to it that Vmheap is open before a program makes threads.
 */
#include "parts.h"

vmos_lock_t vmr_heaplock;

static Void_t *dooralloc(Vmalloc_t *vm, size_t size, int local)
{
    return vmr_heap() != NULL ? (*vmr_heapmeth->allocf)(vm, size, local) : NULL;
}

static Void_t *doorresize(Vmalloc_t *vm, Void_t *addr, size_t size, int type, int local)
{
    return vmr_heap() != NULL ? (*vmr_heapmeth->resizef)(vm, addr, size, type, local) : NULL;
}

static int doorfree(Vmalloc_t *vm, Void_t *addr, int local)
{
    return vmr_heap() != NULL ? (*vmr_heapmeth->freef)(vm, addr, local) : -1;
}

static long dooraddr(Vmalloc_t *vm, Void_t *addr, int local)
{
    return vmr_heap() != NULL ? (*vmr_heapmeth->addrf)(vm, addr, local) : -1;
}

static long doorsize(Vmalloc_t *vm, Void_t *addr, int local)
{
    return vmr_heap() != NULL ? (*vmr_heapmeth->sizef)(vm, addr, local) : -1;
}

static int doorcompact(Vmalloc_t *vm, int local)
{
    return vmr_heap() != NULL ? (*vmr_heapmeth->compactf)(vm, local) : -1;
}

static Void_t *dooralign(Vmalloc_t *vm, size_t size, size_t align, int local)
{
    return vmr_heap() != NULL ? (*vmr_heapmeth->alignf)(vm, size, align, local) : NULL;
}

vmr_handle_t vmr_heaphandle = {
    .vm.meth = {dooralloc, doorresize, doorfree, dooraddr, doorsize, doorcompact, dooralign, 0,
                NULL},
};
Vmalloc_t *Vmheap = VMR_HEAP;
Vmalloc_t *Vmregion = VMR_HEAP;

static int opened;

/* Calls may be on their way through the doors: each member is one store, behind that of data. */
static void fillmethod(Vmethod_t *to, const Vmethod_t *from)
{
    __atomic_store_n(&to->allocf, from->allocf, __ATOMIC_RELEASE);
    __atomic_store_n(&to->resizef, from->resizef, __ATOMIC_RELEASE);
    __atomic_store_n(&to->freef, from->freef, __ATOMIC_RELEASE);
    __atomic_store_n(&to->addrf, from->addrf, __ATOMIC_RELEASE);
    __atomic_store_n(&to->sizef, from->sizef, __ATOMIC_RELEASE);
    __atomic_store_n(&to->compactf, from->compactf, __ATOMIC_RELEASE);
    __atomic_store_n(&to->alignf, from->alignf, __ATOMIC_RELEASE);
    __atomic_store_n(&to->meth, from->meth, __ATOMIC_RELEASE);
    __atomic_store_n(&to->more, from->more, __ATOMIC_RELEASE);
}

/* Root segment in hand, make it a region.  Its lock is held until all is in place, so that who
 * finds it in a list waits. */
static int settle(Vmalloc_t *vm, Vmseg_t *root)
{
    Vmdata_t *data = vmr_rootdata(root);
    int r;

    data->vm = vm;
    vmos_lock(&data->lock);
    __atomic_store_n(&vm->data, data, __ATOMIC_RELEASE);
    vmr_index_add(vm, root);
    r = (*vmr_heapmeth->more->eventf)(vm, VM_METHOPEN, root);
    if (r < 0) {
        vmr_index_remove(vm, root);
        vm->data = NULL;
        return -1;
    }
    data->magic = VMR_MAGIC;
    fillmethod(&vm->meth, vmr_heapmeth);
    __atomic_store_n(&opened, 1, __ATOMIC_RELEASE);
    vmos_unlock(&data->lock);
    return 0;
}

static int openheap(void)
{
    Vmalloc_t tmp = {.meth = *vmr_heapmeth, .disc = vmr_heapdisc};
    Vmseg_t *root = vmr_root(&tmp, 0);

    if (root == NULL)
        return -1;
    VMR_HEAP->disc = vmr_heapdisc;
    if (settle(VMR_HEAP, root) == 0) {
        if (vmr_checkheap)
            (*vmr_checker->openedf)(VMR_HEAP);
        return 0;
    }
    vmr_ask(&tmp, root->addr, root->extent, 0);
    return -1;
}

static VMOS_COLD Vmalloc_t *openonce(void)
{
    int e = errno, r = 0;

    if (vmos_lockedbyme(&vmr_heaplock)) { /* its own opening asks for it */
        errno = ENOMEM;
        return NULL;
    }
    vmr_start();
    vmos_lock(&vmr_heaplock);
    if (!opened)
        r = openheap();
    vmos_unlock(&vmr_heaplock);
    if (r < 0) {
        errno = ENOMEM;
        return NULL;
    }
    errno = e;
    return VMR_HEAP;
}

Vmalloc_t *vmr_heap(void)
{
    return VMOS_LIKELY(__atomic_load_n(&opened, __ATOMIC_ACQUIRE)) ? VMR_HEAP : openonce();
}

__attribute__((constructor)) static void early(void)
{
    vmr_heap();
}
