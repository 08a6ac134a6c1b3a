/* SPDX-License-Identifier: MIT */
/*
 * check: the invariants of best.h as code, for vmdbcheck() and the tests.  Each fault is told and
 * counted.  What other threads may be changing at this moment is left out unless the calling
 * thread is alone in the region.
 */
#include "best.h"

typedef struct {
    vmbe_t *be;
    int bad, alone;
    size_t freepages, freeruns, nlarge, dirty;
    size_t listed; /* slabs with free blocks that their lanes know of, less those found there */
} check_t;

static void fault(check_t *c, const void *addr, const char *sentence)
{
    vmmtfault(c->be->vm, addr, sentence);
    c->bad++;
}

static void check_slab(check_t *c, const vmbe_run_t *run)
{
    unsigned w;
    vmbe_lane_t *lane = vmbe_lane(BE_SEE(run->lane));
    if (run->cls >= BE_CLASSES ||
        vmbe_capacity(run) * vmbe_blocksize(run) > vmbe_runbytes(run) || lane->be != c->be) {
        fault(c, run->base, "slab: class, capacity or lane is wrong");
        return;
    }
    c->listed += !(run->lane & BE_FULL);
    for (w = 0; w < 4; w++) {
        uint64_t m = BE_LOAD(run->u.word[w]), r = BE_LOAD(run->remote[w]);
        uint64_t no = vmbe_invalid(run, w);
        if ((m & no) || (r & no) != no)
            fault(c, run->base, "slab: blocks beyond its end are free");
        if (c->alone && (m & r & ~no))
            fault(c, run->base, "slab: a block is free twice");
    }
    if (c->alone && (run->lane & BE_FULL) && run->rsum == 0 && !vmbe_isfull(run))
        fault(c, run->base, "slab: it has free blocks and its lane does not know");
}

static void check_free(check_t *c, const vmbe_run_t *run, const vmbe_run_t *before)
{
    if (before && before->kind == BE_FREE)
        fault(c, run->base, "free runs touch");
    if (run->u.f.dlo > run->u.f.dhi || run->u.f.dhi > run->npages)
        fault(c, run->base, "free run: touched pages lie outside");
    if (vmb_map_get(run->base + (vmbe_runbytes(run) - BE_PAGE)) != run)
        fault(c, run->base, "free run: the page map does not know its end");
    c->freepages += run->npages;
    c->freeruns++;
    c->dirty += run->kept ? run->u.f.dhi - run->u.f.dlo : 0;
}

static void check_area(check_t *c, vmbe_area_t *a)
{
    char *p = a->first;
    const vmbe_run_t *before = NULL, *run;
    while (p < a->last) {
        run = vmbe_run_of(c->be, p);
        if (run == NULL || vmbe_run_page(run) != p || run->npages == 0 ||
            vmbe_runbytes(run) > (size_t)(a->last - p)) {
            fault(c, p, "pages belong to no run, or to two");
            return;
        }
        if (run->kind == BE_SLAB)
            check_slab(c, run);
        else if (run->kind == BE_FREE)
            check_free(c, run, before);
        else if (run->kind == BE_LARGE)
            c->nlarge++;
        else if (run->kind != BE_META && run->kind != BE_LANE)
            fault(c, p, "run of an unknown kind");
        before = run;
        p += vmbe_runbytes(run);
    }
}

static void check_list(check_t *c, const vmbe_lane_t *lane, unsigned cls, int few)
{
    const vmbe_run_t *run = few ? lane->few[cls] : lane->cur[cls].avail;
    for (; run; run = run->next, c->listed--)
        if (run->kind != BE_SLAB || run->cls != cls || run->lane != (uintptr_t)lane ||
            vmbe_isfull(run) || !run->waits != !few)
            fault(c, run, "lane: a slab is on the wrong list");
        else if (!few && run->rsum == 0 && run->left != vmbe_slab_live(run))
            fault(c, run, "lane: the frees that make a slab empty are miscounted");
}

static void check_lane(check_t *c, vmbe_lane_t *lane)
{
    unsigned cls;
    vmbe_run_t *run;
    if (c->be->log == NULL && vmbe_stash_check(lane) < 0)
        fault(c, lane, "lane: large blocks that it keeps are out of order");
    for (cls = 0; cls < BE_CLASSES; cls++) {
        run = vmbe_current(&lane->cur[cls]);
        if (run != &lane->none && run->lane != (uintptr_t)lane)
            fault(c, run->base, "lane: its current slab is another lane's");
        c->listed -= run != &lane->none;
        check_list(c, lane, cls, 0);
        check_list(c, lane, cls, 1);
    }
}

static void check_counts(check_t *c)
{
    vmbe_t *be = c->be;
    long nodes = vmbe_fit_check(be);
    if (nodes < 0 || (size_t)nodes != c->freeruns || be->freeruns != c->freeruns)
        fault(c, NULL, "free runs are out of order");
    if (be->freepages != c->freepages || be->dirtypages != c->dirty || be->nlarge != c->nlarge)
        fault(c, NULL, "pages are miscounted");
}

int vmbe_check(Vmalloc_t *vm)
{
    check_t c = {.be = vmbe_enter(vm)};
    vmbe_lane_t *lane;
    vmbe_area_t *a;
    vmbe_small_t *s;
    c.alone = vmbe_alone(c.be);
    vmbe_mend(c.be);
    for (s = c.be->smalls; s; s = s->next)
        c.bad += vmbe_small_check(c.be, s);
    for (a = c.be->areas; a; a = a->next)
        check_area(&c, a);
    for (lane = c.be->lanes; c.alone && lane; lane = lane->next)
        check_lane(&c, lane);
    if (c.alone && c.listed)
        fault(&c, NULL, "slabs with free blocks are on no list");
    check_counts(&c);
    return c.bad;
}
