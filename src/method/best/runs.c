/* SPDX-License-Identifier: MIT */
/*
 * runs: the pages of all paged areas; fit.c has which free run is taken.
 *
 * The page map leads from a free run's first and last page to its descriptor, so that a
 * run that becomes free finds its neighbours.  Pages [dlo, dhi) of a free run may have been
 * touched; all others are as the discipline gave them.  Cost: that of fit.c.
 *
 * Page map words: slab: all pages; others: the first one, free: the last one too; NULL elsewhere.
 */
#include "best.h"

static char *lastpage(const vmbe_run_t *run)
{
    return run->base + (vmbe_runbytes(run) - BE_PAGE);
}

/* Words of the page map. */
static void map(vmbe_t *be, const void *page, size_t n, void *value)
{
    if (VMOS_UNLIKELY(be->log != NULL))
        vmbe_note_map(be, page, n);
    vmb_map_set(page, n, value);
}

void vmbe_run_enlist(vmbe_t *be, vmbe_run_t *run)
{
    vmbe_note(be, run, sizeof(*run));
    run->kind = BE_FREE;
    BE_SHOW(run->lane, (uintptr_t)be | BE_OTHER);
    run->kept = 0;
    map(be, run->base, 1, run);
    map(be, lastpage(run), 1, run);
    vmbe_fit_add(be, run);
    be->freepages += run->npages;
    be->freeruns++;
    if (run->u.f.dhi > run->u.f.dlo)
        vmbe_dirty_add(be, run);
}

void vmbe_run_delist(vmbe_t *be, vmbe_run_t *run)
{
    vmbe_note(be, run, sizeof(*run));
    vmbe_fit_remove(be, run);
    map(be, run->base, 1, NULL);
    map(be, lastpage(run), 1, NULL);
    be->freepages -= run->npages;
    be->freeruns--;
    vmbe_dirty_remove(be, run);
}

vmbe_area_t *vmbe_area_of(vmbe_t *be, const void *p)
{
    vmbe_area_t *a;
    for (a = be->areas; a; a = a->next)
        if ((const char *)p >= a->first && (const char *)p < a->last)
            return a;
    return NULL;
}

/* A slab's lane is not asked whose it is: it may be no lane at all. */
int vmbe_isown(const vmbe_t *be, const vmbe_run_t *run)
{
    uintptr_t other = (uintptr_t)be | BE_OTHER, l = BE_LOAD(run->lane);
    const vmbe_lane_t *lane = vmbe_lane(l);
    const vmbe_run_t *home;
    if (l & BE_OTHER)
        return l == other;
    home = vmb_map_get(lane);
    return home && BE_LOAD(home->lane) == other && home->kind == BE_LANE &&
           home->base == (const char *)lane;
}

/* Where to go on looking below the word of a foreign run that was found at or before p. */
static const char *below(vmbe_run_t *run, const char *p)
{
    const char *page = vmbe_run_page(run);
    return (page < p && vmb_map_get(page) == run ? page : (const char *)VMB_DOWN(p, BE_PAGE)) - 1;
}

vmbe_run_t *vmbe_run_of(vmbe_t *be, const void *addr)
{
    const char *p = addr;
    vmbe_area_t *a = vmbe_area_of(be, p);
    vmbe_run_t *run = a ? vmb_map_before(p, a->first) : NULL;
    /* A region that lies in a block of this one has words of its own in the map. */
    while (run && !vmbe_isown(be, run)) {
        p = below(run, p);
        run = p >= a->first ? vmb_map_before(p, a->first) : NULL;
    }
    return run;
}

vmbe_run_t *vmbe_run_freeat(const vmbe_area_t *a, const char *p)
{
    vmbe_run_t *run;
    if (p < a->first || p >= a->last)
        return NULL;
    run = vmb_map_get(p);
    /* First whose it is: the page may be one of a region inside a block, which runs on its own. */
    return run && BE_LOAD(run->lane) == ((uintptr_t)a->be | BE_OTHER) && run->kind == BE_FREE ? run
                                                                                               : NULL;
}

vmbe_run_t *vmbe_run_behind(vmbe_t *be, const vmbe_run_t *run)
{
    char *page = vmbe_run_page(run);
    return vmbe_run_freeat(vmbe_area_of(be, page), page + vmbe_runbytes(run));
}

/* When the touched pages of both, taken together, became free: the mean, by pages. */
static uint64_t meantime(const vmbe_run_t *a, const vmbe_run_t *b)
{
    uint64_t na = a->u.f.dhi - a->u.f.dlo, nb = b->u.f.dhi - b->u.f.dlo;
    if (a->u.f.time > b->u.f.time)
        return meantime(b, a);
    return nb == 0 ? a->u.f.time : a->u.f.time + (b->u.f.time - a->u.f.time) * nb / (na + nb);
}

/* run takes over the pages of the free run `more`, which lies right before or behind it. */
static void swallow(vmbe_t *be, vmbe_run_t *run, vmbe_run_t *more)
{
    int before = more->base < run->base;
    uint32_t shift = before ? more->npages : 0, other = before ? 0 : run->npages;
    int dirty = run->u.f.dhi > run->u.f.dlo, moredirty = more->u.f.dhi > more->u.f.dlo;
    uint32_t lo = run->u.f.dlo + shift, hi = run->u.f.dhi + shift;
    uint32_t mlo = more->u.f.dlo + other, mhi = more->u.f.dhi + other;
    uint64_t time = meantime(run, more);
    uint8_t tried = hi - lo >= mhi - mlo ? run->tried : more->tried; /* a little more does not begin anew */
    vmbe_run_delist(be, more);
    if (before)
        run->base = more->base;
    run->npages += more->npages;
    run->u.f.dlo = dirty && moredirty ? VMB_MIN(lo, mlo) : dirty ? lo : moredirty ? mlo : 0;
    run->u.f.dhi = dirty && moredirty ? VMB_MAX(hi, mhi) : dirty ? hi : moredirty ? mhi : 0;
    run->u.f.time = time;
    run->tried = tried;
    vmbe_desc_put(be, more);
}

void vmbe_run_insert(vmbe_t *be, vmbe_run_t *run, char *page, size_t npages, size_t dirty)
{
    vmbe_area_t *a = vmbe_area_of(be, page);
    vmbe_run_t *more;
    vmbe_note(be, run, sizeof(*run));
    run->base = page;
    run->npages = (uint32_t)npages;
    run->u.f.dlo = 0;
    run->u.f.dhi = (uint32_t)dirty;
    run->u.f.time = dirty ? vmos_coarsetime() : 0;
    run->tried = 0;
    if ((more = vmbe_run_freeat(a, page - BE_PAGE)) != NULL)
        swallow(be, run, more);
    if ((more = vmbe_run_freeat(a, page + (npages << BE_SHIFT))) != NULL)
        swallow(be, run, more);
    vmbe_run_enlist(be, run);
}

/* A free run from pages [from, to) of what was the free run `old`. */
static void part(vmbe_t *be, const vmbe_run_t *old, size_t from, size_t to)
{
    vmbe_run_t *run;
    size_t lo = VMB_MAX(old->u.f.dlo, from), hi = VMB_MIN(old->u.f.dhi, to);
    if (from == to)
        return;
    run = vmbe_desc_get(be);
    run->base = old->base + (from << BE_SHIFT);
    run->npages = (uint32_t)(to - from);
    run->u.f.dlo = lo < hi ? (uint32_t)(lo - from) : 0;
    run->u.f.dhi = lo < hi ? (uint32_t)(hi - from) : 0;
    run->u.f.time = old->u.f.time;
    run->tried = lo < hi ? old->tried : 0;
    vmbe_run_enlist(be, run);
}

/* The pages of a up to end come into use. */
static void touch(vmbe_t *be, vmbe_area_t *a, char *end)
{
    if (end <= a->touched)
        return;
    vmbe_note(be, a, sizeof(*a));
    if (be->zeroed && be->reserve)
        vmbe_ahead(be, a, a->touched, end);
    a->touched = end;
}

/* Pages [from, from + npages) of the free run become a busy run of a kind; the rest stays free. */
static void carve(vmbe_t *be, vmbe_run_t *run, size_t from, size_t npages, int kind)
{
    vmbe_area_t *a = vmbe_area_of(be, run->base);
    char *page = run->base + (from << BE_SHIFT), *end = page + (npages << BE_SHIFT);
    uint32_t zero = be->zeroed && (run->u.f.dhi <= from || run->u.f.dlo >= from + npages ||
                                   run->u.f.dhi == run->u.f.dlo);
    vmbe_run_delist(be, run);
    part(be, run, 0, from);
    part(be, run, from + npages, run->npages);
    run->base = page;
    run->npages = (uint32_t)npages;
    __builtin_memset(&run->u, 0, sizeof(run->u));
    if (kind == BE_LARGE) {
        run->u.l.page = page;
        run->u.l.zero = zero;
    }
    run->prev = run->next = NULL;
    run->kind = (uint8_t)kind;
    map(be, page, kind == BE_SLAB ? npages : 1, run);
    touch(be, a, end);
}

vmbe_run_t *vmbe_run_take(vmbe_t *be, size_t npages, size_t align, int kind)
{
    vmbe_run_t *run;
    size_t from = 0;
    if (npages > UINT32_MAX || vmbe_desc_want(be, 2) < 0 ||
        (run = vmbe_fit_find(be, npages, align, &from)) == NULL)
        return NULL;
    carve(be, run, from, npages, kind);
    return run;
}

void vmbe_run_give(vmbe_t *be, vmbe_run_t *run)
{
    char *page = vmbe_run_page(run);
    map(be, page, run->kind == BE_SLAB ? run->npages : 1, NULL);
    vmbe_note(be, run, sizeof(*run));
    run->kind = BE_NONE;
    vmbe_run_insert(be, run, page, run->npages, run->npages);
    vmbe_purge(be, 0);
}

void vmbe_run_evict(vmbe_t *be, const vmbe_run_t *run, size_t keep)
{
    char *page = vmbe_run_page(run), *from = page + (keep << BE_SHIFT);
    if (!vmr_guests(be->vm))
        return;
    vmr_sweep(be->vm, from, page + vmbe_runbytes(run));
    vmb_map_clear(from, (run->npages - keep) << BE_SHIFT);
}

int vmbe_run_trim(vmbe_t *be, vmbe_run_t *run, size_t keep)
{
    size_t cut = run->npages - keep;
    char *page = vmbe_run_page(run);
    if (cut == 0)
        return 0;
    if (vmbe_desc_want(be, 1) < 0)
        return -1;
    vmbe_run_evict(be, run, keep);
    vmbe_note(be, run, sizeof(*run));
    run->npages = (uint32_t)keep;
    vmbe_run_insert(be, vmbe_desc_get(be), page + (keep << BE_SHIFT), cut, cut);
    return 0;
}

int vmbe_run_extend(vmbe_t *be, vmbe_run_t *run, size_t npages)
{
    vmbe_run_t *more;
    size_t add = npages - run->npages;
    if (vmbe_desc_want(be, 1) < 0 || (more = vmbe_run_behind(be, run)) == NULL ||
        more->npages < add)
        return -1;
    vmbe_note(be, run, sizeof(*run));
    vmbe_run_delist(be, more);
    part(be, more, add, more->npages);
    vmbe_desc_put(be, more);
    run->npages = (uint32_t)npages;
    touch(be, vmbe_area_of(be, vmbe_run_page(run)), vmbe_run_page(run) + vmbe_runbytes(run));
    return 0;
}
