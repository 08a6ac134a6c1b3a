/* SPDX-License-Identifier: MIT */
/*
 * profiled: the malloc interface under Vmprofile.
 *
 *   every block   Vmregion is a region of Vmprofile, over the method that was asked for
 *   samples       Vmregion stays Vmheap, and what is due comes from a region of Vmprofile beside it
 *
 * In the first malloc()'s fast path does not serve, and vmma_alloc() goes straight to Vmprofile.  In the
 * second it does, and free()'s, both unchanged.  The thread's lane has a meter (meter.c of Vmbest): it
 * counts the blocks of each class, and stops the fast path where one is due.  So each class has a draw of
 * its own, which makes no difference: points of a Poisson process, sorted by any rule that knows nothing of
 * them, are such processes again.  Sizes beyond all classes, aligned blocks, and those of threads
 * without a lane are counted by the bytes that the thread asks for.
 *
 * A block that is resized is drawn for anew, with its new size, where it moves.  Where it stays, which is what
 * realloc() does without asking anybody here, it is a sample if it was one.
 *
 * When every block has been recorded for long, the first becomes the second: Vmregion is Vmheap
 * from then on, and the region of Vmprofile has the blocks that are left in it.
 */
#ifndef VM_MALLOC_PROFILED_H
#define VM_MALLOC_PROFILED_H 1

#include "malloc.h"
#include "profile.h"

/* The region of samples; NULL: none are taken. */
extern Vmalloc_t *vmma_samples VMMA_HIDDEN;

/* That, or the region of Vmprofile over Vmbest that all blocks come from; NULL: neither. */
extern Vmalloc_t *vmma_profiled VMMA_HIDDEN;

/* The thread's count has run out at a block of size bytes: whether it shall be a sample. */
VMMA_HIDDEN int vmma_drawn(size_t size);

VMOS_INLINE int vmma_due(size_t size)
{
    vmpf_left -= (int64_t)vmpf_bytes(size);
    return VMOS_UNLIKELY(vmpf_left < 0) && vmma_drawn(size);
}

/* Whether a meter counts what the calling thread's lane gives; it gets one if it can. */
VMMA_HIDDEN int vmma_meter_add(vmbe_lane_t *lane);
VMOS_INLINE int vmma_metered(vmbe_lane_t *lane)
{
    return VMOS_LIKELY(lane->meter != NULL && lane->front == Vmheap) || vmma_meter_add(lane);
}
/* Whether the block of a class that comes next shall be a sample. */
VMMA_HIDDEN int vmma_meter_drawn(vmbe_lane_t *lane, unsigned cls);
VMOS_INLINE int vmma_meter_due(vmbe_lane_t *lane, unsigned cls)
{
    return VMOS_UNLIKELY(lane->meter->cls[cls].room <= 0) && vmma_meter_drawn(lane, cls);
}

/* A sample; align 0: of no particular alignment. */
VMMA_HIDDEN void *vmma_sample(size_t size, size_t align);
/* Resize a block of old bytes at p that is one, or shall be one. */
VMMA_HIDDEN void *vmma_resample(Vmalloc_t *vm, void *p, size_t old, size_t size);

/* Whether malloc()'s blocks are looked at for what was never written.  One of calloc() then, which the
 * region must know to be zeros. */
VMOS_INLINE int vmma_looked(void)
{
    return vmpf_looks() && Vmregion->meth.meth & VM_MTPROFILE;
}
VMMA_HIDDEN void *vmma_profile_cleared(size_t size);

/* All blocks have counted for long enough: samples from now on. */
VMMA_HIDDEN void vmma_profile_turn(void);
/* Begin as the options say.  The region for Vmregion; NULL: Vmheap, or it failed. */
VMMA_HIDDEN Vmalloc_t *vmma_profile_open(Vmdisc_t *disc);
/* At the end of the process. */
VMMA_HIDDEN void vmma_profile_end(void);

#endif
