/* SPDX-License-Identifier: MIT */
/*
 * fence: the bytes on both sides of a block that nobody may write, and what blocks are filled with: of all
 * blocks, those against a page without access included, and finding the first byte that is wrong.
 *
 * The end is that of the last whole 16 bytes behind at least 8, 16, 32 or 64, by the size of the block, or
 * that of the page where one without access follows.  A second process that attaches to a region finds sizes
 * again by the front fence.  Drawn in plain.h.
 */
#include "plain.h"

#define NEWSOME 4096
#define FREEDMOST ((size_t)1 << 20)

const char *vmdg_fence_end(const char *p, size_t size, int guard)
{
    if (guard == VMDG_ABOVE)
        return (const char *)VMB_UP(p + size, vmos_pagesize());
    return p + vmdg_need(size, 0);
}

static unsigned char byteof(uint64_t w, const char *a)
{
    unsigned char bytes[8];
    memcpy(bytes, &w, 8);
    return bytes[(uintptr_t)a & 7];
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
    uint64_t w = vmdg_word(p, key);
    const char *end = vmdg_fence_end(p, size, guard);
    char *a = p + size, *whole = (char *)VMB_UP(a, 8);
    if (guard != VMDG_BELOW) {
        vmdg_store(p - 16, w);
        vmdg_store(p - 8, w ^ size);
    }
    lay_bytes(a, VMB_MIN((const char *)whole, end), w);
    for (a = whole; a < end; a += 8)
        vmdg_store(a, w);
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
        if (VMOS_UNLIKELY(vmdg_load(a) != w))
            return differs(a, w);
    return NULL;
}

/* The end first: that is where errors are. */
const char *vmdg_fence_check(const char *p, size_t size, uint64_t key, int guard)
{
    uint64_t w = vmdg_word(p, key);
    const char *bad = check_rear(p + size, vmdg_fence_end(p, size, guard), w);
    if (VMOS_UNLIKELY(bad != NULL) || guard == VMDG_BELOW)
        return bad;
    if (VMOS_UNLIKELY(vmdg_load(p - 16) != w))
        return differs(p - 16, w);
    return VMOS_UNLIKELY(vmdg_load(p - 8) != (w ^ size)) ? differs(p - 8, w ^ size) : NULL;
}

size_t vmdg_fence_size(const char *p, uint64_t key, int *freed)
{
    uint64_t w = vmdg_word(p, key), size = vmdg_load(p - 8) ^ w, mark = vmdg_load(p - 16) ^ w;
    *freed = mark == VMDG_FREEDMARK;
    return (mark == 0 || *freed) && size <= VMDG_SIZEMASK ? (size_t)size : (size_t)-1;
}

unsigned char vmdg_fencebyte(const vmdg_block_t *b, const void *a)
{
    uint64_t w = vmdg_word(b->addr, vmdg_region_key(b->region));
    if ((const char *)a < b->addr && (const char *)a >= b->addr - 8)
        w ^= b->size;
    return byteof(w, a);
}

/* ---- fillings ---- */

void vmdg_fill_new(char *p, size_t size)
{
    vmdg_set(p, VMDG_NEWBYTE, size <= VMDG_NEWMOST ? size : NEWSOME);
}

void vmdg_fill_freed(char *p, size_t size)
{
    vmdg_set(p, VMDG_FREEDBYTE, VMB_MIN(size, FREEDMOST));
}

const char *vmdg_freed_check(const char *p, size_t size)
{
    const char *end = p + VMB_MIN(size, FREEDMOST);
    const uint64_t want = VMDG_ONES * VMDG_FREEDBYTE;
    while (end - p >= 32 && VMOS_LIKELY(((vmdg_load(p) ^ want) | (vmdg_load(p + 8) ^ want) |
                                         (vmdg_load(p + 16) ^ want) | (vmdg_load(p + 24) ^ want)) == 0))
        p += 32;
    for (; end - p >= 8; p += 8)
        if (VMOS_UNLIKELY(vmdg_load(p) != want))
            return differs(p, want);
    for (; p < end; p++)
        if (*(const unsigned char *)p != VMDG_FREEDBYTE)
            return p;
    return NULL;
}
