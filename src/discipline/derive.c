/* SPDX-License-Identifier: MIT */
/*
 * vmdcderive(): a segment is a block of another region, the parent.
 *
 *   parent   | block | segment of the child | block |        any method that has blocks will do
 *
 * The discipline belongs to the one region that is opened on it and goes when that is closed; so it
 * cannot be replaced.  A parent whose method cannot free (Vmlast) refuses to take segments back;
 * they go with it.  Order of locks: the child's, then the parent's.  Cost: that of a block.
 */
#include "made.h"
#include "request.h"
#include <errno.h>

typedef struct derive {
    vmdc_made_t made;
    Vmalloc_t *parent;
} derive_t;

static Void_t *memory(Vmalloc_t *vm, Void_t *addr, size_t csize, size_t nsize, Vmdisc_t *disc)
{
    Vmalloc_t *parent = ((derive_t *)disc)->parent;
    Void_t *r = NULL;

    (void)vm;
    vmr_inside++;
    switch (vmdc_request(addr, csize, nsize)) {
    case VMDC_GET:
        r = vmalloc(parent, nsize);
        break;
    case VMDC_GROW:
    case VMDC_SHRINK:
        r = vmresize(parent, addr, nsize, 0);
        break;
    case VMDC_RELEASE:
        r = vmfree(parent, addr) < 0 ? NULL : addr;
        break;
    case VMDC_NONE:
        break;
    }
    vmr_inside--;
    return r;
}

static int event(Vmalloc_t *vm, int type, Void_t *obj, Vmdisc_t *disc)
{
    (void)vm, (void)obj;
    if (type == VM_DISC)
        return -1;
    if (type == VM_ENDCLOSE)
        vmdcfree(disc);
    return 0;
}

Vmdisc_t *vmdcderive(Vmalloc_t *vm, ssize_t round, int heap)
{
    derive_t *d;

    if (vm == NULL || round < 0) {
        errno = EINVAL;
        return NULL;
    }
    d = vmdc_make(heap ? vmr_heap() : vm, sizeof *d, memory);
    if (d == NULL)
        return NULL;
    d->made.more.disc.exceptf = event;
    d->made.more.disc.round = (size_t)round;
    d->made.more.name = "derive";
    d->parent = vm;
    return &d->made.more.disc;
}
