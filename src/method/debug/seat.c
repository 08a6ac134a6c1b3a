/* SPDX-License-Identifier: MIT */
/*
 * seat: descriptors by the place of blocks.
 *
 *   page of blocks 48 bytes apart  |. #48 ....|. #48 ....|. #48 ....|  ...      p / 4096 --> rule: first 700, factor
 *   descriptors                    | 700      | 701      | 702      |  ...  | 785 |
 *
 * The blocks of a slab are as far from each other as they are large, so one number for a page, and that
 * distance, tell where the descriptor of each of its blocks is: 8 bytes for a page, which stay in the cache, in
 * place of a number beside each block, which do not; and no list of unused descriptors.
 *
 * The factor is 2^20 / distance, rounded up, so two blocks that are at least that far apart have two numbers.
 * Invariants
 *   - A row of descriptors belongs to one page, and none of it is used but through the page's rule.
 *   - A rule changes only while nothing of its row is in use; that is made sure of by GRANS, which keeps new
 *     blocks away, and by whoever enters a block: takes the seat first, which is then nobody else's, and looks
 *     at the rule again before anything is written there.
 *   - What does not fit has its number in its granule (index.c): blocks of other methods than Vmbest, those with
 *     larger alignments and guards, what comes to lie on a block whose memory was given twice.
 *
 * Cost: some 20 instructions for a block, one of them atomic; for a page that is cut anew a look at its row.
 */
#include "books.h"
#include "over.h"

#include <errno.h>

#define ROWMOST (VMB_PAGE / VMDG_GRANULE + 1)

static vmos_lock_t laying;
static uint32_t unused[ROWMOST + 1]; /* rows by length, linked by `freed` of their first descriptors */

void vmdg_seat_renew(void)
{
    laying = (vmos_lock_t){0, 0};
}

static uint32_t length(uint64_t rule)
{
    return vmdg_seatof(rule, VMB_PAGE - 1) - (uint32_t)(rule & VMDG_FIRSTMASK) + 1;
}

/* With no number yet. */
static uint64_t rulefor(size_t stride)
{
    uint64_t factor = (((size_t)1 << VMDG_FACTORBITS) + stride - 1) / stride;
    return (uint64_t)(stride / 16) << VMDG_STRIDESHIFT | factor << VMDG_FACTORSHIFT;
}

static uint32_t row(uint32_t n)
{
    uint32_t id = unused[n];
    if (id == 0)
        return vmdg_desc_row(n);
    __atomic_store_n(&unused[n], vmdg_desc(id)->freed, __ATOMIC_RELAXED);
    return id;
}

static void giveup(uint64_t rule)
{
    uint32_t id = (uint32_t)(rule & VMDG_FIRSTMASK), n = length(rule);
    vmdg_desc(id)->freed = unused[n];
    __atomic_store_n(&unused[n], id, __ATOMIC_RELAXED);
}

/* Nothing of its row is in use, nor will be: GRANS was set.  Who has seen the rule without it and took a seat since is
 * either seen here, or sees it. */
static int isidle(uint64_t rule)
{
    uint32_t id = (uint32_t)(rule & VMDG_FIRSTMASK), n = length(rule);
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    for (; n > 0; n--, id++)
        if (vmdg_what(vmdg_desc(id)) != 0)
            return 0;
    return 1;
}

/* Another rule for a page, in which blocks lie at least stride apart from now on.  0: it is not to be. */
static uint64_t lay(uint64_t *at, size_t stride)
{
    uint64_t old = __atomic_load_n(at, __ATOMIC_ACQUIRE), rule = rulefor(stride);
    uint32_t id;
    if (old & VMDG_GRANS)
        return 0;
    if (old != 0) {
        __atomic_fetch_or(at, VMDG_GRANS, __ATOMIC_SEQ_CST);
        if (!isidle(old))
            return 0;
    }
    if ((id = row(length(rule))) == 0)
        return 0;
    rule |= id;
    __atomic_store_n(at, rule, __ATOMIC_RELEASE);
    if (old != 0)
        giveup(old);
    return rule;
}

static VMOS_NOINLINE uint64_t relay(Vmalloc_t *vm, uint64_t *at, char *base, size_t n, int local)
{
    long size = (*vmmt_under(vm)->sizef)(vm, base, local);
    size_t stride = size > 0 ? VMB_MIN((size_t)size & ~(size_t)15, VMDG_STRIDEMOST) : 0;
    int keep = errno;
    uint64_t rule;
    if (stride < VMDG_GRANULE || !vmdg_seat_fits(rulefor(stride), n) || vmos_lockedbyme(&laying))
        return 0;
    vmos_lock(&laying);
    rule = lay(at, stride);
    vmos_unlock(&laying);
    errno = keep;
    return rule;
}

int vmdg_seat_find(Vmalloc_t *vm, const char *p, char *base, size_t n, int local, vmdg_seat_t *s)
{
    size_t page = vmdg_pageof((uintptr_t)p);
    vmdg_leaf_t *l;
    uint64_t rule, *map;
    if (vmdg_index_use(base, base + n) < 0 || (l = vmdg_leafof((uintptr_t)p)) == NULL)
        return -1;
    rule = vmdg_ruleof(l, (uintptr_t)p);
    if (rule & VMDG_GRANS)
        return -1;
    if (!vmdg_seat_fits(rule, n) && (rule = relay(vm, &l->rule[page], base, n, local)) == 0)
        return -1;
    map = &l->starts[page >> 6];
    if (!(__atomic_load_n(map, __ATOMIC_RELAXED) >> (page & 63) & 1))
        __atomic_fetch_or(map, (uint64_t)1 << (page & 63), __ATOMIC_RELAXED);
    *s = (vmdg_seat_t){&l->rule[page], rule, vmdg_seatof(rule, (uintptr_t)p)};
    return vmdg_what(vmdg_desc(s->id)) == 0 ? 0 : -1;
}
