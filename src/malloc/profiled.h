/* SPDX-License-Identifier: MIT */
/*
 * profiled: the malloc interface under Vmprofile.
 *
 *   every block   Vmregion is a region of Vmprofile, over the method that was asked for
 *   samples       Vmregion stays Vmheap; a thread counts down the bytes that it asks for, and what
 *                 is due comes from a region of Vmprofile beside it
 *
 * In neither case does malloc()'s fast path serve.  vmma_alloc() goes straight to Vmprofile in the
 * first; in the second it counts and then takes the same way as the fast path.  free() is then as
 * fast as ever, for blocks of the other region do not lie in the thread's slabs.
 *
 * A block that is resized is drawn for anew, with its new size.
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
    vmpf_left -= (int64_t)(size + (size == 0));
    return VMOS_UNLIKELY(vmpf_left < 0) && vmma_drawn(size);
}

/* A sample; align 0: of no particular alignment. */
VMMA_HIDDEN void *vmma_sample(size_t size, size_t align);
/* Resize a block of old bytes at p that is one, or shall be one. */
VMMA_HIDDEN void *vmma_resample(Vmalloc_t *vm, void *p, size_t old, size_t size);

/* All blocks have counted for long enough: samples from now on. */
VMMA_HIDDEN void vmma_profile_turn(void);
/* Begin as the options say.  The region for Vmregion; NULL: Vmheap, or it failed. */
VMMA_HIDDEN Vmalloc_t *vmma_profile_open(Vmdisc_t *disc);
/* At the end of the process. */
VMMA_HIDDEN void vmma_profile_end(void);

#endif
