/* SPDX-License-Identifier: MIT */
/*
 * purge: free pages go back to the discipline.
 *
 * Free runs with touched pages are on a list, oldest first.  They stay usable as they are for
 * BE_DELAY ms, so that what is freed and allocated in turns costs no page faults; when they are
 * more than BE_DIRTYMIN pages and more than the pages in use, the oldest go at once.  Parts of huge
 * pages stay twice as long, for to give them back breaks the page; they do not count among those
 * pages, or whole ones would go each time they are freed because parts cannot.
 * vmcompact() gives back everything, releases segments that are wholly free and cuts free ends.
 */
#include "best.h"

/* ---- the list, oldest first ----
 * A run that has grown has the mean of its parts' times and belongs in the middle.  So time is cut in
 * units, and the last run of each of the latest units is known: hub->ends[unit % BE_ENDS], where that run's
 * time says so.  Within a unit runs are in any order, and a new one finds its place in O(1), but where all
 * that is listed is either newer, or older by all those units. */
#define UNIT 64 /* ms; BE_ENDS of them are more than BE_DELAY */

_Static_assert(UNIT * BE_ENDS > BE_DELAY, "runs of all ages that wait have an end");

static uint64_t unitof(const vmbe_run_t *run) { return run->u.f.time / UNIT; }

static vmbe_run_t **endof(vmbe_t *be, uint64_t unit) { return &be->hub->ends[unit % BE_ENDS]; }

/* The run behind which one of that unit belongs; NULL: it is the first. */
static vmbe_run_t *placeof(vmbe_t *be, uint64_t unit)
{
    vmbe_run_t *after;
    uint64_t i;
    for (i = 0; i < BE_ENDS && i <= unit; i++)
        if ((after = *endof(be, unit - i)) != NULL && unitof(after) == unit - i)
            return after;
    for (after = be->dirtylast; after && unitof(after) > unit; after = after->prev)
        ;
    return after;
}

void vmbe_dirty_add(vmbe_t *be, vmbe_run_t *run)
{
    vmbe_run_t *after;
    if (be->log) /* purged when asked for: shared.c */
        return;
    after = placeof(be, unitof(run));
    *endof(be, unitof(run)) = run;
    run->prev = after;
    run->next = after ? after->next : be->dirty;
    *(after ? &after->next : &be->dirty) = run;
    *(run->next ? &run->next->prev : &be->dirtylast) = run;
    run->kept = 1;
    be->dirtypages += run->u.f.dhi - run->u.f.dlo;
    be->triedpages += run->tried ? run->u.f.dhi - run->u.f.dlo : 0;
}

void vmbe_dirty_remove(vmbe_t *be, vmbe_run_t *run)
{
    vmbe_run_t **end;
    if (!run->kept)
        return;
    end = endof(be, unitof(run));
    if (*end == run)
        *end = run->prev && unitof(run->prev) == unitof(run) ? run->prev : NULL;
    *(run->prev ? &run->prev->next : &be->dirty) = run->next;
    *(run->next ? &run->next->prev : &be->dirtylast) = run->prev;
    run->kept = 0;
    be->dirtypages -= run->u.f.dhi - run->u.f.dlo;
    be->triedpages -= run->tried ? run->u.f.dhi - run->u.f.dlo : 0;
}

void vmbe_dirty_reset(vmbe_t *be)
{
    be->dirty = be->dirtylast = NULL;
    be->dirtypages = be->triedpages = 0;
    if (be->hub)
        __builtin_memset(be->hub->ends, 0, sizeof(be->hub->ends));
}

/* ---- giving back ---- */

/* Give back the touched pages of a run, which leaves the list; not exact: only as far as whole huge
 * pages reach, and nothing when it has none.  0, or -1: a part is left. */
static int purge(vmbe_t *be, vmbe_run_t *run, int exact)
{
    size_t page = VMB_MAX(vmos_pagesize(), (size_t)BE_PAGE), unit = page;
    char *lo = run->base + ((size_t)run->u.f.dlo << BE_SHIFT);
    char *hi = run->base + ((size_t)run->u.f.dhi << BE_SHIFT);
    int r;
    if (!exact && lo < vmbe_area_of(be, lo)->huge)
        unit = VMB_MAX(vmos_hugesize(), page);
    hi = (char *)VMB_DOWN(hi, unit);
    if (unit > page && (uintptr_t)hi <= VMB_UP(lo, unit))
        return -1;
    vmbe_dirty_remove(be, run);
    if ((uintptr_t)hi <= VMB_UP(lo, page) ||
        (r = vmr_purge(be->vm, (char *)VMB_UP(lo, page), (size_t)(hi - (char *)VMB_UP(lo, page)))) < 0)
        return 0;
    if (r == 0)
        be->zeroed = 0;
    if (VMB_UP(lo, page) == (uintptr_t)lo) /* else its ragged start keeps what it holds */
        run->u.f.dlo = (uint32_t)((size_t)(hi - run->base) >> BE_SHIFT);
    if (run->u.f.dlo == run->u.f.dhi)
        run->u.f.dlo = run->u.f.dhi = 0;
    return run->u.f.dhi > run->u.f.dlo && unit > page ? -1 : 0;
}

/* A run that lies within huge pages waits once more; then they are broken. */
static void wait(vmbe_t *be, vmbe_run_t *run, uint64_t now)
{
    vmbe_dirty_remove(be, run);
    run->u.f.time = now;
    run->tried = 1;
    vmbe_dirty_add(be, run);
}

void vmbe_purge(vmbe_t *be, int all)
{
    uint64_t now;
    if (be->dirty == NULL)
        return;
    now = all ? 0 : vmos_coarsetime();
    while (be->dirty) {
        vmbe_run_t *run = be->dirty;
        size_t most = VMB_MAX(be->pages - be->freepages, (size_t)BE_DIRTYMIN);
        int due = now - run->u.f.time >= BE_DELAY;
        if (!all && !due && be->dirtypages - be->triedpages <= most)
            break;
        while (!all && !due && run && run->tried)
            run = run->next;
        if (run == NULL)
            break;
        if (purge(be, run, all || (due && run->tried)) < 0)
            wait(be, run, now);
    }
}

/* The descriptors inside [from, to) that lie on pages of descriptors cannot be moved: an area
 * that has such a page, or a lane's, is in use. */
static vmbe_run_t *wholefree(vmbe_area_t *a)
{
    vmbe_run_t *run = vmbe_run_freeat(a, a->first);
    return run && run->base + vmbe_runbytes(run) == a->last ? run : NULL;
}

/* Whether nothing of seg is in use. */
static int segfree(vmbe_t *be, const Vmseg_t *seg)
{
    vmbe_area_t *a;
    vmbe_small_t *s;
    for (a = be->areas; a; a = a->next)
        if (a->seg == seg && (!wholefree(a) || (char *)be->hub == (char *)(a + 1)))
            return 0;
    for (s = be->smalls; s; s = s->next)
        if (s->seg == seg && s->bump > 0)
            return 0;
    return 1;
}

/* Whether descriptors in use lie in the gap of an area of seg; take its spare ones out. */
static int gapfree(vmbe_t *be, const Vmseg_t *seg)
{
    vmbe_run_t *m, **pm, **ps;
    const char *lo = seg->addr, *hi = seg->addr + seg->extent;
    for (m = be->metas; m; m = m->u.m.next) {
        uint32_t i;
        if ((char *)m < lo || (char *)m >= hi)
            continue;
        for (i = 1; i < m->u.m.count; i++)
            if (m[i].kind != BE_NONE && !(m[i].base >= lo && m[i].base < hi))
                return 0;
    }
    for (ps = &be->spare; *ps;)
        if ((char *)*ps >= lo && (char *)*ps < hi) {
            *ps = (*ps)->next;
            be->nspare--;
        } else {
            ps = &(*ps)->next;
        }
    for (pm = &be->metas; *pm;)
        if ((char *)*pm >= lo && (char *)*pm < hi)
            *pm = (*pm)->u.m.next;
        else
            pm = &(*pm)->u.m.next;
    return 1;
}

/* Take all areas of seg, which are free, out of the engine. */
static void forget(vmbe_t *be, const Vmseg_t *seg)
{
    vmbe_area_t **pa;
    vmbe_small_t **ps;
    for (pa = &be->areas; *pa;) {
        vmbe_area_t *a = *pa;
        if (a->seg == seg) {
            vmbe_run_t *run = wholefree(a);
            vmbe_run_delist(be, run);
            if (!((char *)run >= seg->addr && (char *)run < seg->addr + seg->extent))
                vmbe_desc_put(be, run);
            be->pages -= (size_t)(a->last - a->first) >> BE_SHIFT;
            *pa = a->next;
        } else {
            pa = &a->next;
        }
    }
    for (ps = &be->smalls; *ps;)
        if ((*ps)->seg == seg)
            *ps = (*ps)->next;
        else
            ps = &(*ps)->next;
}

/* The free end of the last area of seg goes back. */
static void cutend(vmbe_t *be, vmbe_area_t *a)
{
    vmbe_run_t *run = vmbe_run_freeat(a, a->last - BE_PAGE);
    Vmseg_t *seg = a->seg;
    size_t dirty;
    char *page, *last;
    if (run == NULL || (char *)VMB_DOWN(seg->end, BE_PAGE) != a->last)
        return;
    page = run->base;
    dirty = run->u.f.dhi;
    vmbe_run_delist(be, run);
    if (vmmtshrink(be->vm, seg, (size_t)(page - seg->base)) < 0) {
        vmbe_run_enlist(be, run);
        return;
    }
    last = (char *)VMB_DOWN(seg->end, BE_PAGE);
    be->pages -= (size_t)(a->last - last) >> BE_SHIFT;
    a->last = last;
    a->touched = VMB_MIN(a->touched, last);
    if (last > page) {
        size_t n = (size_t)(last - page) >> BE_SHIFT;
        vmbe_run_insert(be, run, page, n, VMB_MIN(n, dirty));
    } else {
        vmbe_desc_put(be, run);
    }
}

/* Release what is wholly free: the segment at the end of the list is the root and stays. */
static void trimsegs(vmbe_t *be)
{
    Vmseg_t *seg, *next;
    vmbe_area_t *a;
    for (seg = vmmtsegs(be->vm); seg && seg->next; seg = next) {
        next = seg->next;
        if (segfree(be, seg) && gapfree(be, seg)) {
            char *base = seg->base, *end = seg->end;
            forget(be, seg);
            if (vmmtrelease(be->vm, seg) < 0)
                vmbe_area_add(be, seg, base, end, end);
        }
    }
    for (a = be->areas; a; a = a->next)
        cutend(be, a);
}

/* What was freed into slabs of other threads comes to the caller's lane, or to one that is no thread's, for
 * which no memory is asked for: the caller may be who is told that there is none. */
static void gather(vmbe_t *be, vmbe_lane_t *mine)
{
    vmbe_lane_t *lane;
    if (be->log || vmr_single(be->vm))
        return;
    for (lane = be->lanes; lane && mine == NULL; lane = lane->next)
        if (BE_LOAD(lane->pending) && (mine = vmbe_lane_idle(be)) == NULL)
            return;
    if (mine)
        vmbe_gather(mine, 0);
}

int vmbe_compact(Vmalloc_t *vm, int local)
{
    vmbe_t *be = vmbe_of(vm);
    vmbe_lane_t *lane, *mine = vmbe_lane_mine(be);
    if (!local)
        vmr_lock(vm);
    gather(be, mine);
    for (lane = be->lanes; lane; lane = lane->next)
        if (lane->tid == 0 || lane == mine || vmr_single(vm))
            vmbe_drain(lane, 1), vmbe_flush(lane, 1);
    vmbe_stash_gather(be, 1);
    /* Free runs get their descriptors anew, from the oldest pages of them, so that the others may
     * become free and hold no segment. */
    vmbe_rebuild(be, vmbe_alone(be));
    vmbe_desc_trim(be);
    trimsegs(be);
    vmbe_purge(be, 1);
    if (!local)
        vmr_unlock(vm);
    return 0;
}
