/* SPDX-License-Identifier: MIT */
/*
 * malloc: the malloc interface on top of regions; only in libvmalloc-malloc.  Sees all rooms.
 *
 * A thread's lane of Vmheap (see best.h) is kept in a variable of the thread, so that malloc()
 * finds it in two instructions:
 *
 *   vmma_lane --> lane of Vmheap, or vmbe_nolane: no lane yet, or the thread is ending, or every
 *                 call shall take the slow path (option keep)
 *
 *   malloc()  lane->vm == Vmregion?  a block from the lane's cursor
 *   free()    page map --> run; run->lane == lane?  the block's bit in the run
 *
 * One comparison in malloc() tells three things: the library is set up, the thread has its lane,
 * and Vmregion still is Vmheap.  Whatever else can be the case is sorted out behind vmma_alloc()
 * and vmma_freeslow(), which malloc() and free() jump to.
 *
 * Prototypes are our own, so that the interface is the same whatever the headers of the system
 * declare.
 */
#ifndef VM_MALLOC_H
#define VM_MALLOC_H 1

#include "best.h"
#include "over.h"
#include "region.h"

#include <errno.h>

/* ---- entry points, for programs ---- */

/* malloc.c */
VM_API void *malloc(size_t size);
VM_API void *calloc(size_t n, size_t size);
VM_API void *realloc(void *p, size_t size);
VM_API void *reallocarray(void *p, size_t n, size_t size);
VM_API void free(void *p);
VM_API void free_sized(void *p, size_t size);
VM_API void free_aligned_sized(void *p, size_t align, size_t size);
VM_API void cfree(void *p);
/* align.c */
VM_API void *memalign(size_t align, size_t size);
VM_API void *aligned_alloc(size_t align, size_t size);
VM_API int posix_memalign(void **memptr, size_t align, size_t size);
VM_API void *valloc(size_t size);
VM_API void *pvalloc(size_t size);
/* info.c */
VM_API size_t malloc_usable_size(void *p);
VM_API int malloc_trim(size_t pad);
VM_API int mallopt(int param, int value);
VM_API void malloc_stats(void);

/* ---- inside the room ---- */

#define VMMA_HIDDEN __attribute__((visibility("hidden")))

extern __thread vmbe_lane_t *vmma_lane VMMA_HIDDEN __attribute__((tls_model("initial-exec")));

/* malloc.c: the same as malloc() and free(), not to be replaced by a program's. */
VMMA_HIDDEN void *vmma_malloc(size_t size);
VMMA_HIDDEN void vmma_free(void *p);

/* slow.c: allocation and release when the fast path could not; the former set errno when they
 * fail, the latter keep it. */
VMMA_HIDDEN void *vmma_alloc(size_t size);
VMMA_HIDDEN void vmma_freeslow(void *p);
/* The same in the name of another function, for messages; p may not be NULL. */
VMMA_HIDDEN void vmma_release(const char *func, void *p);
VMMA_HIDDEN void *vmma_nomemory(void);
/* Innermost region that p lies in, NULL: none.  *size gets the size of the block that starts at
 * p, 0 when none does (or none that its method knows: Vmlast). */
VMMA_HIDDEN Vmalloc_t *vmma_find(void *p, size_t *size);

/* debugged.c: whether Vmdebug is at work, so that addresses are to be looked up in its books first. */
extern int vmma_debugging VMMA_HIDDEN;

/* start.c: the region that the next block comes from, with everything set up; NULL: no memory. */
VMMA_HIDDEN Vmalloc_t *vmma_region(void);

/* A block for a size up to BE_TABLEMAX from the lane's cursor; NULL: vmma_alloc(). */
VMOS_INLINE void *vmma_take(size_t size)
{
    vmbe_lane_t *lane = vmma_lane;
    if (VMOS_UNLIKELY(lane->front != Vmregion || size > BE_TABLEMAX))
        return NULL;
    return vmbe_taketab(lane, size);
}

/* The block p goes back to the thread's own lane: 0, or -1 when that is not so simple. */
VMOS_INLINE int vmma_give(void *p)
{
    vmbe_lane_t *lane = vmma_lane;
    vmbe_run_t *run = vmb_map_get(p);
    return vmbe_giveto(lane, run, p);
}

/* Whether blocks are cut by Vmlast, alone or under a method that watches. */
VMOS_INLINE int vmma_islast(const Vmalloc_t *vm)
{
    return ((vmmt_joined(vm) ? vmmt_under(vm)->meth : vm->meth.meth) & VM_MTLAST) != 0;
}

#define VMMA_SHRINKMIN 64 /* bytes of blocks up to which shrinking never moves */

/* A block of old bytes stays while it is not larger than twice what is asked for; small ones always. */
VMOS_INLINE int vmma_fits(size_t old, size_t size)
{
    return size <= old && (old <= VMMA_SHRINKMIN || size > old / 2);
}

/* A plain Vmbest region: one that is traced is not, and is served by its method. */
VMOS_INLINE int vmma_isbest(const Vmalloc_t *vm)
{
    return vm->meth.meth == VM_MTBEST && !vmr_shared(vm);
}

#endif
