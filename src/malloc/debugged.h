/* SPDX-License-Identifier: MIT */
/*
 * debugged: the malloc interface when Vmregion is a region of Vmdebug: what each call tells of a
 * block reaches the books, families, sizes and alignments included.
 *
 *   Vmregion of Vmdebug   allocation goes to it with the family of the call
 *   vmma_debugging        there is or was such a region: release and resizing ask the books first
 *
 * The fast paths never come here: with another Vmregion than Vmheap they do not apply.
 */
#ifndef VM_MALLOC_DEBUGGED_H
#define VM_MALLOC_DEBUGGED_H 1

#include "plain.h"
#include "malloc.h"

/* The next block comes from a region of Vmdebug. */
VMOS_INLINE int vmma_debugged(void)
{
    return VMOS_UNLIKELY(vmma_debugging) && Vmregion != NULL && Vmregion->meth.meth == VM_MTDEBUG;
}

VMMA_HIDDEN void *vmma_debug_alloc(size_t size, size_t align, int zero, vmdg_family_t family);
VMMA_HIDDEN void *vmma_debug_realloc(void *p, size_t size);
VMMA_HIDDEN void vmma_debug_free(const char *call, vmdg_family_t family, void *p, size_t size,
                                 size_t align);
/* Whether p was a live block of Vmdebug, which has been given back. */
VMOS_INLINE int vmma_debug_give(void *p, const vmdg_giving_t *g)
{
    uint32_t id;
    int r;
    if (VMOS_LIKELY(((g->size ^ VMDG_NOSIZE) | g->align) == 0) && vmdg_give_straight(NULL, p, g, &r) == 0)
        return 1;
    if ((id = vmdg_live(NULL, p)) == 0)
        return 0;
    vmdg_give_known(NULL, id, p, g, 0);
    return 1;
}

/* With the option sample: the region of the blocks that are guarded; else NULL. */
extern Vmalloc_t *vmma_sampler VMMA_HIDDEN;

/* slow.c: vmma_alloc() in the name of a family. */
VMMA_HIDDEN void *vmma_allocas(size_t size, vmdg_family_t family);

/* align.c: align is any number > 0.  slow.c: the same where a slab does not serve. */
VMMA_HIDDEN void *vmma_align(size_t align, size_t size, vmdg_family_t family);
VMMA_HIDDEN void *vmma_alignslow(size_t align, size_t size, vmdg_family_t family);

/* Whether it is for Vmdebug to say what p is: all that is not in a region of another method. */
VMMA_HIDDEN int vmma_debug_owns(void *p);

/* slow.c: release by a call of a family; size VMDG_NOSIZE, align 0: not told. */
VMMA_HIDDEN void vmma_giveback(const char *func, vmdg_family_t family, void *p, size_t size,
                               size_t align);

/* n times size overflows: NULL with ENOMEM, and told by Vmdebug.  An alignment that is none. */
VMMA_HIDDEN void *vmma_overflow(const char *call, size_t n, size_t size);
VMMA_HIDDEN void vmma_badalign(const char *call, size_t align);

/* With Vmheap open: open the region that the options ask for, NULL when that fails. */
VMMA_HIDDEN Vmalloc_t *vmma_debug_open(Vmdisc_t *disc);

#endif
