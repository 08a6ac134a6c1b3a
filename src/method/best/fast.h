/* SPDX-License-Identifier: MIT */
/*
 * fast: the paths that nearly every call takes, for inlining into the method and into malloc.
 * No atomic read-modify-write, no lock, no access to the block itself.
 */
#ifndef VM_FAST_H
#define VM_FAST_H 1

#include "best.h"

/* The lane that the calling thread has found before; a lane of no thread else.  That of the region's first
 * thread, which mostly is the only one, is found without the table. */
VMOS_INLINE vmbe_lane_t *vmbe_mylane(vmbe_t *be)
{
    uintptr_t self = vmos_self();
    vmbe_lane_t *first = BE_SEE(be->first), *lane;
    if (VMOS_LIKELY(BE_LOAD(first->tid) == self))
        return first;
    lane = BE_SEE(BE_SEE(be->tab)[vmbe_tabslot(self)]);
    if (VMOS_LIKELY(BE_LOAD(lane->tid) == self))
        return lane;
    return vmr_single(be->vm) ? first : &vmbe_nolane;
}

/* A block from a cursor, NULL when its word is used up: then vmbe_refill(). */
VMOS_INLINE void *vmbe_next(vmbe_cursor_t *c)
{
    uint64_t m = BE_LOAD(*c->word);
    char *p;
    if (VMOS_UNLIKELY(m == 0))
        return NULL;
    BE_STORE(*c->word, m & (m - 1));
    p = c->base + (uint32_t)vmb_ctz(m) * (uint32_t)c->size;
    if (p == NULL)
        __builtin_unreachable(); /* saves callers a test */
    return p;
}

/* The same from a lane's cursor of a class; where the cursor of a size up to BE_TABLEMAX is, and from there. */
VMOS_INLINE void *vmbe_take(vmbe_lane_t *lane, unsigned cls) { return vmbe_next(&lane->cur[cls]); }
VMOS_INLINE vmbe_cursor_t *vmbe_cursor(vmbe_lane_t *lane, size_t size)
{
    return (vmbe_cursor_t *)(void *)((char *)lane + vmbe_cursortab[(size + 15) >> 4]);
}
VMOS_INLINE void *vmbe_taketab(vmbe_lane_t *lane, size_t size) { return vmbe_next(vmbe_cursor(lane, size)); }

/* 1 if x is not 0, else 0; the compiler is not to make a branch of it. */
VMOS_INLINE unsigned vmbe_any(uint64_t x) { return (unsigned)((x | (0 - x)) >> 63); }

/* Point the cursor at the first word of run, from word `from` on, that has a free block; 0: none has.  Words
 * beyond the slab's end have none.  Nobody can predict which it is: no branch depends on it. */
VMOS_INLINE int vmbe_aimfrom(vmbe_cursor_t *c, vmbe_run_t *run, unsigned from)
{
    unsigned some = vmbe_any(BE_LOAD(run->u.word[0])) | vmbe_any(BE_LOAD(run->u.word[1])) << 1 |
                    vmbe_any(BE_LOAD(run->u.word[2])) << 2 | vmbe_any(BE_LOAD(run->u.word[3])) << 3;
    unsigned w;
    some = some >> from << from;
    if (some == 0)
        return 0;
    w = (unsigned)vmb_ctz(some);
    c->base = run->base + (size_t)w * 64 * c->size; /* while the old word is 0 */
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    c->word = &run->u.word[w];
    return 1;
}

VMOS_INLINE int vmbe_aim(vmbe_cursor_t *c, vmbe_run_t *run) { return vmbe_aimfrom(c, run, 0); }

/* A block from a word of the cursor's slab behind the current one; NULL: none has any, or they are veiled
 * (meter.c), then vmbe_refill(). */
VMOS_INLINE void *vmbe_nextword(vmbe_cursor_t *c)
{
    vmbe_run_t *run = vmbe_current(c);
    return !vmbe_veiled(c) && vmbe_aimfrom(c, run, (unsigned)(c->word - run->u.word) + 1) ? vmbe_next(c) : NULL;
}

/* Index of the block of a slab that starts at p, (size_t)-1 when none does; it may lie beyond the
 * slab's last block.  class.h has the reason. */
VMOS_INLINE size_t vmbe_index(const vmbe_run_t *run, const void *p)
{
    uint32_t recip = vmbe_classrecip[run->cls];
    uint64_t x = (uint64_t)((const char *)p - run->base) * recip;
    return VMOS_LIKELY((uint32_t)x < recip) ? (size_t)(x >> 32) : (size_t)-1;
}

/* Free the block at p of a slab of the calling thread's lane in which others have freed nothing that
 * the lane does not know of.  -1: it is no such slab, or p no allocated block; nothing was changed.
 * The product has the index in its high half; quick is 0 where others have freed, and nothing is below
 * that. */
VMOS_INLINE int vmbe_give(vmbe_lane_t *lane, vmbe_run_t *run, void *p)
{
    size_t off = (size_t)((const char *)p - run->base);
    uint64_t x = off * (uint64_t)BE_READ(run->quick), m, *word = &run->u.word[x >> 38];
    if (VMOS_UNLIKELY((uint32_t)x >= (uint32_t)BE_READ(run->quick) || (uint8_t)(x >> 32) > run->last))
        return -1;
    m = BE_LOAD(*word);
    if (VMOS_UNLIKELY(vmos_setbit(&m, x >> 32)))
        return -1;
    BE_STORE(*word, m);
    if (VMOS_UNLIKELY(--run->left == 0))
        vmbe_slab_notice(lane, run);
    return 0;
}

/* Size of the block at p, if it is of a slab of the lane in which others have freed nothing that the lane does
 * not know of; 0: it may still be one (vmbe_size()). */
VMOS_INLINE size_t vmbe_sizeto(vmbe_lane_t *lane, vmbe_run_t *run, const void *p)
{
    size_t off;
    uint64_t x;
    if (VMOS_UNLIKELY(run == NULL || (BE_READ(run->lane) & ~(uintptr_t)BE_FULL) != (uintptr_t)lane))
        return 0;
    off = (size_t)((const char *)p - run->base);
    x = off * (uint64_t)BE_READ(run->quick);
    if (VMOS_UNLIKELY((uint32_t)x >= (uint32_t)BE_READ(run->quick) || (uint8_t)(x >> 32) > run->last ||
                      BE_LOAD(run->u.word[x >> 38]) >> (x >> 32 & 63) & 1))
        return 0;
    return vmbe_classbytes[run->cls];
}

/* The word that has the bit of the block at p, which vmbe_giveto() will take; NULL: it will not. */
VMOS_INLINE uint64_t *vmbe_giveable(vmbe_lane_t *lane, vmbe_run_t *run, const void *p, unsigned *bit)
{
    size_t off;
    uint64_t x, *word;
    if (VMOS_UNLIKELY(run == NULL || BE_READ(run->lane) != (uintptr_t)lane))
        return NULL;
    off = (size_t)((const char *)p - run->base);
    x = off * (uint64_t)BE_READ(run->quick);
    if (VMOS_UNLIKELY((uint32_t)x >= (uint32_t)BE_READ(run->quick) || (uint8_t)(x >> 32) > run->last))
        return NULL;
    word = &run->u.word[x >> 38];
    *bit = x >> 32 & 63;
    return VMOS_UNLIKELY(BE_LOAD(*word) >> *bit & 1) ? NULL : word;
}

/* And it is given. */
VMOS_INLINE void vmbe_givebit(vmbe_lane_t *lane, vmbe_run_t *run, uint64_t *word, unsigned bit)
{
    BE_STORE(*word, BE_LOAD(*word) | (uint64_t)1 << bit);
    if (VMOS_UNLIKELY(--run->left == 0))
        vmbe_slab_notice(lane, run);
}

/* The same for a page map word; it tells in one comparison that the run is a slab, of this lane, and
 * not known to be full. */
VMOS_INLINE int vmbe_giveto(vmbe_lane_t *lane, vmbe_run_t *run, void *p)
{
    return VMOS_LIKELY(run != NULL && BE_READ(run->lane) == (uintptr_t)lane) ? vmbe_give(lane, run, p)
                                                                             : -1;
}

#endif
