/* SPDX-License-Identifier: MIT */
/*
 * plain: what every allocation and every release does, in line: fences and fillings of blocks that have no
 * guard, and looking a block up.
 *
 *   p - 16 | word | word ^ size | block: size bytes | bytes of word, by address, to the end |
 *
 * A word is a hash of the block's address and of a random number of its region: copying a fence over
 * another one shows.  Its bytes are from 0x80 to 0xbf: no zeros, small numbers, letters, -1.  Byte i of a
 * word in memory is what belongs at addresses that are i modulo 8.  p is a multiple of 8, but for odd
 * alignments, so the word in which the block ends lies in the lower method's block, and is read and written
 * as a whole.
 */
#ifndef VM_DEBUG_PLAIN_H
#define VM_DEBUG_PLAIN_H 1

#include "books.h"

#include <string.h>

#define VMDG_NEWMOST 32768 /* of larger new blocks only the beginning is filled: they may stay untouched */
#define VMDG_ONES 0x0101010101010101u

VMOS_INLINE uint64_t vmdg_word(const char *p, uint64_t key)
{
    uint64_t x = ((uint64_t)(uintptr_t)p + key) * 0x9e3779b97f4a7c15u;
    return ((x ^ x >> 29) & VMDG_ONES * 0x3f) | VMDG_ONES * 0x80;
}

VMOS_INLINE uint64_t vmdg_load(const char *p)
{
    uint64_t x;
    memcpy(&x, p, sizeof x);
    return x;
}

VMOS_INLINE void vmdg_store(char *p, uint64_t x)
{
    memcpy(p, &x, sizeof x);
}

/* Fewest bytes behind a block. */
VMOS_INLINE size_t vmdg_rear(size_t size)
{
    if (size <= 256)
        return size <= 32 ? VMDG_REAR : 2 * VMDG_REAR;
    return size < 4096 ? 4 * VMDG_REAR : 8 * VMDG_REAR;
}

/* What is asked of the lower method for a block of size bytes behind `lead`; 0: overflow. */
VMOS_INLINE size_t vmdg_need(size_t size, size_t lead)
{
    size_t n;
    if (VMOS_UNLIKELY(vmb_addover(size, vmdg_rear(size) + 15 + lead, &n)))
        return 0;
    return n & ~(size_t)15;
}

/* Of a word in memory, the bytes from the i-th one on. */
VMOS_INLINE uint64_t vmdg_from(size_t i)
{
    const uint64_t all = ~(uint64_t)0;
    return __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? all << i * 8 : all >> i * 8;
}

/* Whether the two below may be used: no guard, and words at multiples of 8. */
VMOS_INLINE int vmdg_isplain(const char *p, uint64_t what)
{
    return vmdg_guardof(what) == VMDG_NOGUARD && ((uintptr_t)p & 7) == 0;
}

/* inside: what lies in the word in which the block ends, so that it need not be read: lines that are on
 * their way to the cache are only written to. */
VMOS_INLINE void vmdg_fence_between(char *p, size_t size, char *end, uint64_t key, uint64_t inside)
{
    uint64_t w = vmdg_word(p, key), mask = vmdg_from(size & 7);
    char *a = p + (size & ~(size_t)7);
    vmdg_store(p - 16, w);
    vmdg_store(p - 8, w ^ size);
    vmdg_store(a, (inside & ~mask) | (w & mask));
    for (a += 8; a < end; a += 8)
        vmdg_store(a, w);
}

VMOS_INLINE void vmdg_fence_put(char *p, size_t size, uint64_t key, uint64_t inside)
{
    vmdg_fence_between(p, size, p + vmdg_need(size, 0), key, inside);
}

/* In an image: it was freed, for who finds it there again.  No byte is one of a word. */
#define VMDG_FREEDMARK (VMDG_ONES * 0x40)
VMOS_INLINE void vmdg_fence_mark(char *p, uint64_t key)
{
    vmdg_store(p - 16, vmdg_word(p, key) ^ VMDG_FREEDMARK);
}

/* What a new block ends with. */
VMOS_INLINE uint64_t vmdg_inside(const char *p, size_t size, int zero)
{
    if (VMOS_UNLIKELY(size > VMDG_NEWMOST))
        return vmdg_load(p + (size & ~(size_t)7));
    return zero ? 0 : VMDG_ONES * VMDG_NEWBYTE;
}

/* Whether all of it is as put. */
VMOS_INLINE int vmdg_fence_sound(const char *p, size_t size, uint64_t key)
{
    uint64_t w = vmdg_word(p, key);
    const char *a = p + (size & ~(size_t)7), *end = p + vmdg_need(size, 0);
    uint64_t bad = (vmdg_load(a) ^ w) & vmdg_from(size & 7);
    for (a += 8; a < end; a += 8)
        bad |= vmdg_load(a) ^ w;
    return (bad | (vmdg_load(p - 16) ^ w) | (vmdg_load(p - 8) ^ w ^ size)) == 0;
}

#define VMDG_SHORT 128 /* bytes that are filled in line */

/* n bytes of c.  A last part of a word is written with bytes before it. */
VMOS_INLINE void vmdg_set(char *p, unsigned char c, size_t n)
{
    uint64_t x = VMDG_ONES * c;
    char *end = p + n;
    if (VMOS_UNLIKELY(n - 8 > VMDG_SHORT - 8)) {
        memset(p, c, n);
        return;
    }
    for (; p < end - 8; p += 8)
        vmdg_store(p, x);
    vmdg_store(end - 8, x);
}

/* A block that begins: what is stored last, for it is what others look at. */
VMOS_INLINE void vmdg_desc_enter(vmdg_desc_t *d, const char *p, uint64_t what, uint32_t region, uint32_t stack,
                                 uint64_t op)
{
    uint32_t thread = vmdg_threadnumber();
    __atomic_store_n(&d->where, (uint64_t)(uintptr_t)p | (uint64_t)region << VMDG_ADDRBITS, __ATOMIC_RELAXED);
    d->alloc = stack;
    d->freed = 0;
    d->op = (uint32_t)op;
    d->athread = (uint16_t)thread;
    d->fthread = 0;
    __atomic_store_n(&d->what, what, __ATOMIC_RELEASE);
}

/* The descriptor of the live block at p of region vm (NULL: any), else 0. */
VMOS_INLINE uint32_t vmdg_live(const Vmalloc_t *vm, const void *p)
{
    uint32_t id = vmdg_index_near(p);
    const vmdg_desc_t *d;
    if (VMOS_UNLIKELY(id == 0))
        return 0;
    d = vmdg_desc(id);
    if (VMOS_UNLIKELY((vmdg_what(d) & (VMDG_STATEMASK | VMDG_ASTRAY)) != (uint64_t)VMDG_LIVE << VMDG_STATESHIFT ||
                      vmdg_addr(d) != p))
        return 0;
    return VMOS_LIKELY(vm == NULL || vmdg_region_vm(vmdg_regionof(d)) == vm) ? id : 0;
}

#endif
