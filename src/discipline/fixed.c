/* SPDX-License-Identifier: MIT */
/*
 * vmdcfixed(): one segment, in a buffer of the user.
 *
 *   vmdcfixed     buffer |pad|..... segment .....|..... room to grow .....|pad|
 *   vmdcfixedin   buffer |pad| fixed_t |..... segment .....|... room to grow ...|pad|
 *
 * The first request is granted at the start, of just the size asked; the segment then grows in place
 * as far as the buffer goes.  Increments are of VM_ALIGN bytes, so that a small buffer is used to its
 * end.  Invariant: held is the size of the segment, 0 while nobody has it; a region that is closed
 * leaves the buffer to the next.  Cost: a few instructions.
 */
#include "made.h"
#include "request.h"
#include <errno.h>

#define MINSIZE 4096

typedef struct fixed {
    vmdc_made_t made;
    char *base;
    size_t size; /* of the memory at base; both are multiples of VM_ALIGN */
    size_t held;
} fixed_t;

static Void_t *memory(Vmalloc_t *vm, Void_t *addr, size_t csize, size_t nsize, Vmdisc_t *disc)
{
    fixed_t *f = (fixed_t *)disc;

    (void)vm;
    if (vmdc_request(addr, csize, nsize) == VMDC_NONE || (addr && addr != f->base))
        return NULL;
    /* Compare and swap, because two threads may open a region on it: one of them gets it. */
    if (nsize > f->size || !__atomic_compare_exchange_n(&f->held, &csize, nsize, 0,
                                                        __ATOMIC_ACQ_REL, __ATOMIC_RELAXED)) {
        errno = ENOMEM;
        return NULL;
    }
    return f->base;
}

static Vmdisc_t *fill(fixed_t *f, char *buffer, size_t size)
{
    size_t pad = VMB_UP(buffer, VM_ALIGN) - (uintptr_t)buffer;

    f->made.more.disc.round = VM_ALIGN;
    f->made.more.align = VM_ALIGN;
    f->made.more.name = "fixed";
    f->base = buffer + pad;
    f->size = VMB_DOWN(size - pad, VM_ALIGN);
    return &f->made.more.disc;
}

static int unusable(const void *buffer, size_t size)
{
    if (buffer && size >= MINSIZE)
        return 0;
    errno = EINVAL;
    return 1;
}

Vmdisc_t *vmdcfixed(Void_t *buffer, size_t size)
{
    fixed_t *f = unusable(buffer, size) ? NULL : vmdc_make(vmr_heap(), sizeof *f, memory);

    return f ? fill(f, buffer, size) : NULL;
}

Vmdisc_t *vmdcfixedin(Void_t *buffer, size_t size)
{
    fixed_t *f = (fixed_t *)VMB_UP(buffer, VM_ALIGN);

    if (unusable(buffer, size))
        return NULL;
    vmdc_seal(&f->made, NULL, sizeof *f, memory);
    return fill(f, (char *)(f + 1), size - (size_t)((char *)(f + 1) - (char *)buffer));
}
