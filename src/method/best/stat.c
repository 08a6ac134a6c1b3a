/* SPDX-License-Identifier: MIT */
/*
 * stat: what vmstat() tells of blocks.  Everything but slabs and areas of granules is counted as it
 * changes.  Slabs are not, since that would cost each malloc() and free() an addition: their bits are
 * counted here, at some 20 ns for each slab.
 */
#include "best.h"

static void count_slabs(const vmbe_t *be, size_t live[BE_CLASSES])
{
    const vmbe_run_t *m;
    uint32_t i;
    for (m = be->metas; m; m = m->u.m.next)
        for (i = 1; i < m->u.m.count; i++)
            if (m[i].kind == BE_SLAB && !(BE_LOAD(m[i].lane) & BE_OTHER))
                live[m[i].cls] += vmbe_slab_live(m + i);
}

static size_t largest(vmbe_t *be)
{
    size_t most = 0;
    int b = be->hub ? BE_BINS : 0;
    vmbe_run_t *run;
    while (b-- > 0 && most < (uint64_t)2 * BE_PAGE << b) /* leads of aligned blocks do not count */
        for (run = be->hub->bin[b]; run; run = run->next)
            if (!BE_LOAD(run->kept)) {
                size_t size = vmbe_largesize(run);
                most = VMB_MAX(most, size);
            }
    return most;
}

static void add_slabs(vmbe_t *be, Vmstat_t *st)
{
    size_t n = 0, s = 0, live[BE_CLASSES] = {0};
    unsigned c;
    count_slabs(be, live);
    for (c = 0; c < BE_CLASSES; c++) {
        n += live[c];
        s += live[c] * vmbe_classbytes[c];
        if (live[c])
            st->m_busy = VMB_MAX(st->m_busy, vmbe_classbytes[c]);
    }
    st->n_busy += n;
    st->s_busy += s;
    st->n_cache = be->slabblocks > n ? be->slabblocks - n : 0;
    st->s_cache = be->slabbytes > s ? be->slabbytes - s : 0;
    st->n_pack = be->nlanes;
}

/* Large blocks that are free. */
static void add_stashes(const vmbe_t *be, Vmstat_t *st)
{
    size_t n, s;
    vmbe_stash_sum(be, &n, &s);
    st->n_busy -= n;
    st->s_busy -= s;
    st->n_cache += n;
    st->s_cache += s;
}

int vmbe_stat(Vmalloc_t *vm, Vmstat_t *st)
{
    vmbe_t *be = vmbe_enter(vm);
    const vmbe_run_t *most;
    vmbe_small_t *a;
    vmbe_mend(be);
    most = vmbe_fit_most(be);
    st->n_busy = be->nlarge + be->nsmall;
    st->s_busy = be->slarge + be->ssmall;
    st->m_busy = largest(be);
    add_slabs(be, st);
    add_stashes(be, st);
    st->n_free = be->freeruns + st->n_cache;
    st->s_free = (be->freepages << BE_SHIFT) + st->s_cache;
    if (most)
        st->m_free = vmbe_runbytes(most);
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
