/* SPDX-License-Identifier: MIT */
/*
 * rebuild: everything that follows from the descriptors, made anew: page map, tree of free runs,
 * lists of large blocks, lanes, counts.  After fork (other threads stopped in the middle of what
 * they did), attachment (another process' map), and when a lock was broken.
 *
 * A run is busy once its kind says so, which is the last thing that allocation writes; pages that
 * belong to no busy run are free.  Cost: that of reading all descriptors and the page map.
 */
#include "best.h"

int vmbe_alone(vmbe_t *be)
{
    vmbe_lane_t *lane, *mine = vmbe_lane_mine(be);
    for (lane = be->lanes; lane; lane = lane->next)
        if (lane != mine && BE_LOAD(lane->tid) != 0)
            return 0;
    return 1;
}

void vmbe_mend(vmbe_t *be)
{
    if (!be->jumped || !vmbe_alone(be))
        return;
    be->jumped = 0;
    vmbe_rebuild(be, 1);
}

/* Whether run is busy and holds page p. */
static int holds(const vmbe_run_t *run, const char *p)
{
    const char *page = vmbe_run_page(run);
    int busy = run->kind == BE_SLAB ? !(BE_LOAD(run->lane) & BE_OTHER) /* it is complete */
                                    : run->kind != BE_FREE && run->kind != BE_NONE;
    return busy && p >= page && p < page + vmbe_runbytes(run);
}

/* The words that lead to free runs of this region.  Those of busy ones stay: other threads may be
 * asking for them at this moment. */
static void unmap(vmbe_t *be)
{
    vmbe_area_t *a;
    char *p;
    for (a = be->areas; a; a = a->next) {
        vmb_map_reserve(a->first, (size_t)(a->last - a->first));
        for (p = a->first; p < a->last; p += BE_PAGE) {
            vmbe_run_t *run = vmb_map_get(p);
            if (run && vmbe_isown(be, run) && !holds(run, p))
                vmb_map_set(p, 1, NULL);
        }
    }
}

static void reset_lane(vmbe_lane_t *lane, int alone)
{
    unsigned c;
    if (alone)
        lane->pending = NULL;
    lane->kept = lane->busy = 0;
    lane->stash.n = lane->stash.seen = lane->stash.held = lane->stash.open = 0;
    for (c = 0; c < BE_CLASSES; c++) {
        if (lane->meter != NULL)
            vmbe_meter_look(lane, c);
        vmbe_leave(lane, c);
        lane->cur[c].avail = lane->few[c] = NULL;
    }
}

static void reset(vmbe_t *be, int alone)
{
    vmbe_lane_t *lane, *mine = vmbe_lane_mine(be);
    vmbe_fit_reset(be);
    vmbe_dirty_reset(be);
    be->spare = NULL;
    be->nspare = be->freepages = be->freeruns = 0;
    be->nlarge = be->slarge = be->slabblocks = be->slabbytes = 0;
    be->nsmall = be->ssmall = 0;
    if (be->hub)
        __builtin_memset(be->hub->bin, 0, sizeof(be->hub->bin));
    for (lane = be->lanes; lane; lane = lane->next)
        if (alone || lane == mine || lane->tid == 0)
            reset_lane(lane, alone);
}

/* What other threads freed.  When they are about, one may be between two steps (slab.c), and a slab
 * that is to come on the pending list must stay marked. */
static void gather(vmbe_run_t *run, int alone)
{
    unsigned w;
    if (!alone) {
        vmbe_collect(run);
        return;
    }
    run->rsum = 0;
    run->quick = vmbe_classrecip[run->cls];
    for (w = 0; w < vmbe_words(run); w++) {
        uint64_t no = vmbe_invalid(run, w);
        run->u.word[w] |= __atomic_exchange_n(&run->remote[w], no, __ATOMIC_ACQ_REL) & ~no;
    }
}

/* A slab finds its place in its lane, whose lists were emptied. */
static void enlist_slab(vmbe_lane_t *lane, vmbe_run_t *run, int alone)
{
    gather(run, alone);
    run->kept = 0;
    BE_SHOW(run->lane, (uintptr_t)lane | BE_FULL);
    vmbe_slab_place(lane, run);
}

static void relink_slab(vmbe_t *be, vmbe_run_t *run, int alone)
{
    vmbe_lane_t *lane = vmbe_lane(BE_LOAD(run->lane));
    size_t cap = vmbe_capacity(run);
    be->slabblocks += cap;
    be->slabbytes += cap * vmbe_blocksize(run);
    vmb_map_set(run->base, run->npages, run);
    if (alone || lane == vmbe_lane_mine(be) || lane->tid == 0)
        enlist_slab(lane, run, alone);
}

/* A large block that was free in the stash of a lane which is made anew. */
static int isstashed(vmbe_t *be, const vmbe_run_t *run, int alone)
{
    const vmbe_lane_t *keeper = BE_LOAD(run->u.l.keeper);
    return BE_LOAD(run->kept) &&
           (alone || (keeper && (keeper == vmbe_lane_mine(be) || keeper->tid == 0)));
}

/* Those of the calling thread's lane. */
static void lane_unstash(vmbe_t *be, const vmbe_lane_t *lane, vmbe_run_t *run)
{
    if (run->kind != BE_LARGE || !run->kept || run->u.l.keeper != lane)
        return;
    vmbe_large_unlink(be, run);
    vmbe_run_give(be, run);
}

void vmbe_lane_rebuild(vmbe_t *be)
{
    vmbe_lane_t *lane = vmbe_lane_mine(be);
    vmbe_run_t *m;
    if (lane == NULL)
        return;
    reset_lane(lane, 0);
    for (m = be->metas; m; m = m->u.m.next) {
        uint32_t i;
        for (i = 1; i < m->u.m.count; i++)
            if (m[i].kind == BE_SLAB && vmbe_lane(BE_LOAD(m[i].lane)) == lane)
                enlist_slab(lane, m + i, 0);
            else
                lane_unstash(be, lane, m + i);
    }
}

static void relink(vmbe_t *be, vmbe_run_t *run, int alone)
{
    switch (run->kind == BE_SLAB && (BE_LOAD(run->lane) & BE_OTHER) ? BE_NONE : run->kind) {
    case BE_SLAB: /* one that says whose it is: the last thing that is written */
        relink_slab(be, run, alone);
        break;
    case BE_LARGE:
        if (isstashed(be, run, alone)) { /* its pages become free */
            vmb_map_set(run->u.l.page, 1, NULL);
            vmbe_desc_put(be, run);
            break;
        }
        vmb_map_set(run->u.l.page, 1, run);
        vmbe_large_link(be, run);
        break;
    case BE_LANE:
        vmb_map_set(run->base, 1, run);
        break;
    default:
        vmbe_desc_put(be, run);
    }
}

/* Pages of an area that belong to no run become free ones. */
static void fill(vmbe_t *be, vmbe_area_t *a)
{
    char *p = a->first, *from;
    while (p < a->last) {
        vmbe_run_t *run = vmb_map_get(p);
        if (run && vmbe_isown(be, run) && holds(run, p)) {
            p += vmbe_runbytes(run);
            continue;
        }
        for (from = p; p < a->last; p += BE_PAGE)
            if ((run = vmb_map_get(p)) != NULL && vmbe_isown(be, run) && holds(run, p))
                break;
        if (be->nspare > 0) {
            size_t n = (size_t)(p - from) >> BE_SHIFT;
            char *touched = VMB_MAX(VMB_MIN(a->touched, p), from);
            vmbe_run_insert(be, vmbe_desc_get(be), from, n, (size_t)(touched - from) >> BE_SHIFT);
        }
    }
}

void vmbe_rebuild(vmbe_t *be, int alone)
{
    vmbe_run_t *m;
    vmbe_area_t *a;
    vmbe_small_t *s;
    unmap(be);
    reset(be, alone);
    for (m = be->metas; m; m = m->u.m.next) {
        uint32_t i;
        if (m->npages)
            vmb_map_set(m->base, 1, m);
        for (i = 1; i < m->u.m.count; i++)
            relink(be, m + i, alone);
    }
    for (a = be->areas; a; a = a->next)
        fill(be, a);
    for (s = be->smalls; s; s = s->next)
        vmbe_small_repair(be, s);
}
