/* SPDX-License-Identifier: MIT */
/*
 * vmopen: make a region, or attach to one that was kept.
 *
 *   VM_OPEN (a temporary handle)  ->  memoryf  ->  handle  ->  method  ->  index, list  ->  VM_ENDOPEN
 *
 * When a step fails, what the steps before it obtained is released, and no further event is raised.
 */
#include "parts.h"

/* Let the method and then the process know the region.  -1 with errno. */
static int settle(vmr_handle_t *h, int event, Vmseg_t *arg)
{
    Vmalloc_t *vm = &h->vm;
    int r;

    vmr_lock(vm);
    r = vmr_event(vm, event, arg);
    vmr_unlock(vm);
    if (r < 0) {
        vmr_index_purge(h);
        return -1;
    }
    vm->data->magic = VMR_MAGIC;
    vm->data->thread = vmos_self();
    vmos_lock(&vmr_listlock);
    vmr_link(vm);
    vmos_unlock(&vmr_listlock);
    return 0;
}

/* A region in new memory. */
static Vmalloc_t *create(Vmalloc_t *tmp, int flags)
{
    Vmseg_t *root;
    vmr_handle_t *h;
    int e;

    if (vmr_peerof(tmp->disc) != NULL) /* where a process dies, no other thread of it waits */
        flags = (flags & ~(VM_SINGLE | VM_MEMORYF)) | VMR_SHARED;
    root = vmr_root(tmp, flags);
    if (root == NULL)
        return NULL;
    h = vmr_newhandle(tmp, flags & VM_MEMORYF ? vmr_roothandle(root, tmp->meth.more) : NULL);
    if (h != NULL) {
        h->peer = vmr_peerof(tmp->disc);
        h->vm.data = vmr_rootdata(root);
        h->vm.data->vm = &h->vm;
        if (vmr_index_add(&h->vm, root) == 0 && settle(h, VM_METHOPEN, root) == 0) {
            (*vmr_checker->openedf)(&h->vm);
            return &h->vm;
        }
        vmr_freehandle(h);
    }
    e = errno;
    vmr_ask(tmp, root->addr, root->extent, 0);
    errno = e;
    return NULL;
}

/* Whether a region stands there that the method can go on with. */
static int attachable(const Vmdata_t *data, const Vmethod_t *meth)
{
    return data != NULL && (uintptr_t)data % VM_ALIGN == 0 && data->magic == VMR_MAGIC &&
           (data->mode & VM_METHODS) == (meth->meth & VM_METHODS);
}

static int indexall(Vmalloc_t *vm)
{
    Vmseg_t *seg;

    for (seg = vm->data->segs; seg != NULL; seg = seg->next)
        if (vmr_index_add(vm, seg) < 0)
            return -1;
    return 0;
}

/* Take part in a region that other processes may be using at this moment. */
static Vmalloc_t *join(Vmalloc_t *tmp, Vmdata_t *data, vmr_peer_t *peer)
{
    vmr_handle_t *h;

    if (!(data->mode & VMR_SHARED) || !vmr_sane(data, peer)) {
        errno = EINVAL;
        return NULL;
    }
    h = vmr_newhandle(tmp, NULL);
    if (h == NULL)
        return NULL;
    h->peer = peer;
    h->vm.data = data;
    if (vmr_index_add(&h->vm, data->segs) == 0 && settle(h, VM_METHATTACH, NULL) == 0)
        return &h->vm;
    vmr_index_purge(h);
    vmr_freehandle(h);
    return NULL;
}

/* The region whose vm->data the VM_OPEN handler gave, unless this process has it open. */
static Vmalloc_t *attach(Vmalloc_t *tmp, Vmdata_t *data, int flags)
{
    Vmalloc_t *other = NULL;
    vmr_handle_t *h;

    if (!attachable(data, &tmp->meth)) {
        errno = EINVAL;
        return NULL;
    }
    if (vmr_segof(data, &other) != NULL && other->data == data) {
        errno = EBUSY;
        return NULL;
    }
    if (vmr_peerof(tmp->disc) != NULL)
        return join(tmp, data, vmr_peerof(tmp->disc));
    h = vmr_newhandle(tmp, data->mode & VM_MEMORYF ? (void *)data->vm : NULL);
    if (h == NULL)
        return NULL;
    data->lock = (vmos_lock_t){0, 0};
    data->mode = (data->mode & (VM_METHODS | VMR_UNDER | VM_MEMORYF)) | (flags & ~VM_MEMORYF);
    data->vm = &h->vm;
    h->vm.data = data;
    if (indexall(&h->vm) == 0 && settle(h, VM_METHATTACH, NULL) == 0)
        return &h->vm;
    vmr_index_purge(h);
    vmr_freehandle(h);
    return NULL;
}

static int sensible(const Vmdisc_t *disc, const Vmethod_t *meth)
{
    return disc != NULL && disc->memoryf != NULL && meth != NULL && meth->more != NULL &&
           meth->more->eventf != NULL;
}

Vmalloc_t *vmopen(Vmdisc_t *disc, Vmethod_t *meth, int flags)
{
    Vmalloc_t tmp = {.disc = disc}, *vm;
    Void_t *obj = NULL;
    int e = errno, r;

    if (!sensible(disc, meth) || vmr_dcflags(&tmp) & VM_DCDEVICE) {
        errno = EINVAL;
        return NULL;
    }
    vmr_start();
    tmp.meth = *meth;
    flags &= VM_OPENFLAGS;
    r = vmr_raise(&tmp, VM_OPEN, (Void_t *)&obj);
    if (r < 0) {
        errno = vmr_peerof(disc) != NULL ? errno : ECANCELED;
        return NULL;
    }
    if (r == 0 && obj != NULL)
        flags |= VM_MEMORYF;
    vm = r > 0 ? attach(&tmp, obj, flags) : create(&tmp, flags);
    if (vm == NULL && vmr_peerof(disc) != NULL)
        (*vmr_peerof(disc)->failedf)(vmr_peerof(disc));
    if (vm != NULL) {
        VMOS_PROBE3(open, vm, disc, meth);
        vmr_tell(vm, VMR_OPENED);
        vmr_raise(vm, VM_ENDOPEN, NULL);
        errno = e;
    }
    return vm;
}
