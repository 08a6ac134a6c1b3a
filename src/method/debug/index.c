/* SPDX-License-Identifier: MIT */
/*
 * index: from addresses to blocks.
 *
 *   root[address / 128 MiB] --> leaf:
 *
 *     | starts: a bit per 4 KiB | used: same | rule of each 4 KiB | pieces |
 *                                                                      |
 *                                             number of each 32 bytes of 4 MiB
 *
 * The numbers of most blocks follow from the rules of their pages (seat.c).  Those of others are stored where
 * the blocks begin, and nowhere else.  What lies inside is found by going back to the next beginning, page
 * by page with the help of `starts`.  Both bitmaps only ever gain bits: a bit may stand for blocks that are
 * gone, a missing one means none.
 *
 * Readers take no lock; each number is one word that its block's owner writes.  Cost: three loads
 * to look an address up; 264 KiB of addresses for a leaf, of which 8 bytes for each page of blocks get memory,
 * and where blocks have no seats 512 KiB for each 4 MiB, of which an eighth of their bytes: under `ulimit -v`
 * addresses count, touched or not.
 */
#include "books.h"

#include <errno.h>

#define LEAFSHIFT VMDG_LEAFSHIFT
#define NROOT VMDG_NROOT
#define NPAGE VMDG_NPAGE
#define PERPAGE (VMB_PAGE / VMDG_GRANULE)

typedef vmdg_leaf_t leaf_t;
#define leafof vmdg_leafof
#define pageof vmdg_pageof
#define granof vmdg_granof

vmdg_leaf_t **vmdg_root;

/* Map something once; of two threads one wins. */
static void *once(void **where, size_t size)
{
    void *p = __atomic_load_n(where, __ATOMIC_ACQUIRE), *had = NULL;
    if (p != NULL)
        return p;
    size = VMB_UP(size, vmos_pagesize());
    p = vmos_map(NULL, size, VMOS_RESERVE | VMOS_SMALL);
    if (p == NULL || __atomic_compare_exchange_n(where, &had, p, 0, __ATOMIC_ACQ_REL,
                                                 __ATOMIC_ACQUIRE)) {
        if (p != NULL)
            vmos_name(p, size, "vmalloc debug");
        return p;
    }
    vmos_unmap(p, size);
    return had;
}

static VMOS_COLD leaf_t *makeleaf(uintptr_t a)
{
    leaf_t **r = once((void **)&vmdg_root, NROOT * sizeof(*r));
    if (r == NULL || a >> LEAFSHIFT >= NROOT)
        return NULL;
    return once((void **)&r[a >> LEAFSHIFT], sizeof(leaf_t));
}

/* The granules of the 4 MiB around a. */
static int makepiece(leaf_t *l, uintptr_t a)
{
    return once((void **)&l->gran[a >> VMDG_PIECESHIFT & (VMDG_NPIECE - 1)], VMDG_NGRAN * sizeof(uint32_t)) != NULL
               ? 0 : -1;
}

VMOS_INLINE void setbit(uint64_t *map, size_t i)
{
    uint64_t bit = (uint64_t)1 << (i & 63);
    if (VMOS_UNLIKELY(!(__atomic_load_n(&map[i >> 6], __ATOMIC_RELAXED) & bit)))
        __atomic_fetch_or(&map[i >> 6], bit, __ATOMIC_RELAXED);
}

int vmdg_index_maybe(const void *p)
{
    leaf_t *l = leafof((uintptr_t)p);
    size_t page = pageof((uintptr_t)p);
    return l != NULL && (__atomic_load_n(&l->used[page >> 6], __ATOMIC_RELAXED) >> (page & 63) & 1);
}

/* Word by word where there are many. */
int vmdg_index_use(const void *from, const void *to)
{
    uintptr_t a = VMB_DOWN((uintptr_t)from, VMB_PAGE), end = (uintptr_t)to;
    leaf_t *l = NULL;
    while (a < end) {
        size_t page = pageof(a);
        l = l != NULL && page != 0 ? l : leafof(a);
        if (VMOS_UNLIKELY(l == NULL) && (l = makeleaf(a)) == NULL) {
            errno = ENOMEM;
            return -1;
        }
        if ((page & 63) == 0 && end - a >= 64 * VMB_PAGE) {
            __atomic_store_n(&l->used[page >> 6], ~(uint64_t)0, __ATOMIC_RELAXED);
            a += 64 * VMB_PAGE;
        } else {
            setbit(l->used, page);
            a += VMB_PAGE;
        }
    }
    return 0;
}

int vmdg_index_enter(const void *p, const void *from, const void *end, uint32_t id)
{
    leaf_t *l;
    uint64_t *rule;
    if (VMOS_UNLIKELY(vmdg_index_use(from, end) < 0))
        return -1;
    l = leafof((uintptr_t)p);
    if (VMOS_UNLIKELY(l == NULL)) /* a block of no bytes at the end of a leaf */
        return -1;
    if (VMOS_UNLIKELY(makepiece(l, (uintptr_t)p) != 0)) {
        errno = ENOMEM;
        return -1;
    }
    setbit(l->starts, pageof((uintptr_t)p));
    __atomic_store_n(granof(l, (uintptr_t)p), id, __ATOMIC_RELEASE);
    rule = &l->rule[pageof((uintptr_t)p)];
    if (!(__atomic_load_n(rule, __ATOMIC_RELAXED) & VMDG_GRANS))
        __atomic_fetch_or(rule, VMDG_GRANS, __ATOMIC_RELEASE);
    return 0;
}

void vmdg_index_clear(const void *p, uint32_t id)
{
    leaf_t *l = leafof((uintptr_t)p);
    uint32_t *g = l != NULL && vmdg_ruleof(l, (uintptr_t)p) & VMDG_GRANS ? granof(l, (uintptr_t)p) : NULL;
    if (g != NULL && __atomic_load_n(g, __ATOMIC_RELAXED) == id)
        __atomic_store_n(g, 0, __ATOMIC_RELEASE);
}

/* Whether the descriptor of a seat is of a block that its address leads to. */
static int seated(uint32_t id)
{
    uint64_t what = vmdg_what(vmdg_desc(id));
    return vmdg_stateof(what) != VMDG_NONE && !(what & VMDG_ASTRAY);
}

uint32_t vmdg_index_get(const void *p)
{
    leaf_t *l = leafof((uintptr_t)p);
    uint64_t rule = l != NULL ? vmdg_ruleof(l, (uintptr_t)p) : 0;
    uint32_t id = 0;
    if (rule & VMDG_GRANS)
        id = vmdg_numberof(l, (uintptr_t)p);
    if (id != 0 || (rule & VMDG_FIRSTMASK) == 0)
        return id;
    id = vmdg_seatof(rule, (uintptr_t)p);
    return seated(id) && (uintptr_t)vmdg_addr(vmdg_desc(id)) / VMDG_GRANULE == (uintptr_t)p / VMDG_GRANULE ? id : 0;
}

/* ---- searching ---- */

VMOS_INLINE uint64_t startsof(const leaf_t *l, size_t word)
{
    return __atomic_load_n(&l->starts[word], __ATOMIC_RELAXED);
}

static int isstart(const leaf_t *l, size_t page)
{
    return startsof(l, page >> 6) >> (page & 63) & 1;
}

/* The last page up to `page` in which a block began, (size_t)-1: none in the leaf. */
static size_t start_down(const leaf_t *l, size_t page)
{
    size_t word = page >> 6;
    uint64_t m = startsof(l, word) & ~(uint64_t)0 >> (63 - (page & 63));
    while (m == 0 && word > 0)
        m = startsof(l, --word);
    return m != 0 ? word * 64 + 63 - (size_t)__builtin_clzll(m) : (size_t)-1;
}

/* The first one from `page` on, NPAGE: none. */
static size_t start_up(const leaf_t *l, size_t page)
{
    size_t word = page >> 6;
    uint64_t m;
    if (page >= NPAGE)
        return NPAGE;
    m = startsof(l, word) & ~(uint64_t)0 << (page & 63);
    while (m == 0 && word + 1 < NPAGE / 64)
        m = startsof(l, ++word);
    return m != 0 ? word * 64 + (size_t)vmb_ctz(m) : NPAGE;
}

/* Whether one of the eight granules from g on has a number. */
VMOS_INLINE int anyof8(const uint32_t *g)
{
    uint32_t any = 0;
    for (size_t k = 0; k < 8; k++)
        any |= __atomic_load_n(&g[k], __ATOMIC_RELAXED);
    return any != 0;
}

/* In the granules of one page, from the one of `a` down; by eights where there is nothing. */
static uint32_t grans_down(const leaf_t *l, uintptr_t a, const char **at)
{
    uintptr_t page = VMB_DOWN(a, VMB_PAGE);
    const uint32_t *g = granof(l, page);
    for (size_t i = (a - page) / VMDG_GRANULE; g != NULL; i--) {
        uint32_t id = __atomic_load_n(&g[i], __ATOMIC_ACQUIRE);
        if (id != 0) {
            *at = (const char *)(page + i * VMDG_GRANULE);
            return id;
        }
        while (i % 8 == 0 && i >= 8 && !anyof8(&g[i - 8]))
            i -= 8;
        if (i == 0)
            return 0;
    }
    return 0;
}

static uint32_t grans_up(const leaf_t *l, uintptr_t a, const char **at)
{
    uintptr_t page = VMB_DOWN(a, VMB_PAGE);
    const uint32_t *g = granof(l, page);
    for (size_t i = (a - page) / VMDG_GRANULE; g != NULL && i < PERPAGE; i++) {
        uint32_t id = __atomic_load_n(&g[i], __ATOMIC_ACQUIRE);
        if (id != 0) {
            *at = (const char *)(page + i * VMDG_GRANULE);
            return id;
        }
    }
    return 0;
}

/* The same among seats: their blocks lie in the order of their numbers. */
static uint32_t seats_down(uint64_t rule, uintptr_t a, const char **at)
{
    uint32_t id = vmdg_seatof(rule, a | (VMDG_GRANULE - 1)), first = (uint32_t)(rule & VMDG_FIRSTMASK);
    for (; id >= first; id--) {
        const char *p = seated(id) ? vmdg_addr(vmdg_desc(id)) : NULL;
        if (p != NULL && (uintptr_t)p / VMDG_GRANULE <= a / VMDG_GRANULE) {
            *at = (const char *)VMB_DOWN((uintptr_t)p, VMDG_GRANULE);
            return id;
        }
    }
    return 0;
}

static uint32_t seats_up(uint64_t rule, uintptr_t a, const char **at)
{
    uint32_t id = vmdg_seatof(rule, VMB_DOWN(a, VMDG_GRANULE)), last = vmdg_seatof(rule, VMB_PAGE - 1);
    for (; id <= last; id++) {
        const char *p = seated(id) ? vmdg_addr(vmdg_desc(id)) : NULL;
        if (p != NULL && (uintptr_t)p / VMDG_GRANULE >= a / VMDG_GRANULE) {
            *at = (const char *)VMB_DOWN((uintptr_t)p, VMDG_GRANULE);
            return id;
        }
    }
    return 0;
}

/* Of both kinds the one that is nearer. */
static uint32_t inpage_down(leaf_t *l, uintptr_t a, const char **at)
{
    uint64_t rule = vmdg_ruleof(l, a);
    const char *other = NULL;
    uint32_t id = rule & VMDG_GRANS ? grans_down(l, a, at) : 0, seat;
    seat = rule & VMDG_FIRSTMASK ? seats_down(rule, a, &other) : 0;
    if (seat == 0 || (id != 0 && *at >= other))
        return id;
    *at = other;
    return seat;
}

static uint32_t inpage_up(leaf_t *l, uintptr_t a, const char **at)
{
    uint64_t rule = vmdg_ruleof(l, a);
    const char *other = NULL;
    uint32_t id = rule & VMDG_GRANS ? grans_up(l, a, at) : 0, seat;
    seat = rule & VMDG_FIRSTMASK ? seats_up(rule, a, &other) : 0;
    if (seat == 0 || (id != 0 && *at <= other))
        return id;
    *at = other;
    return seat;
}

uint32_t vmdg_index_before(const void *p, const void *low, const char **at)
{
    uintptr_t a = (uintptr_t)p, least = (uintptr_t)low;
    for (;;) {
        leaf_t *l = leafof(a);
        uintptr_t base = VMB_DOWN(a, (uintptr_t)1 << LEAFSHIFT);
        size_t page = pageof(a);
        while (l != NULL && page != (size_t)-1) {
            uint32_t id = isstart(l, page) ? inpage_down(l, a, at) : 0;
            if (id != 0)
                return *at >= (const char *)VMB_DOWN(least, VMDG_GRANULE) ? id : 0;
            page = page > 0 ? start_down(l, page - 1) : (size_t)-1;
            a = base + (page + 1) * VMB_PAGE - 1;
            if (page != (size_t)-1 && a < least)
                return 0;
        }
        if (base <= least || base == 0)
            return 0;
        a = base - 1;
    }
}

uint32_t vmdg_index_after(const void *p, const void *high, const char **at)
{
    uintptr_t a = (uintptr_t)p, most = (uintptr_t)high;
    while (a < most) {
        leaf_t *l = leafof(a);
        uintptr_t base = VMB_DOWN(a, (uintptr_t)1 << LEAFSHIFT);
        size_t page = pageof(a);
        while (l != NULL && page < NPAGE && a < most) {
            uint32_t id = isstart(l, page) ? inpage_up(l, a, at) : 0;
            if (id != 0)
                return *at < (const char *)high ? id : 0;
            page = start_up(l, page + 1);
            a = base + page * VMB_PAGE;
        }
        if (base + ((uintptr_t)1 << LEAFSHIFT) < base)
            return 0;
        a = base + ((uintptr_t)1 << LEAFSHIFT);
    }
    return 0;
}

/* Numbers that stand for blocks in [from, end); those of a block before from may share a granule. */
uint32_t vmdg_index_next(const char **from, const char *end)
{
    const char *at, *p;
    uint32_t id;
    while ((id = vmdg_index_after(*from, end, &at)) != 0) {
        p = vmdg_addr(vmdg_desc(id));
        if (p >= *from)
            return *from = at + VMDG_GRANULE, p < end ? id : 0;
        *from = at + VMDG_GRANULE;
    }
    return 0;
}

/* Unless it leaves quarantine meanwhile, and another block has its seat. */
static void astray(vmdg_desc_t *d, const char *p, uint64_t what)
{
    while (vmdg_stateof(what) != VMDG_NONE && vmdg_addr(d) == p &&
           !__atomic_compare_exchange_n(&d->what, &what, what | VMDG_ASTRAY, 0, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
        continue;
}

void vmdg_index_wipe(const char *from, const char *end)
{
    uint32_t id;
    while ((id = vmdg_index_next(&from, end)) != 0) {
        vmdg_desc_t *d = vmdg_desc(id);
        uint64_t what = vmdg_what(d);
        const char *p = vmdg_addr(d);
        if (!(what & VMDG_SEATED))
            vmdg_index_clear(p, id);
        else
            astray(d, p, what);
    }
}
