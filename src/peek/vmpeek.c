/* SPDX-License-Identifier: MIT */
/*
 * vmpeek: the regions of another process.
 *
 *   mark (vmr_mark)  ->  Vmheap's handle  ->  the list of handles  ->  data, method, discipline
 *
 * All addresses are the other process'; a copy of what is there is made before it is looked at.
 */
#include "peek.h"

#include <errno.h>
#include <string.h>

/* A short text; what cannot be read is empty.  By bytes, since it may end just before a page that
 * is not there. */
static void text(const vmpk_look_t *l, const char *addr, char *to, size_t size)
{
    size_t i = 0;
    while (i + 1 < size && vmpk_get(l, addr + i, to + i, 1) == 0 && to[i] != '\0')
        i++;
    to[i] = '\0';
}

/* ---- the method ---- */

/* The method below one that works over another; 0: this is none of those. */
static int below(const vmpk_look_t *l, const Vmethodx_t *more, Vmethod_t *under)
{
    vmmt_over_t over;
    const void *addr = (const char *)more - offsetof(vmmt_over_t, more);
    return vmpk_get(l, addr, &over, sizeof over) == 0 && over.magic == VMMT_OVERMAGIC &&
           vmpk_get(l, over.under, under, sizeof *under) == 0;
}

static void methodname(const vmpk_look_t *l, const Vmethodx_t *more, char *to, size_t size)
{
    Vmethodx_t m;
    *to = '\0';
    if (vmpk_get(l, more, &m, sizeof m) == 0)
        text(l, m.name, to, size);
}

/* Names it, and finds the method that knows the blocks. */
static unsigned int method(const vmpk_look_t *l, const Vmalloc_t *vm, Vmpeek_t *to)
{
    char upper[12], lower[12];
    Vmethod_t under;
    vmb_out_t o;
    vmb_out_init(&o, to->method, sizeof to->method);
    methodname(l, vm->meth.more, upper, sizeof upper);
    if (!below(l, vm->meth.more, &under)) {
        vmb_printf(&o, "%s", upper);
        return vm->meth.meth;
    }
    methodname(l, under.more, lower, sizeof lower);
    vmb_printf(&o, "%s over %s", upper, lower);
    return under.meth;
}

/* ---- the discipline ---- */

static const char *standard(const vmpk_look_t *l, const vmr_traits_t *traits, Vmemory_f memoryf)
{
    vmr_traits_t t;
    for (int i = 0; i < 64 && vmpk_get(l, traits + i, &t, sizeof t) == 0 && t.memoryf != NULL; i++)
        if (t.memoryf == memoryf)
            return t.name;
    return NULL;
}

static void discipline(const vmpk_look_t *l, const vmr_mark_t *mark, const Vmdisc_t *disc,
                       Vmpeek_t *to)
{
    Vmdiscmore_t more;
    Vmdisc_t d;
    const char *name;
    to->discipline[0] = '\0';
    if (vmpk_get(l, disc, &d, sizeof d) != 0)
        return;
    name = standard(l, mark->traits, d.memoryf);
    if (name == NULL && d.size >= sizeof more && d.size <= 65536 &&
        vmpk_get(l, disc, &more, sizeof more) == 0 && more.tag == VM_DCMORE)
        name = more.name;
    text(l, name, to->discipline, sizeof to->discipline);
}

/* ---- regions ---- */

static int segments(const vmpk_look_t *l, const Vmpeek_t *p, const Vmseg_t *at, Vmpeekseg_f segf)
{
    Vmseg_t seg;
    int r = 0;
    for (long n = 0; at != NULL && n < VMPK_MANY && r >= 0; n++, at = seg.next) {
        if (vmpk_get(l, at, &seg, sizeof seg) != 0)
            return r;
        r = (*segf)(p, seg.addr, seg.extent, l->handle);
    }
    return r;
}

/* 1: filled; 0: the region is not there any more. */
static int fill(const vmpk_look_t *l, const vmr_mark_t *mark, const Vmalloc_t *vm,
                const struct _vmdata_s *d, Vmpeek_t *to)
{
    unsigned int meth = method(l, vm, to);
    discipline(l, mark, vm->disc, to);
    memcpy(to->name, d->name, sizeof to->name);
    to->name[sizeof to->name - 1] = '\0';
    if (to->vm == mark->heap && to->name[0] == '\0')
        memcpy(to->name, "Vmheap", 7);
    to->n_seg = d->nseg;
    to->extent = d->extent;
    to->m_extent = d->maxextent;
    to->n_lock = (int)(d->lock.wait & 0x7fffffff);
    to->mode = d->mode & ~VMR_UNDER;
    to->known = vmpk_blocks(l, (const char *)vm->data + VMR_STATEOFF, meth, to) == 0;
    return 1;
}

static int region(const vmpk_look_t *l, const vmr_mark_t *mark, const Vmalloc_t *at,
                  const Vmalloc_t *vm, Vmpeek_f regionf, Vmpeekseg_f segf)
{
    struct _vmdata_s d;
    Vmpeek_t p;
    int r;
    memset(&p, 0, sizeof p);
    p.vm = at;
    if (vmpk_get(l, vm->data, &d, sizeof d) != 0 || d.magic != VMR_MAGIC ||
        !fill(l, mark, vm, &d, &p))
        return 0;
    r = (*regionf)(&p, l->handle);
    return r < 0 || segf == NULL ? r : segments(l, &p, d.segs, segf);
}

/* ---- the mark ---- */

static int find(const vmpk_look_t *l, const void *addr, vmr_mark_t *mark)
{
    unsigned int layout = 0;
    if (vmpk_get(l, addr, mark, sizeof *mark) != 0) {
        errno = EFAULT;
        return -1;
    }
    if (memcmp(mark->magic, VM_PEEKMAGIC, VM_PEEKMAGICSIZE) != 0 || mark->self != addr) {
        errno = EINVAL;
        return -1;
    }
    if (vmpk_get(l, mark->layout, &layout, sizeof layout) != 0 || layout != VMPK_LAYOUT) {
        errno = ENOTSUP;
        return -1;
    }
    return 0;
}

int vmpeek(const Void_t *addr, Vmread_f readf, Vmpeek_f regionf, Vmpeekseg_f segf, Void_t *handle)
{
    vmpk_look_t l = {readf, handle};
    const Vmalloc_t *at;
    vmr_mark_t mark;
    Vmalloc_t vm;
    int r = 0;
    if (find(&l, addr, &mark) != 0)
        return -1;
    at = mark.heap;
    for (long n = 0; at != NULL && n < VMPK_MANY && r >= 0; n++, at = vm.next) {
        if (vmpk_get(&l, at, &vm, sizeof vm) != 0)
            return r;
        if (vm.data != NULL)
            r = region(&l, &mark, at, &vm, regionf, segf);
    }
    return r;
}
