/* SPDX-License-Identifier: MIT */
/*
 * malloc, calloc, realloc, free and their next of kin.
 *
 * They allocate from Vmregion, and release and resize in the region that the block is of.  Cost of
 * malloc() and free() on the thread's own blocks: 24 and 37 instructions on x86-64, no lock, no atomic
 * read-modify-write, no stack frame; the block itself is not touched.
 */
#include "debugged.h"
#include "malloc.h"
#include "misuse.h"
#include "options.h"
#include "profiled.h"

#include <string.h>

__thread vmbe_lane_t *vmma_lane = &vmbe_nolane;

void *vmma_malloc(size_t size)
{
    void *p = vmma_take(size);
    return VMOS_LIKELY(p != NULL) ? p : vmma_alloc(size);
}

void *malloc(size_t size) __attribute__((alias("vmma_malloc")));

void vmma_free(void *p)
{
    if (VMOS_UNLIKELY(vmma_give(p) != 0))
        vmma_freeslow(p);
}

void free(void *p) __attribute__((alias("vmma_free")));
void cfree(void *p) __attribute__((alias("vmma_free")));

void free_sized(void *p, size_t size)
{
    if (VMOS_UNLIKELY(vmma_give(p) != 0))
        vmma_giveback("free_sized", VMDG_MALLOC, p, size, 0);
}

void free_aligned_sized(void *p, size_t align, size_t size)
{
    if (VMOS_UNLIKELY(vmma_give(p) != 0))
        vmma_giveback("free_aligned_sized", VMDG_MEMALIGN, p, size, align);
}

/* ---- calloc ---- */

/* Large blocks are cleared already when their pages come fresh from the system. */
static VMOS_NOINLINE void *cleared(size_t size)
{
    void *p;
    vmma_region();
    if (VMOS_UNLIKELY(vmma_debugged()))
        return vmma_debug_alloc(size, 0, 1, VMDG_MALLOC);
    if (VMOS_UNLIKELY(vmma_looked()))
        return vmma_profile_cleared(size);
    p = vmma_alloc(size);
    if (p != NULL && (vmma_sampler != NULL || !vmbe_iszero(p)))
        memset(p, 0, size);
    return p;
}

void *calloc(size_t n, size_t size)
{
    size_t total;
    void *p;
    if (VMOS_UNLIKELY(vmb_mulover(n, size, &total)))
        return vmma_overflow("calloc", n, size);
    p = vmma_take(total);
    return VMOS_LIKELY(p != NULL) ? memset(p, 0, total) : cleared(total);
}

/* ---- realloc ---- */

static VMOS_COLD void *foreign(void *p)
{
    vmma_misuse("realloc", p);
    errno = EINVAL;
    return NULL;
}

/* In its own region, by the rules of that: shrinking keeps the address. */
static void *resizein(Vmalloc_t *vm, void *p, size_t size)
{
    void *q = (*vm->meth.resizef)(vm, p, size, VM_RSCOPY | VM_RSMOVE, 0);
    return VMOS_LIKELY(q != NULL) ? q : vmma_nomemory();
}

/* To a new block.  Shrinking succeeds in any case. */
static VMOS_COLD void *stay(void *p, size_t old, size_t size, int e)
{
    if (size > old)
        return NULL;
    errno = e;
    return p;
}

static VMOS_NOINLINE void *move(void *p, size_t old, size_t size)
{
    void *q = vmma_take(size);
    if (VMOS_UNLIKELY(q == NULL)) {
        int e = errno;
        if ((q = vmma_alloc(size)) == NULL)
            return stay(p, old, size, e);
    }
    memcpy(q, p, VMB_MIN(old, size));
    if (VMOS_UNLIKELY(vmma_give(p) != 0))
        vmma_freeslow(p);
    return q;
}

/* Whether a block without bytes may start there: Vmlast knows but the last one's size. */
static VMOS_COLD int isempty(Vmalloc_t *vm, void *p)
{
    return vmma_islast(vm) ||
           (vm->meth.meth & VM_MTPROFILE && (*vm->meth.sizef)(vm, p, 0) == 0);
}

/* Blocks of slabs move; between large ones the region knows better ways. */
static VMOS_NOINLINE void *resize_any(void *p, size_t size)
{
    size_t old;
    Vmalloc_t *vm;
    if (VMOS_UNLIKELY(vmma_debugging) && vmma_debug_owns(p))
        return vmma_debug_realloc(p, size);
    vm = vmma_find(p, &old);
    if (VMOS_UNLIKELY(vm == NULL || (old == 0 && !isempty(vm, p))))
        return foreign(p);
    if (VMOS_UNLIKELY(vm == vmma_samples))
        return vmma_resample(vm, p, old, size);
    if (!vmma_isbest(vm))
        return resizein(vm, p, size);
    if (vmma_fits(old, size))
        return p;
    if (vm == Vmregion && size <= BE_SMALLMAX)
        return move(p, old, size);
    return vm == Vmheap && vmma_samples != NULL ? vmma_resample(vm, p, old, size)
                                                : resizein(vm, p, size);
}

/* Nothing is called but at the end, as in vmma_alloc(). */
static VMOS_NOINLINE void *resize(void *p, size_t size)
{
    Vmalloc_t *vm = BE_LOAD(vmma_profiled);
    if (VMOS_UNLIKELY(vm != NULL) && vm == Vmregion && !BE_LOAD(vmpf.turned))
        return vmpf_quick_resize(vm, p, size, resize_any);
    return resize_any(p, size);
}

static VMOS_NOINLINE void *release(void *p)
{
    vmma_release("realloc", p);
    return NULL;
}

void *realloc(void *p, size_t size)
{
    vmbe_lane_t *lane = vmma_lane;
    size_t old;
    if (p == NULL)
        return vmma_malloc(size);
    if (size == 0)
        return release(p);
    if (VMOS_UNLIKELY(lane->front != Vmregion || size > BE_SMALLMAX) ||
        (old = vmbe_sizeto(lane, vmb_map_get(p), p)) == 0)
        return resize(p, size);
    return vmma_fits(old, size) ? p : move(p, old, size);
}

void *reallocarray(void *p, size_t n, size_t size)
{
    size_t total;
    return vmb_mulover(n, size, &total) ? vmma_overflow("reallocarray", n, size) : realloc(p, total);
}
