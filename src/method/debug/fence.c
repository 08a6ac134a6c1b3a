/* SPDX-License-Identifier: MIT */
/*
 * fence: the bytes on both sides of a block that nobody may write, and what blocks are filled with.
 *
 *   p - 16 | word | word ^ size | block: size bytes | bytes of word, by address, to the end |
 *
 * A word is a hash of the block's address and of a random number of its region: copying a fence over
 * another one shows.  Its bytes are from 0x80 to 0xbf: no zeros, small numbers, letters, -1.  The end is that of the last
 * whole 16 bytes behind at least 8, 16, 32 or 64, by the size of the block.  A second process that
 * attaches to a region finds sizes again by the front fence.
 *
 * Cost: a few words are written and compared.
 */
#include "books.h"

#include <string.h>

#define ONES 0x0101010101010101u
#define NEWMOST 32768 /* of larger new blocks only the beginning is filled: they may stay untouched */
#define NEWSOME 4096
#define FREEDMOST ((size_t)1 << 20)

VMOS_INLINE uint64_t word(const char *p, uint64_t key)
{
    uint64_t x = ((uint64_t)(uintptr_t)p + key) * 0x9e3779b97f4a7c15u;
    return ((x ^ x >> 29) & ONES * 0x3f) | ONES * 0x80;
}

VMOS_INLINE size_t rear(size_t size)
{
    if (size <= 256)
        return size <= 32 ? VMDG_REAR : 2 * VMDG_REAR;
    return size < 4096 ? 4 * VMDG_REAR : 8 * VMDG_REAR;
}

size_t vmdg_need(size_t size, size_t lead)
{
    size_t n;
    if (vmb_addover(size, rear(size) + 15 + lead, &n))
        return 0;
    return n & ~(size_t)15;
}

VMOS_INLINE uint64_t load(const char *p)
{
    uint64_t x;
    memcpy(&x, p, sizeof x);
    return x;
}

VMOS_INLINE void store(char *p, uint64_t x)
{
    memcpy(p, &x, sizeof x);
}

/* The word as it lies in memory from address p on. */
VMOS_INLINE uint64_t turned(uint64_t w, const char *p)
{
    unsigned by = (unsigned)((uintptr_t)p & 7) * 8;
    return by != 0 ? w >> by | w << (64 - by) : w;
}

const char *vmdg_fence_end(const char *p, size_t size, int guard)
{
    if (guard == VMDG_ABOVE)
        return (const char *)VMB_UP(p + size, vmos_pagesize());
    return p + vmdg_need(size, 0);
}

static unsigned char byteof(uint64_t w, const char *a)
{
    return (unsigned char)(turned(w, a) & 255);
}

/* Fewer bytes than a word: up to an inaccessible page, or to the next word. */
static void lay_bytes(char *a, const char *end, uint64_t w)
{
    for (; a < end; a++)
        *a = (char)byteof(w, a);
}

static const char *check_bytes(const char *a, const char *end, uint64_t w)
{
    while (a < end && (unsigned char)*a == byteof(w, a))
        a++;
    return a < end ? a : NULL;
}

void vmdg_fence_lay(char *p, size_t size, uint64_t key, int guard)
{
    uint64_t w = word(p, key);
    const char *end = vmdg_fence_end(p, size, guard);
    char *a = p + size, *whole = (char *)VMB_UP(a, 8);
    if (guard != VMDG_BELOW) {
        store(p - 16, w);
        store(p - 8, w ^ size);
    }
    lay_bytes(a, VMB_MIN((const char *)whole, end), w);
    for (a = whole; a < end; a += 8)
        store(a, w);
}

/* The first byte of the eight at p that differs from x. */
static const char *differs(const char *p, uint64_t x)
{
    unsigned char want[8];
    memcpy(want, &x, 8);
    for (int i = 0; i < 8; i++)
        if ((unsigned char)p[i] != want[i])
            return p + i;
    return NULL;
}

static const char *check_rear(const char *a, const char *end, uint64_t w)
{
    const char *whole = (const char *)VMB_UP(a, 8);
    if (a != whole) {
        const char *bad = check_bytes(a, VMB_MIN(whole, end), w);
        if (VMOS_UNLIKELY(bad != NULL))
            return bad;
    }
    for (a = whole; a < end; a += 8)
        if (VMOS_UNLIKELY(load(a) != w))
            return differs(a, w);
    return NULL;
}

/* The end first: that is where errors are. */
const char *vmdg_fence_check(const char *p, size_t size, uint64_t key, int guard)
{
    uint64_t w = word(p, key);
    const char *bad = check_rear(p + size, vmdg_fence_end(p, size, guard), w);
    if (VMOS_UNLIKELY(bad != NULL) || guard == VMDG_BELOW)
        return bad;
    if (VMOS_UNLIKELY(load(p - 16) != w))
        return differs(p - 16, w);
    return VMOS_UNLIKELY(load(p - 8) != (w ^ size)) ? differs(p - 8, w ^ size) : NULL;
}

size_t vmdg_fence_size(const char *p, uint64_t key)
{
    uint64_t w = word(p, key), size = load(p - 8) ^ w;
    return load(p - 16) == w && size <= VMDG_SIZEMASK ? (size_t)size : (size_t)-1;
}

unsigned char vmdg_fencebyte(const vmdg_block_t *b, const void *a)
{
    uint64_t w = word(b->addr, vmdg_region_key(b->region));
    unsigned char bytes[8];
    if ((const char *)a < b->addr && (const char *)a >= b->addr - 8)
        w ^= b->size;
    memcpy(bytes, &w, 8);
    return bytes[(uintptr_t)a & 7];
}

/* ---- fillings ---- */

void vmdg_fill_new(char *p, size_t size)
{
    memset(p, VMDG_NEWBYTE, size <= NEWMOST ? size : NEWSOME);
}

void vmdg_fill_freed(char *p, size_t size)
{
    memset(p, VMDG_FREEDBYTE, VMB_MIN(size, FREEDMOST));
}

const char *vmdg_freed_check(const char *p, size_t size)
{
    const char *end = p + VMB_MIN(size, FREEDMOST);
    const uint64_t want = ONES * VMDG_FREEDBYTE;
    for (; end - p >= 8; p += 8)
        if (VMOS_UNLIKELY(load(p) != want))
            return differs(p, want);
    for (; p < end; p++)
        if (*(const unsigned char *)p != VMDG_FREEDBYTE)
            return p;
    return NULL;
}
