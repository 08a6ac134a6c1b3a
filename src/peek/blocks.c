/* SPDX-License-Identifier: MIT */
/*
 * blocks: what the standard methods' statistics functions do, in another process' memory.
 *
 * Each is the twin of the method's own (best/stat.c, last_ask.c, pool.c) but for what is dear to read
 * from outside, the largest blocks.  Nothing read is believed to be a pointer to something: reads
 * fail, lists end after VMPK_MANY.
 */
#include "peek.h"

/* ---- best ---- */

#define BATCH 32 /* descriptors read at once */

static void countslab(const vmbe_run_t *run, size_t live[BE_CLASSES])
{
    if (run->kind == BE_SLAB && !(run->lane & BE_OTHER) && run->cls < BE_CLASSES)
        live[run->cls] += vmbe_slab_live(run);
}

/* The descriptors behind the first of them, at `at`. */
static int descriptors(const vmpk_look_t *l, const vmbe_run_t *at, uint32_t count,
                       size_t live[BE_CLASSES])
{
    vmbe_run_t some[BATCH];
    uint32_t i, k, n;
    for (i = 1; i < count; i += n) {
        n = VMB_MIN(count - i, BATCH);
        if (vmpk_get(l, at + i, some, n * sizeof *some) != 0)
            return -1;
        for (k = 0; k < n; k++)
            countslab(&some[k], live);
    }
    return 0;
}

static int slabs(const vmpk_look_t *l, const vmbe_t *be, size_t live[BE_CLASSES])
{
    const vmbe_run_t *at = be->metas;
    vmbe_run_t meta;
    for (long n = 0; at != NULL && n < VMPK_MANY; n++, at = meta.u.m.next)
        if (vmpk_get(l, at, &meta, sizeof meta) != 0 ||
            descriptors(l, at, meta.u.m.count, live) != 0)
            return -1;
    return 0;
}

/* What lanes keep of large blocks, which are free. */
static int stashes(const vmpk_look_t *l, const vmbe_t *be, size_t *n, size_t *s)
{
    const vmbe_lane_t *at = be->log == NULL ? be->lanes : NULL;
    const vmbe_lane_t *next;
    vmbe_stash_t st;
    for (long k = 0; at != NULL && k < VMPK_MANY; k++, at = next) {
        if (vmpk_get(l, &at->stash, &st, sizeof st) != 0 || vmpk_get(l, &at->next, &next, sizeof next) != 0)
            return -1;
        *n += st.n;
        *s += (size_t)st.held << BE_SHIFT;
    }
    return 0;
}

static int smallareas(const vmpk_look_t *l, const vmbe_t *be, Vmpeek_t *to)
{
    const vmbe_small_t *at = be->smalls;
    vmbe_small_t a;
    for (long n = 0; at != NULL && n < VMPK_MANY; n++, at = a.next) {
        if (vmpk_get(l, at, &a, sizeof a) != 0)
            return -1;
        to->s_free += ((size_t)a.holes + a.n - a.bump) * 16;
        to->n_free += (a.holes > 0) + (a.n > a.bump);
    }
    return 0;
}

static int best(const vmpk_look_t *l, const void *addr, Vmpeek_t *to)
{
    size_t live[BE_CLASSES] = {0}, n = 0, s = 0, nstash = 0, stashed = 0;
    vmbe_t be;
    if (vmpk_get(l, addr, &be, sizeof be) != 0 || slabs(l, &be, live) != 0 ||
        stashes(l, &be, &nstash, &stashed) != 0 || smallareas(l, &be, to) != 0)
        return -1;
    for (unsigned c = 0; c < BE_CLASSES; c++) {
        n += live[c];
        s += live[c] * vmbe_classbytes[c];
    }
    to->n_busy = be.nlarge - VMB_MIN(nstash, be.nlarge) + be.nsmall + n;
    to->s_busy = be.slarge - VMB_MIN(stashed, be.slarge) + be.ssmall + s;
    to->n_free += nstash + be.freeruns + (be.slabblocks > n ? be.slabblocks - n : 0);
    to->s_free += stashed + (be.freepages << BE_SHIFT) + (be.slabbytes > s ? be.slabbytes - s : 0);
    return 0;
}

/* ---- last ---- */

static int last(const vmpk_look_t *l, const void *addr, Vmpeek_t *to)
{
    vmla_part_t cur;
    vmla_t st;
    if (vmpk_get(l, addr, &st, sizeof st) != 0 || vmpk_get(l, st.cur, &cur, sizeof cur) != 0)
        return -1;
    to->n_busy = st.nbusy;
    to->s_busy = st.used + (size_t)(st.next - cur.base) - st.hole;
    to->n_free = st.nhole + (cur.lim > st.next);
    to->s_free = st.cap > to->s_busy ? st.cap - to->s_busy : 0;
    return 0;
}

/* ---- pool ---- */

static size_t seated(const vmpk_look_t *l, const vmpo_table_t *table)
{
    vmpo_table_t t;
    vmpo_place_t p;
    size_t n = 0, i;
    for (int k = 0; table != NULL && k < 64; k++, table = t.older) {
        if (vmpk_get(l, table, &t, sizeof t) != 0 || t.mask > VMPK_MANY)
            return n;
        for (i = 0; i <= t.mask; i++)
            if (vmpk_get(l, &t.place[i], &p, sizeof p) == 0)
                n += p.seat.n + (size_t)vmb_pop(p.seat.word);
    }
    return n;
}

static int pool(const vmpk_look_t *l, const void *addr, Vmpeek_t *to)
{
    size_t blocks, free;
    vmpo_t st;
    if (vmpk_get(l, addr, &st, sizeof st) != 0)
        return -1;
    blocks = st.stride != 0 ? st.cut / st.stride : 0;
    free = st.navail + seated(l, st.tables);
    free = VMB_MIN(free, blocks);
    to->n_busy = blocks - free;
    to->s_busy = to->n_busy * st.size;
    to->n_free = free;
    to->s_free = free * st.stride + (st.span > st.cut ? st.span - st.cut : 0);
    return 0;
}

int vmpk_blocks(const vmpk_look_t *l, const void *addr, unsigned int meth, Vmpeek_t *to)
{
    switch (meth & (VM_MTBEST | VM_MTLAST | VM_MTPOOL)) {
    case VM_MTBEST:
        return best(l, addr, to);
    case VM_MTLAST:
        return last(l, addr, to);
    case VM_MTPOOL:
        return pool(l, addr, to);
    default:
        return -1;
    }
}
