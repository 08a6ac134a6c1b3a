/* SPDX-License-Identifier: MIT */
/*
 * extend: more memory for a region.
 *
 *   want:  grow the newest segment  ->  a new segment        each refused by memoryf?
 *   need:  grow the newest segment  ->  a new segment        the same for less
 *   VM_NOMEM, without the lock:  > 0 from the start; 0 the method searches once more; < 0 no memory
 *
 * Invariant: sizes that memoryf sees are multiples of the region's increment.  A grow request may
 * be answered with a new segment of the difference: it is used where it is large enough, and given
 * back otherwise.
 */
#include "parts.h"

/* Enter [addr, addr+size), which memoryf gave, as a segment. */
static Vmseg_t *enter(Vmalloc_t *vm, char *addr, size_t size)
{
    Vmseg_t *seg;

    vmr_sweep(vm, addr, addr + size);
    seg = vmr_layseg(addr, size);
    vmr_linkseg(vm, seg);
    return seg;
}

/* A separate piece came where growth was asked.  It becomes a segment if it has `need` usable
 * bytes, else it goes back; when the discipline does not take it, it is kept until the region is
 * closed, without use. */
static Vmseg_t *adopt(Vmalloc_t *vm, char *piece, size_t size, size_t need)
{
    int large = size > VMR_SEGHEAD + VM_ALIGN;

    if (large && size - VMR_SEGHEAD - VM_ALIGN >= need)
        return enter(vm, piece, size);
    if (vmr_ask(vm, piece, size, 0) == NULL && large)
        enter(vm, piece, size);
    return NULL;
}

/* Make seg larger by delta.  0; -1 refused; 1: a piece of delta bytes elsewhere, in *piece. */
static int growby(Vmalloc_t *vm, Vmseg_t *seg, size_t delta, char **piece)
{
    size_t extent;
    char *addr;

    if (delta == 0 || vmb_addover(seg->extent, delta, &extent))
        return -1;
    addr = vmr_ask(vm, seg->addr, seg->extent, extent);
    if (addr == NULL)
        return -1;
    if (addr != seg->addr) {
        *piece = addr;
        return 1;
    }
    vmr_sweep(vm, seg->addr + seg->extent, seg->addr + extent);
    vmr_setextent(vm, seg, extent);
    return 0;
}

/* Grow the newest segment.  A separate piece that comes instead must hold a header too: one that
 * is too small for that goes back, and a larger one is asked for in the same way. */
static int askgrowth(Vmalloc_t *vm, size_t size, Vmseg_t **seg, char **oldend)
{
    Vmseg_t *newest = vm->data->segs;
    char *end = newest->end, *piece = NULL;
    size_t delta[2], i;

    delta[0] = vmb_round(size, vm->data->incr);
    delta[1] = vmr_segsize(vm, size);
    for (i = 0; i < 2; i++) {
        int r = growby(vm, newest, delta[i], &piece);
        if (r < 0)
            break;
        if (r == 0) {
            *seg = newest;
            *oldend = end;
            return VM_EXTGROWN;
        }
        if ((*seg = adopt(vm, piece, delta[i], size)) != NULL)
            return VM_EXTNEW;
        newest = vm->data->segs;
        end = newest->end;
    }
    return VM_EXTFAIL;
}

/* One round: at least size usable bytes more, in the newest segment or a new one. */
static int ask(Vmalloc_t *vm, size_t size, Vmseg_t **seg, char **oldend)
{
    int got = askgrowth(vm, size, seg, oldend);
    size_t extent = vmr_segsize(vm, size);
    char *addr;

    if (got != VM_EXTFAIL)
        return got;
    if (extent == 0 || (addr = vmr_ask(vm, NULL, 0, extent)) == NULL)
        return VM_EXTFAIL;
    *seg = enter(vm, addr, extent);
    return VM_EXTNEW;
}

static int tell(Vmalloc_t *vm, size_t size)
{
    VMOS_PROBE2(nomem, vm, size);
    return vm->disc->exceptf != NULL ? vmr_raise(vm, VM_NOMEM, (Void_t *)size) : -1;
}

/* What the disciplines of regions around say that could not be asked while vm was locked. */
static int telloutside(Vmalloc_t *vm, size_t size, int r)
{
    while (r <= 0 && (vm = vmr_outer(vm)) != NULL &&
           __atomic_exchange_n(&vm->data->withheld, 0, __ATOMIC_RELAXED)) {
        int answer = tell(vm, size);
        r = VMB_MAX(r, answer);
    }
    return r;
}

/* What the discipline says about size bytes that were refused; no lock is held meanwhile.  That of a
 * region inside may be, if the request comes from there: then that one passes it on. */
static int nomemory(Vmalloc_t *vm, size_t size)
{
    int r;

    if (size == 0 || vmr_shared(vm)) /* a call that processes share is done in one piece */
        return -1;
    if (vmr_lockedguest(vm)) {
        __atomic_store_n(&vm->data->withheld, 1, __ATOMIC_RELAXED);
        return -1;
    }
    vmr_unlock(vm);
    r = telloutside(vm, size, tell(vm, size));
    vmr_lock(vm);
    return r;
}

int vmmtextend(Vmalloc_t *vm, size_t need, size_t want, Vmseg_t **seg, char **oldend, int *again)
{
    int e = errno, got, r;

    do {
        got = want > need ? ask(vm, want, seg, oldend) : VM_EXTFAIL;
        if (got == VM_EXTFAIL)
            got = ask(vm, need, seg, oldend);
        if (got != VM_EXTFAIL) {
            errno = e;
            return got;
        }
        r = *again ? -1 : nomemory(vm, vmr_segsize(vm, need));
    } while (r > 0);
    if (r == 0) {
        *again = 1;
        errno = e;
        return VM_EXTRETRY;
    }
    errno = ENOMEM;
    return VM_EXTFAIL;
}

int vmmtgrow(Vmalloc_t *vm, Vmseg_t *seg, size_t usable)
{
    size_t now = (size_t)(seg->end - seg->base), delta;
    char *piece = NULL;
    int e = errno, r;

    if (usable <= now)
        return 0;
    delta = vmb_round(usable - now, vm->data->incr);
    r = growby(vm, seg, delta, &piece);
    if (r > 0)
        adopt(vm, piece, delta, SIZE_MAX);
    if (r != 0) {
        errno = ENOMEM;
        return -1;
    }
    errno = e;
    return 0;
}
