/* SPDX-License-Identifier: MIT */
/*
 * fast: the paths that nearly every call takes, for inlining into the method and into malloc.
 * No atomic read-modify-write, no lock, no access to the block itself.
 */
#ifndef VM_FAST_H
#define VM_FAST_H 1

#include "best.h"

/* The cursor of a class. */
VMOS_INLINE vmbe_cursor_t *vmbe_cursor(vmbe_lane_t *lane, size_t cls) { return &lane->cur[cls]; }

/* A block of class cls from lane's cursor, NULL when the cursor's word is used up: then
 * vmbe_refill(). */
VMOS_INLINE void *vmbe_take(vmbe_lane_t *lane, size_t cls)
{
    vmbe_cursor_t *c = vmbe_cursor(lane, cls);
    uint64_t m = BE_LOAD(*c->word);
    char *p;
    if (VMOS_UNLIKELY(m == 0))
        return NULL;
    BE_STORE(*c->word, m & (m - 1));
    BE_ADD(c->live, 1);
    p = c->base + (uint64_t)(unsigned)vmb_ctz(m) * c->size;
    if (p == NULL)
        __builtin_unreachable(); /* saves callers a test */
    return p;
}

/* Index of the block of a slab that starts at p, (size_t)-1 when none does; it may lie beyond the
 * slab's last block.  class.h has the reason. */
VMOS_INLINE size_t vmbe_index(const vmbe_run_t *run, const void *p)
{
    uint64_t i = (uint64_t)((const char *)p - run->base) * run->recip;
    return VMOS_LIKELY((uint32_t)i < run->recip) ? (size_t)(i >> 32) : (size_t)-1;
}

/* Free the block at p of a slab whose lane the calling thread holds.  -1: p is no allocated block,
 * nothing was changed. */
VMOS_INLINE int vmbe_give(vmbe_lane_t *lane, vmbe_run_t *run, void *p)
{
    size_t i = vmbe_index(run, p);
    uint64_t m;
    if (VMOS_UNLIKELY(i == (size_t)-1))
        return -1;
    m = BE_LOAD(run->u.word[i >> 6]);
    if (VMOS_UNLIKELY((m | BE_LOAD(run->remote[i >> 6])) >> (i & 63) & 1))
        return -1;
    m |= (uint64_t)1 << (i & 63);
    BE_STORE(run->u.word[i >> 6], m);
    BE_ADD(((vmbe_cursor_t *)(void *)((char *)lane + run->cursor))->live, -1);
    if (VMOS_UNLIKELY(m == run->empty))
        vmbe_slab_empty(lane, run);
    return 0;
}

#endif
