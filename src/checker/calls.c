/* SPDX-License-Identifier: MIT */
/*
 * calls: the functions of a told region's handle.
 *
 * Each asks the method for more than it was asked for, hushed (the method may look at its free memory),
 * and tells the checker.  A block is announced after the method has given it and taken back
 * before the method gets it, so that no other thread can be given it in between.  What moves is copied
 * here, so that the method never copies what is not to be touched.
 */
#include "checker.h"
#include "method_tables.h"

#include <errno.h>
#include <string.h>

/* The library's own calls, and those with the region locked, are of no interest to a checker. */
static int own(int local)
{
    return local || vmr_inside;
}

/* What to ask the method for.  A size of 0 stays one where the method may refuse it. */
static size_t fenced(const vmck_region_t *r, size_t size)
{
    if (size == 0 && !(r->plain.meth & (VM_MTBEST | VM_MTLAST)))
        return 0;
    return size <= SIZE_MAX - VMOS_FENCE ? size + VMOS_FENCE : size;
}

/* What the method has for p, up to where the next block can begin; -1: it is no block. */
static long slotof(Vmalloc_t *vm, const vmck_region_t *r, const void *p, int local)
{
    int e = errno;
    long slot;

    vmr_hush();
    slot = (*r->plain.sizef)(vm, (Void_t *)(uintptr_t)p, local);
    vmr_unhush();
    errno = e;
    return slot < 0 ? -1 : (long)VMB_UP((size_t)slot, VM_ALIGN);
}

static int freeplain(Vmalloc_t *vm, const vmck_region_t *r, Void_t *p, int local)
{
    int done;

    vmr_hush();
    done = (*r->plain.freef)(vm, p, local);
    vmr_unhush();
    return done;
}

/* ---- allocation ---- */

/* The method gave p, NULL: nothing, for size bytes. */
static Void_t *give(Vmalloc_t *vm, vmck_region_t *r, Void_t *p, size_t size, int local)
{
    long slot = p != NULL ? slotof(vm, r, p, local) : -1;
    size_t have = slot > 0 ? (size_t)slot : size;

    if (p == NULL)
        return NULL;
    vmck_first();
    if (vmck_drop(r, p)) /* it went without our knowledge */
        vmos_checker_free(r->data, p, 0);
    if (own(local) || vmck_note(r, p, size) < 0)
        vmos_checker_plain(p, have, 0);
    else
        vmos_checker_alloc(r->data, p, size, have);
    return p;
}

static Void_t *gone(void)
{
    errno = EINVAL;
    return NULL;
}

static Void_t *alloc(Vmalloc_t *vm, size_t size, int local)
{
    vmck_region_t *r = vmck_region(vm->data);
    Void_t *p;

    if (r == NULL)
        return gone();
    vmr_hush();
    if (r->plain.meth & VM_MTBEST) /* the way that has no memset() on what may be poisoned */
        p = (*r->plain.alignf)(vm, fenced(r, size), VM_ALIGN, local);
    else
        p = (*r->plain.allocf)(vm, fenced(r, size), local);
    vmr_unhush();
    return give(vm, r, p, size, local);
}

static Void_t *align(Vmalloc_t *vm, size_t size, size_t al, int local)
{
    vmck_region_t *r = vmck_region(vm->data);
    Void_t *p;

    if (r == NULL)
        return gone();
    vmr_hush();
    p = (*r->plain.alignf)(vm, size > 0 ? fenced(r, size) : 0, al, local);
    vmr_unhush();
    return give(vm, r, p, size, local);
}

/* ---- freeing ---- */

/* Vmlast frees only the last one. */
static int refused(Vmalloc_t *vm, const vmck_region_t *r, const void *p)
{
    return (r->plain.meth & VM_MTLAST) != 0 && vmmt_lastblock(vm) != p;
}

static int freeb(Vmalloc_t *vm, Void_t *p, int local)
{
    vmck_region_t *r = vmck_region(vm->data);
    long size = r != NULL && p != NULL ? vmck_size(r, p) : -1, slot;

    if (r == NULL)
        return gone(), -1;
    slot = size >= 0 ? slotof(vm, r, p, local) : -1;
    if (slot < 0 || refused(vm, r, p))
        return freeplain(vm, r, p, local);
    vmck_drop(r, p);
    vmos_checker_free(r->data, p, (size_t)slot);
    if (freeplain(vm, r, p, local) == 0)
        return 0;
    vmos_checker_alloc(r->data, p, (size_t)size, (size_t)slot); /* it is one still */
    vmos_checker_plain(p, (size_t)size, 1);
    vmck_note(r, p, (size_t)size);
    return -1;
}

/* ---- resizing ---- */

typedef struct change {
    Void_t *p;
    size_t old, size;
    int type, local, noted;
} change_t;

/* 0, or -1: it cannot be done in place. */
static int inplace(Vmalloc_t *vm, const vmck_region_t *r, const change_t *c)
{
    Void_t *p;
    long slot;

    vmr_hush();
    p = (*r->plain.resizef)(vm, c->p, fenced(r, c->size), 0, c->local);
    vmr_unhush();
    if (p == NULL)
        return -1;
    slot = slotof(vm, r, p, c->local);
    if (c->noted) {
        vmck_resize(r, p, c->size);
        vmos_checker_resize(r->data, p, c->old, c->size, slot > 0 ? (size_t)slot : c->size);
    } else if (slot > 0 && (size_t)slot > c->old) {
        vmos_checker_plain((char *)p + c->old, (size_t)slot - c->old, 0);
    }
    return 0;
}

/* A block of Vmlast that has moved stays where it was, for nobody. */
static void leave(Vmalloc_t *vm, vmck_region_t *r, const change_t *c)
{
    int e = errno;

    if (!refused(vm, r, c->p))
        freeb(vm, c->p, c->local);
    else if (vmck_drop(r, c->p))
        vmos_checker_free(r->data, c->p, c->old);
    errno = e;
}

static Void_t *move(Vmalloc_t *vm, vmck_region_t *r, const change_t *c)
{
    Void_t *q = alloc(vm, c->size, c->local);

    if (q == NULL)
        return NULL;
    if (c->type & VM_RSCOPY)
        memcpy(q, c->p, VMB_MIN(c->old, c->size));
    leave(vm, r, c);
    return q;
}

static Void_t *change(Vmalloc_t *vm, vmck_region_t *r, const change_t *c)
{
    Void_t *q = inplace(vm, r, c) == 0 ? c->p : NULL;

    if (q == NULL && c->type & (VM_RSCOPY | VM_RSMOVE))
        q = move(vm, r, c);
    if (q != NULL && c->type & VM_RSZERO && c->size > c->old)
        memset((char *)q + c->old, 0, c->size - c->old);
    return q;
}

static Void_t *resize(Vmalloc_t *vm, Void_t *p, size_t size, int type, int local)
{
    vmck_region_t *r = vmck_region(vm->data);
    change_t c = {p, 0, size, type, local, 0};
    int e = errno;
    long old, slot;

    if (r == NULL)
        return gone();
    if (p == NULL) {
        p = alloc(vm, size, local);
        return p != NULL && type & VM_RSZERO ? memset(p, 0, size) : p;
    }
    if (size == 0)
        return freeb(vm, p, local), NULL;
    slot = slotof(vm, r, p, local);
    if (slot < 0) { /* which the method says, too */
        vmr_hush();
        p = (*r->plain.resizef)(vm, p, size, 0, local);
        vmr_unhush();
        return p;
    }
    old = vmck_size(r, p);
    c.noted = old >= 0;
    c.old = c.noted ? (size_t)old : (size_t)slot - VMB_MIN((size_t)slot, VMOS_FENCE);
    p = change(vm, r, &c);
    if (p != NULL)
        errno = e;
    return p;
}

/* ---- questions ---- */

static long size(Vmalloc_t *vm, Void_t *p, int local)
{
    const vmck_region_t *r = vmck_region(vm->data);
    long slot, noted;

    if (r == NULL)
        return gone(), -1;
    vmr_hush();
    slot = (*r->plain.sizef)(vm, p, local);
    vmr_unhush();
    noted = slot >= 0 ? vmck_size(r, p) : -1;
    return noted >= 0 || slot < 0 ? VMB_MAX(noted, -1) : slot - VMB_MIN(slot, VMOS_FENCE);
}

static long addr(Vmalloc_t *vm, Void_t *p, int local)
{
    const vmck_region_t *r = vmck_region(vm->data);
    long off, noted;

    if (r == NULL)
        return gone(), -1;
    vmr_hush();
    off = (*r->plain.addrf)(vm, p, local);
    vmr_unhush();
    noted = off > 0 ? vmck_size(r, (char *)p - off) : -1;
    if (noted < 0 || off < noted)
        return off;
    return gone(), -1;
}

static int compact(Vmalloc_t *vm, int local)
{
    const vmck_region_t *r = vmck_region(vm->data);
    int done;

    if (r == NULL)
        return gone(), -1;
    vmr_hush();
    done = (*r->plain.compactf)(vm, local);
    vmr_unhush();
    return done;
}

void vmck_wrap(Vmalloc_t *vm)
{
    Vmethod_t *to = &vm->meth;

    __atomic_store_n(&to->allocf, alloc, __ATOMIC_RELEASE);
    __atomic_store_n(&to->resizef, resize, __ATOMIC_RELEASE);
    __atomic_store_n(&to->freef, freeb, __ATOMIC_RELEASE);
    __atomic_store_n(&to->addrf, addr, __ATOMIC_RELEASE);
    __atomic_store_n(&to->sizef, size, __ATOMIC_RELEASE);
    __atomic_store_n(&to->compactf, compact, __ATOMIC_RELEASE);
    __atomic_store_n(&to->alignf, align, __ATOMIC_RELEASE);
    __atomic_store_n(&to->meth, (unsigned short)(to->meth | VMR_TOLD), __ATOMIC_RELEASE);
}
