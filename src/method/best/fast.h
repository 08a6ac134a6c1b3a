/* SPDX-License-Identifier: MIT */
/*
 * fast: the paths that nearly every call takes, for inlining into the method and into malloc.
 * No atomic read-modify-write, no lock, no access to the block itself.
 */
#ifndef VM_FAST_H
#define VM_FAST_H 1

#include "best.h"

extern const uint16_t vmbe_classbytes[BE_CLASSES];

/* A block of class cls from lane's cursor, NULL when the cursor's word is used up: then
 * vmbe_refill(). */
VMOS_INLINE void *vmbe_take(vmbe_lane_t *lane, unsigned cls)
{
    vmbe_cursor_t *c = &lane->cur[cls];
    uint64_t m = BE_LOAD(*c->word);
    if (VMOS_UNLIKELY(m == 0))
        return NULL;
    BE_STORE(*c->word, m & (m - 1));
    BE_ADD(c->live, 1);
    return c->base + (size_t)vmb_ctz(m) * vmbe_classbytes[cls];
}

/* Index of the block of a slab that starts at p, -1 when none does. */
VMOS_INLINE int vmbe_index(const vmbe_run_t *run, const void *p)
{
    size_t off = (size_t)((const char *)p - run->base);
    size_t i = (size_t)((uint64_t)off * run->recip >> 32);
    return VMOS_LIKELY(i * run->units * 16 == off && i <= run->last) ? (int)i : -1;
}

/* Free the block at p of a slab whose lane the calling thread holds.  -1: p is no allocated block,
 * nothing was changed. */
VMOS_INLINE int vmbe_give(vmbe_lane_t *lane, vmbe_run_t *run, void *p)
{
    int i = vmbe_index(run, p);
    uint64_t m, bit;
    if (VMOS_UNLIKELY(i < 0))
        return -1;
    m = BE_LOAD(run->u.word[i >> 6]);
    bit = (uint64_t)1 << (i & 63);
    if (VMOS_UNLIKELY((m | BE_LOAD(run->remote[i >> 6])) & bit))
        return -1;
    m |= bit;
    BE_STORE(run->u.word[i >> 6], m);
    BE_ADD(lane->cur[run->cls].live, -1);
    if (VMOS_UNLIKELY(m == run->empty))
        vmbe_slab_empty(lane, run);
    return 0;
}

#endif
