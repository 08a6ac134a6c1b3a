/* SPDX-License-Identifier: MIT */
/*
 * stat: what vmstat() tells of blocks.  Slabs are counted by lanes as they are used, everything
 * else under the lock, so that only areas of granules (at most 64 KiB each) are looked through.
 */
#include "best.h"

static int64_t liveof(vmbe_t *be, unsigned cls)
{
    int64_t n = be->hub ? __atomic_load_n(&be->hub->live[cls], __ATOMIC_RELAXED) : 0;
    vmbe_lane_t *lane;
    for (lane = be->lanes; lane; lane = lane->next)
        n += BE_LOAD(lane->cur[cls].live);
    return n;
}

static size_t largest(vmbe_t *be)
{
    size_t most = 0;
    int b = be->hub ? BE_BINS : 0;
    vmbe_run_t *run;
    while (b-- > 0 && most < (uint64_t)2 * BE_PAGE << b) /* leads of aligned blocks do not count */
        for (run = be->hub->bin[b]; run; run = run->next) {
            size_t size = vmbe_largesize(run);
            most = VMB_MAX(most, size);
        }
    return most;
}

static void add_slabs(vmbe_t *be, Vmstat_t *st)
{
    size_t n = 0, s = 0;
    unsigned c;
    for (c = 0; c < BE_CLASSES; c++) {
        int64_t live = liveof(be, c);
        if (live <= 0)
            continue;
        n += (size_t)live;
        s += (size_t)live * vmbe_classbytes[c];
        st->m_busy = VMB_MAX(st->m_busy, vmbe_classbytes[c]);
    }
    st->n_busy += n;
    st->s_busy += s;
    st->n_cache = be->slabblocks > n ? be->slabblocks - n : 0;
    st->s_cache = be->slabbytes > s ? be->slabbytes - s : 0;
    st->n_pack = be->nlanes;
}

int vmbe_stat(Vmalloc_t *vm, Vmstat_t *st)
{
    vmbe_t *be = vmbe_of(vm);
    vmb_node_t *node;
    vmbe_small_t *a;
    vmbe_mend(be);
    node = vmb_tree_last(be->tree);
    st->n_busy = be->nlarge + be->nsmall;
    st->s_busy = be->slarge + be->ssmall;
    st->m_busy = largest(be);
    add_slabs(be, st);
    st->n_free = be->freeruns + st->n_cache;
    st->s_free = (be->freepages << BE_SHIFT) + st->s_cache;
    if (node)
        st->m_free = vmbe_runbytes(vmbe_run_at(node));
    for (a = be->smalls; a; a = a->next) {
        size_t busy, hole, n;
        vmbe_small_stat(a, &busy, &hole, &n);
        st->m_busy = VMB_MAX(st->m_busy, busy);
        st->m_free = VMB_MAX(st->m_free, hole);
        st->n_free += n;
        st->s_free += ((size_t)a->holes + a->n - a->bump) * 16;
    }
    return 0;
}
