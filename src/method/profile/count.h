/* SPDX-License-Identifier: MIT */
/*
 * count: what a block changes in its site when it comes and when it goes, and the tail that it
 * carries meanwhile; for inlining into record.c, which serves all, and quick.c, which serves most.
 *
 *   tail, at the end of the block   | site: 32, birth: 32 | check: 16, size: 48 |
 */
#ifndef VM_PROFILE_COUNT_H
#define VM_PROFILE_COUNT_H 1

#include "profile.h"

#include <string.h>

#define VMPF_SIZEBITS 48
#define VMPF_SIZEMASK (((uint64_t)1 << VMPF_SIZEBITS) - 1)
#define VMPF_SAMPLE 0x80000000u /* in a tail's site */
#define VMPF_ZEROED 0x40000000u /* the same: see unused.c */
#define VMPF_SITEBITS 0x3fffffffu

/* ---- tails ---- */

/* Of the first word, and the size: in the upper 16 bits.  The product's upper bits depend on all. */
VMOS_INLINE uint64_t vmpf_check(uint64_t who, uint64_t size)
{
    uint64_t x = (who ^ size << 20 ^ size) * 0xd6e8feb86659fd93ULL;
    return (x ^ (uint64_t)vmpf.session << VMPF_SIZEBITS) & ~VMPF_SIZEMASK;
}

/* As two words, both here and when it is read: a word that is read otherwise than it was written
 * just before makes the processor wait until it has reached the cache. */
VMOS_INLINE void vmpf_write_tail(char *p, size_t have, uint32_t site, uint32_t birth,
                                 uint64_t size)
{
    uint64_t word[2] = {(uint64_t)site << 32 | birth, size & VMPF_SIZEMASK};
    word[1] |= vmpf_check(word[0], word[1]);
    memcpy(p + have - VMPF_TAIL, &word[0], sizeof word[0]);
    memcpy(p + have - VMPF_TAIL / 2, &word[1], sizeof word[1]);
}

/* 0; -1: it is not as it was written. */
VMOS_INLINE int vmpf_peek_tail(const char *p, size_t have, vmpf_tail_t *t)
{
    uint64_t who, size;
    memcpy(&who, p + have - VMPF_TAIL, sizeof who);
    memcpy(&size, p + have - VMPF_TAIL / 2, sizeof size);
    t->site = (uint32_t)(who >> 32);
    t->birth = (uint32_t)who;
    t->size = size & VMPF_SIZEMASK;
    return VMOS_LIKELY((size ^ vmpf_check(who, t->size)) <= VMPF_SIZEMASK &&
                       t->size <= have - VMPF_TAIL)
               ? 0
               : -1;
}

/* ---- parts of a site ---- */

/* Invariant 3, own part. */
VMOS_INLINE void vmpf_aside(Vmpfsite_t *s)
{
    uint32_t mark = __atomic_load_n(&vmpf.head->mark, __ATOMIC_ACQUIRE);
    if (VMOS_LIKELY(s->mark == mark))
        return;
    VMPF_SET(s->highcalls, s->calls - s->frees);
    VMPF_SET(s->highbytes, s->bytes - s->freed);
    VMPF_SET(s->mark, mark);
}

/* Counts of 32 bits stop at their end. */
VMOS_INLINE void vmpf_add32(uint32_t *x, uint64_t n)
{
    uint64_t sum = *x + n;
    VMPF_SET(*x, VMOS_UNLIKELY(sum > UINT32_MAX) ? UINT32_MAX : (uint32_t)sum);
}

VMOS_INLINE unsigned vmpf_sizebin(size_t size)
{
    unsigned bin = size == 0 ? 0 : (unsigned)vmb_log2((size - 1) | 15) - 3;
    return VMB_MIN(bin, VMPF_NSIZES - 1);
}

VMOS_INLINE unsigned vmpf_lifebin(uint32_t life)
{
    unsigned bin = life == 0 ? 0 : 1 + (unsigned)vmb_log2(life) / 2;
    return VMB_MIN(bin, VMPF_NLIVES - 1);
}

/* How much one block counts: as blocks and as bytes.  The same when it comes and when it goes. */
typedef struct vmpf_amount {
    uint64_t n, bytes;
} vmpf_amount_t;

/* All blocks count. */
VMOS_INLINE int vmpf_full(void)
{
    return VMOS_LIKELY(VMPF_GET(vmpf.head->mode) == VMPF_FULL);
}

VMOS_INLINE void vmpf_add_birth(Vmpfsite_t *s, vmpf_amount_t a, size_t size, size_t have)
{
    uint64_t live;
    vmpf_aside(s);
    VMPF_ADD(s->calls, a.n);
    VMPF_ADD(s->bytes, a.bytes);
    VMPF_ADD(s->slack, a.n * (have - VMPF_TAIL - size));
    vmpf_add32(&s->sizes[vmpf_sizebin(size)], a.n);
    live = s->bytes - s->freed - __atomic_load_n(&s->rfreed, __ATOMIC_RELAXED);
    if ((int64_t)live > (int64_t)s->peak)
        VMPF_SET(s->peak, live);
}

VMOS_INLINE void vmpf_add_death(Vmpfsite_t *s, vmpf_amount_t a, uint32_t lived)
{
    vmpf_aside(s);
    VMPF_ADD(s->frees, a.n);
    VMPF_ADD(s->freed, a.bytes);
    if (lived < vmpf.head->nearby)
        VMPF_ADD(s->shortlived, a.n);
    vmpf_add32(&s->lives[vmpf_lifebin(lived)], a.n);
}

#endif
