/* SPDX-License-Identifier: MIT */
/*
 * slow: what malloc() and free() do when their fast paths could not.
 *
 *   allocation   cursor ran dry, larger sizes   ->  the lane, as long as it serves
 *                no lane, no memory, Vmregion   ->  set up, get a lane, or ask Vmregion's method
 *   release      another thread's, large        ->  the engine that the page map leads to
 *                in a region of another method  ->  its method, found by the segment
 *                no block                       ->  misuse
 */
#include "debugged.h"
#include "malloc.h"
#include "misuse.h"
#include "options.h"
#include "profiled.h"
#include "trace.h"

VMOS_COLD void *vmma_nomemory(void)
{
    errno = ENOMEM;
    return NULL;
}

/* ---- allocation ---- */

/* From Vmheap, which is open.  The lane is kept for the fast path from now on; it is forgotten when
 * the thread ends. */
static void *fromheap(size_t size)
{
    vmbe_t *be = vmbe_of(Vmheap);
    vmbe_lane_t *lane;
    if (vmma_lane == &vmbe_nolane && !vmma_options.keep && vmtr_count == 0) {
        lane = vmbe_lane_get(be);
        if (lane != NULL) {
            lane->cache = &vmma_lane;
            lane->front = vmma_samples == NULL && vmma_sampler == NULL ? Vmheap : NULL;
            vmma_lane = lane;
        }
    }
    return vmbe_alloc(be, size);
}

static VMOS_NOINLINE void *allocate(size_t size, vmdg_family_t family)
{
    Vmalloc_t *vm = vmma_region();
    void *p = NULL;
    if (VMOS_UNLIKELY(vmma_debugged()))
        return vmma_debug_alloc(size, 0, 0, family);
    if (vm != NULL && size <= PTRDIFF_MAX)
        p = vm == Vmheap && vmma_isbest(vm) ? fromheap(size) : (*vm->meth.allocf)(vm, size, 0);
    return VMOS_LIKELY(p != NULL) ? p : vmma_nomemory();
}

/* No sample. */
static VMOS_NOINLINE void *plain(size_t size, vmdg_family_t family)
{
    vmbe_lane_t *lane = vmma_lane;
    if (VMOS_UNLIKELY(vmma_sampler != NULL) && Vmregion == Vmheap && vmdg_sample_due(1))
        return vmdg_make(vmma_sampler, size, 0, 0, family, 0);
    if (VMOS_LIKELY(lane->vm == Vmregion && size <= BE_SMALLMAX && lane != &vmbe_nolane)) {
        unsigned cls = vmbe_class(size);
        vmbe_cursor_t *c = &lane->cur[cls];
        void *p = vmbe_next(c);
        if (p != NULL || (p = vmbe_nextword(c)) != NULL || (p = vmbe_refill(lane, cls)) != NULL)
            return p;
    }
    return allocate(size, family);
}

/* While samples are taken: what malloc() cannot take from the cursor's word. */
static VMOS_NOINLINE void *sampled(size_t size, vmdg_family_t family)
{
    vmbe_lane_t *lane = vmma_lane;
    unsigned cls;
    void *p;
    if (Vmregion != Vmheap)
        return plain(size, family);
    if (size > BE_SMALLMAX || !vmma_metered(lane))
        return vmma_due(size) ? vmma_sample(size, 0) : plain(size, family);
    cls = vmbe_class(size);
    if (vmma_meter_due(lane, cls))
        return vmma_sample(size, 0);
    if ((p = vmbe_meter_next(lane, cls)) == NULL)
        p = vmbe_refill(lane, cls);
    return VMOS_LIKELY(p != NULL) ? p : allocate(size, family);
}

void *vmma_allocas(size_t size, vmdg_family_t family)
{
    return VMOS_UNLIKELY(vmma_samples != NULL) ? sampled(size, family) : plain(size, family);
}

/* The last block that comes so. */
static VMOS_COLD void *turned(Vmalloc_t *vm, size_t size)
{
    void *p = (*vm->meth.allocf)(vm, size, 0);
    vmma_profile_turn();
    return VMOS_LIKELY(p != NULL) ? p : vmma_nomemory();
}

/* While every block is recorded, all that malloc() asks for comes here.  Nothing is called but at the
 * end, so that there is no frame. */
void *vmma_alloc(size_t size)
{
    vmbe_lane_t *lane = vmma_lane;
    Vmalloc_t *vm = BE_LOAD(vmma_profiled);
    void *p;
    if (lane->front == Vmregion && size <= BE_TABLEMAX &&
        (p = vmbe_nextword(vmbe_cursor(lane, size))) != NULL)
        return p; /* malloc() may serve, and what it found was a word used up */
    if (VMOS_LIKELY(vm == NULL))
        return VMOS_UNLIKELY(vmma_debugged()) ? vmma_debug_alloc(size, 0, 0, VMDG_MALLOC)
                                              : vmma_allocas(size, VMDG_MALLOC);
    if (Vmregion == vm && size <= PTRDIFF_MAX)
        return VMOS_LIKELY(!BE_LOAD(vmpf.turned)) ? vmpf_quick_alloc(vm, size) : turned(vm, size);
    return vmma_allocas(size, VMDG_MALLOC);
}

void *vmma_alignslow(size_t align, size_t size, vmdg_family_t family)
{
    Vmalloc_t *vm = vmma_region();
    void *p;
    if (VMOS_UNLIKELY(vmma_debugged()))
        return vmma_debug_alloc(size, align, 0, family);
    if (VMOS_UNLIKELY(vmma_samples != NULL) && vm == Vmheap && vmma_due(size))
        return vmma_sample(size, align);
    p = vm != NULL && size <= PTRDIFF_MAX && align <= PTRDIFF_MAX ? (*vm->meth.alignf)(vm, size, align, 0) : NULL;
    return VMOS_LIKELY(p != NULL) ? p : vmma_nomemory();
}

/* ---- release ---- */

/* The engine that the page map knows for p, NULL: none, or one that other processes use too: that
 * needs its region's lock. */
static vmbe_t *engine(const void *p)
{
    vmbe_run_t *run = vmb_map_get(p);
    vmbe_t *be = run != NULL ? vmbe_owner(run) : NULL;
    return be != NULL && be->log == NULL ? be : NULL;
}

/* A region may lie in a block of another, and only the innermost is asked.  Vmlast frees nothing
 * but its last block, which is no misuse. */
static int freein(Vmalloc_t *vm, void *p)
{
    if (vm == NULL)
        return -1;
    if (vm == Vmheap && vmma_isbest(vm))
        return vmbe_free_slow(vmbe_of(vm), p);
    return (*vm->meth.freef)(vm, p, 0) == 0 || vmma_islast(vm) ? 0 : -1;
}

/* Through the handle where a method is over this one, or someone listens there. */
static int freeby(vmbe_t *be, void *p)
{
    if (VMOS_UNLIKELY(be->vm->meth.meth != VM_MTBEST))
        return (*be->vm->meth.freef)(be->vm, p, 0);
    return vmbe_free_slow(be, p);
}

/* Whether blocks of a plain Vmbest region are to be freed without looking any further. */
static int isplain(const vmbe_t *be)
{
    return be == vmma_lane->be || (!vmma_debugging && be->log == NULL && be->vm->meth.meth == VM_MTBEST);
}

/* Into a slab: of the thread's own lane, and full or one that others free into as well, or of another
 * lane; 0: it is none, or no block in use, and all is to be looked at. */
static int toslab(void *p)
{
    vmbe_lane_t *its;
    vmbe_run_t *run = vmb_map_get(p);
    uintptr_t tagged;
    size_t i;
    if (run == NULL || run->kind != BE_SLAB)
        return 0;
    tagged = BE_SEE(run->lane);
    its = vmbe_lane(tagged);
    if ((tagged & BE_OTHER) || !isplain(its->be) || (i = vmbe_index(run, p)) > run->last)
        return 0;
    if (its == vmma_lane)
        return vmbe_slab_free(its, run, (unsigned)i) > 0;
    return vmbe_remote_free(run, (unsigned)i) == 0;
}

void vmma_giveback(const char *func, vmdg_family_t family, void *p, size_t size, size_t align)
{
    vmbe_t *be;
    int e = errno;
    if (p == NULL || vmma_options.keep)
        return;
    if (VMOS_UNLIKELY(vmma_debugging)) {
        const vmdg_giving_t g = {func, family, size, align, VMDG_ATFREE};
        if (vmma_debug_give(p, &g)) {
            errno = e;
            return;
        }
    }
    if (toslab(p)) {
        errno = e;
        return;
    }
    be = engine(p);
    if (VMOS_UNLIKELY(vmma_debugging) && vmma_debug_owns(p))
        vmma_debug_free(func, family, p, size, align);
    else if ((be == NULL || freeby(be, p) != 0) && freein(vmregion(p), p) != 0)
        vmma_misuse(func, p);
    errno = e;
}

void vmma_release(const char *func, void *p)
{
    vmma_giveback(func, VMDG_MALLOC, p, VMDG_NOSIZE, 0);
}

static VMOS_NOINLINE void release(void *p)
{
    vmma_release("free", p);
}

void vmma_freeslow(void *p)
{
    Vmalloc_t *vm = BE_LOAD(vmma_profiled);
    if (VMOS_UNLIKELY(vm != NULL) && vm == Vmregion)
        vmpf_quick_free(vm, p, release);
    else
        release(p);
}

/* ---- which block ---- */

static size_t sizein(Vmalloc_t *vm, void *p)
{
    long size;
    if (vmma_isbest(vm))
        return vmbe_size(vmbe_of(vm), p);
    size = (*vm->meth.sizef)(vm, p, 0);
    return size > 0 ? (size_t)size : 0;
}

Vmalloc_t *vmma_find(void *p, size_t *size)
{
    vmbe_t *be = engine(p);
    Vmalloc_t *vm;
    *size = be != NULL ? sizein(be->vm, p) : 0;
    if (*size != 0)
        return be->vm;
    vm = vmregion(p);
    if (vm != NULL)
        *size = sizein(vm, p);
    return vm;
}
