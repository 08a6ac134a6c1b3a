/* SPDX-License-Identifier: MIT */
/*
 * wrap: method tables that record.
 *
 *   handle.meth    allocf  -> alloc_3  ->  plain[3].allocf       and a record when it succeeded
 *                  freef   -> free_3   ->  plain[3].freef
 *                  ...
 *                  meth    |= VMR_TRACED
 *
 * Set i of functions is bound to plain[i], a copy of the method's own table: so a call needs neither
 * a look at the handle, of which programs make copies, nor a search.  What calls made by the
 * library itself are is told by vmr_inside.
 *
 * Invariant: plain[i] never changes once a handle has had set i.
 */
#include "trace.h"

#include <errno.h>
#include <string.h>

#define SETS 16

static Vmethod_t plain[SETS];
static int nplain;
static vmos_lock_t lock;
int vmtr_count;

/* ---- calls; m: the method's own functions ---- */

static void note(vmtr_event_t *e)
{
    vmr_inside++;
    vmtr_note(e);
    vmr_inside--;
}

static Void_t *alloc(const Vmethod_t *m, Vmalloc_t *vm, size_t size, int local)
{
    vmtr_event_t e = {.kind = VM_TRALLOC, .vm = vm, .size = size};
    if (local || vmr_inside)
        return (*m->allocf)(vm, size, local);
    e.place = vmr_seeplace();
    vmr_inside++;
    e.new = (*m->allocf)(vm, size, 0);
    vmr_inside--;
    e.seq = vmtr_draw();
    if (e.new != NULL)
        note(&e);
    return (Void_t *)(uintptr_t)e.new;
}

static Void_t *align(const Vmethod_t *m, Vmalloc_t *vm, size_t size, size_t al, int local)
{
    vmtr_event_t e = {.kind = VM_TRALIGN, .vm = vm, .size = size, .align = al};
    if (local || vmr_inside)
        return (*m->alignf)(vm, size, al, local);
    e.place = vmr_seeplace();
    vmr_inside++;
    e.new = (*m->alignf)(vm, size, al, 0);
    vmr_inside--;
    e.seq = vmtr_draw();
    if (e.new != NULL)
        note(&e);
    return (Void_t *)(uintptr_t)e.new;
}

/* Lines stand in the order of writing, and the address may be another thread's as soon as it is
 * free: written before, if it is sure that it can be freed. */
static int before(const Vmalloc_t *vm, long size)
{
    return vmtr_form == VMTR_TEXT && size >= 0 && !(vm->meth.meth & VM_MTLAST);
}

static int freeb(const Vmethod_t *m, Vmalloc_t *vm, Void_t *addr, int local)
{
    vmtr_event_t e = {.kind = VM_TRFREE, .vm = vm, .old = addr};
    int r, early, keep = errno;
    long size;
    if (local || vmr_inside || addr == NULL)
        return (*m->freef)(vm, addr, local);
    e.place = vmr_seeplace();
    vmr_inside++;
    size = (*m->sizef)(vm, addr, 0);
    errno = keep;
    e.size = size > 0 ? (size_t)size : 0;
    e.seq = vmtr_draw();
    early = before(vm, size);
    if (early)
        vmtr_note(&e);
    r = (*m->freef)(vm, addr, 0);
    if (r == 0 && !early)
        vmtr_note(&e);
    vmr_inside--;
    return r;
}

/* To size 0: a free.  The method tells by nothing whether it was one, so that is seen from the
 * block being there before (and, in Vmlast, not after). */
static Void_t *resizefree(const Vmethod_t *m, Vmalloc_t *vm, Void_t *addr, int type)
{
    vmtr_event_t e = {.kind = VM_TRFREE, .vm = vm, .old = addr};
    Void_t *r;
    int keep = errno, done;
    long size;
    e.place = vmr_seeplace();
    vmr_inside++;
    size = (*m->sizef)(vm, addr, 0);
    errno = keep;
    e.seq = vmtr_draw();
    e.size = size > 0 ? (size_t)size : 0;
    r = (*m->resizef)(vm, addr, 0, type, 0);
    keep = errno;
    done = size >= 0 && (!(vm->meth.meth & VM_MTLAST) || (*m->sizef)(vm, addr, 0) < 0);
    errno = keep;
    if (done)
        vmtr_note(&e);
    vmr_inside--;
    return r;
}

static Void_t *resize(const Vmethod_t *m, Vmalloc_t *vm, Void_t *addr, size_t size, int type,
                      int local)
{
    vmtr_event_t e = {.kind = VM_TRRESIZE, .vm = vm, .old = addr, .size = size};
    if (local || vmr_inside)
        return (*m->resizef)(vm, addr, size, type, local);
    if (addr != NULL && size == 0)
        return resizefree(m, vm, addr, type);
    e.place = vmr_seeplace();
    e.kind = addr != NULL ? VM_TRRESIZE : VM_TRALLOC;
    e.seq = addr != NULL ? vmtr_draw() : 0;
    vmr_inside++;
    e.new = (*m->resizef)(vm, addr, size, type, 0);
    vmr_inside--;
    if (addr == NULL)
        e.seq = vmtr_draw();
    else if (e.new != addr)
        e.moved = vmtr_draw() - e.seq;
    if (e.new != NULL)
        note(&e);
    return (Void_t *)(uintptr_t)e.new;
}

static int compact(const Vmethod_t *m, Vmalloc_t *vm, int local)
{
    vmtr_event_t e = {.kind = VM_TRCOMPACT, .vm = vm};
    int r, outer = vmr_inside;
    vmr_inside++;
    r = (*m->compactf)(vm, local);
    vmr_inside--;
    e.seq = vmtr_draw();
    if (r == 0 && !local && !outer && !(vm->meth.meth & (VM_MTDEBUG | VM_MTPROFILE)))
        note(&e);
    return r;
}

/* ---- the sets ---- */

#define SET(i)                                                                                    \
    static Void_t *alloc_##i(Vmalloc_t *vm, size_t size, int local)                               \
    {                                                                                             \
        return alloc(&plain[i], vm, size, local);                                                 \
    }                                                                                             \
    static Void_t *resize_##i(Vmalloc_t *vm, Void_t *addr, size_t size, int type, int local)      \
    {                                                                                             \
        return resize(&plain[i], vm, addr, size, type, local);                                    \
    }                                                                                             \
    static int free_##i(Vmalloc_t *vm, Void_t *addr, int local)                                   \
    {                                                                                             \
        return freeb(&plain[i], vm, addr, local);                                                 \
    }                                                                                             \
    static int compact_##i(Vmalloc_t *vm, int local)                                              \
    {                                                                                             \
        return compact(&plain[i], vm, local);                                                     \
    }                                                                                             \
    static Void_t *align_##i(Vmalloc_t *vm, size_t size, size_t al, int local)                    \
    {                                                                                             \
        return align(&plain[i], vm, size, al, local);                                             \
    }
SET(0) SET(1) SET(2) SET(3) SET(4) SET(5) SET(6) SET(7)
SET(8) SET(9) SET(10) SET(11) SET(12) SET(13) SET(14) SET(15)

#define ROW(i) {alloc_##i, resize_##i, free_##i, NULL, NULL, compact_##i, align_##i, 0, NULL}
static const Vmethod_t wrapped[SETS] = {ROW(0),  ROW(1),  ROW(2),  ROW(3), ROW(4),  ROW(5),
                                        ROW(6),  ROW(7),  ROW(8),  ROW(9), ROW(10), ROW(11),
                                        ROW(12), ROW(13), ROW(14), ROW(15)};

static int same(const Vmethod_t *a, const Vmethod_t *b)
{
    return a->allocf == b->allocf && a->resizef == b->resizef && a->freef == b->freef &&
           a->compactf == b->compactf && a->alignf == b->alignf && a->meth == b->meth &&
           a->sizef == b->sizef && a->more == b->more;
}

/* The set for a method, -1: all are taken. */
static int setfor(const Vmethod_t *m)
{
    int i;
    for (i = 0; i < nplain; i++)
        if (same(&plain[i], m))
            return i;
    if (i == SETS)
        return -1;
    plain[i] = *m;
    return nplain++;
}

/* ---- handles ---- */

static void put(Vmethod_t *to, const Vmethod_t *from, unsigned int meth)
{
    __atomic_store_n(&to->allocf, from->allocf, __ATOMIC_RELEASE);
    __atomic_store_n(&to->resizef, from->resizef, __ATOMIC_RELEASE);
    __atomic_store_n(&to->freef, from->freef, __ATOMIC_RELEASE);
    __atomic_store_n(&to->compactf, from->compactf, __ATOMIC_RELEASE);
    __atomic_store_n(&to->alignf, from->alignf, __ATOMIC_RELEASE);
    __atomic_store_n(&to->meth, (unsigned short)meth, __ATOMIC_RELEASE);
}

static int full(Vmalloc_t *vm)
{
    static int told;
    if (!told)
        vmb_fault("region %p is not traced: %d different methods are already", (void *)vm, SETS);
    told = 1;
    return -1;
}

void vmtr_wrap(Vmalloc_t *vm)
{
    int i = 0;
    vmos_lock(&lock);
    if (!(vm->meth.meth & VMR_TRACED)) {
        i = setfor(&vm->meth);
        if (i >= 0) {
            __atomic_add_fetch(&vmtr_count, 1, __ATOMIC_SEQ_CST);
            put(&vm->meth, &wrapped[i], vm->meth.meth | VMR_TRACED);
        }
    }
    vmos_unlock(&lock);
    if (i < 0)
        full(vm);
    else if (vm == Vmheap && vmtr_onheap != NULL)
        (*vmtr_onheap)();
}

void vmtr_unwrap(Vmalloc_t *vm)
{
    int i;
    vmos_lock(&lock);
    for (i = 0; i < nplain && vm->meth.meth & VMR_TRACED; i++)
        if (vm->meth.freef == wrapped[i].freef) {
            put(&vm->meth, &plain[i], plain[i].meth);
            __atomic_sub_fetch(&vmtr_count, 1, __ATOMIC_SEQ_CST);
        }
    vmos_unlock(&lock);
}

int vmtr_letter(const Vmalloc_t *vm)
{
    static const struct {
        unsigned int bit;
        int letter;
    } known[] = {{VM_MTBEST, 'b'},  {VM_MTLAST, 'l'},    {VM_MTPOOL, 'p'},
                 {VM_MTDEBUG, 'd'}, {VM_MTPROFILE, 's'}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (vm->meth.meth & known[i].bit)
            return known[i].letter;
    return 'x';
}
