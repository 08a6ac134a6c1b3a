/* SPDX-License-Identifier: MIT */
/*
 * desc: descriptors of runs, 128 bytes each, in pages of their own (runs of kind BE_META) and in
 * the gap between an area's header and its first page.  The first descriptor of each such piece
 * describes the piece itself, so that all descriptors can be listed from be->metas.
 */
#include "best.h"

#define DESC sizeof(vmbe_run_t)

void vmbe_desc_put(vmbe_t *be, vmbe_run_t *run)
{
    vmbe_note(be, run, DESC);
    run->kind = BE_NONE;
    run->next = be->spare;
    be->spare = run;
    be->nspare++;
}

vmbe_run_t *vmbe_desc_get(vmbe_t *be)
{
    vmbe_run_t *run = be->spare;
    vmbe_note(be, run, DESC);
    be->spare = run->next;
    be->nspare--;
    /* Who looks without the lock may still see the run that it was: its owner stays readable. */
    BE_SHOW(run->lane, (uintptr_t)be | BE_OTHER);
    run->base = NULL;
    __builtin_memset(&run->quick, 0, DESC - offsetof(vmbe_run_t, quick));
    return run;
}

/* [from, to) becomes descriptors; npages: 1 when it is a page of the area, 0 for a gap. */
void vmbe_desc_add(vmbe_t *be, char *from, char *to, size_t npages)
{
    vmbe_run_t *r = (vmbe_run_t *)VMB_UP(from, DESC);
    size_t i, n = (char *)r < to ? (size_t)(to - (char *)r) / DESC : 0;
    if (n < 2)
        return;
    vmos_own(r, n * DESC);
    __builtin_memset(r, 0, n * DESC);
    r->base = from;
    r->lane = (uintptr_t)be | BE_OTHER;
    r->npages = (uint32_t)npages;
    r->kind = BE_META;
    r->u.m.count = (uint32_t)n;
    r->u.m.next = be->metas;
    be->metas = r;
    for (i = n - 1; i > 0; i--) {
        r[i].next = be->spare;
        be->spare = r + i;
    }
    be->nspare += n - 1;
    if (npages && be->log)
        vmbe_note_map(be, from, 1);
    if (npages)
        vmb_map_set(from, 1, r);
}

/* Make the first page of the smallest free run one of descriptors: it needs none itself. */
static int carve(vmbe_t *be)
{
    vmbe_run_t *run = vmbe_fit_least(be);
    vmbe_area_t *a;
    char *page;
    if (run == NULL)
        return -1;
    vmbe_run_delist(be, run);
    page = run->base;
    run->base += BE_PAGE;
    run->npages--;
    run->u.f.dlo -= run->u.f.dlo > 0;
    run->u.f.dhi -= run->u.f.dhi > 0;
    if (run->npages > 0)
        vmbe_run_enlist(be, run);
    else
        vmbe_desc_put(be, run);
    a = vmbe_area_of(be, page);
    vmbe_note(be, a, sizeof(*a));
    a->touched = VMB_MAX(a->touched, page + BE_PAGE);
    vmbe_desc_add(be, page, page + BE_PAGE, 1);
    return 0;
}

int vmbe_desc_want(vmbe_t *be, size_t n)
{
    while (be->nspare < n)
        if (carve(be) < 0)
            return -1;
    return 0;
}

static int unused(const vmbe_run_t *m)
{
    uint32_t i;
    for (i = 1; i < m->u.m.count; i++)
        if (m[i].kind != BE_NONE)
            return 0;
    return 1;
}

/* Take the descriptors of piece m off the list of unused ones. */
static void withdraw(vmbe_t *be, const vmbe_run_t *m)
{
    vmbe_run_t **p = &be->spare;
    while (*p)
        if (*p > m && *p < m + m->u.m.count) {
            *p = (*p)->next;
            be->nspare--;
        } else {
            p = &(*p)->next;
        }
}

void vmbe_desc_trim(vmbe_t *be)
{
    vmbe_run_t **pm = &be->metas, *m;
    while ((m = *pm) != NULL)
        if (m->npages && unused(m) && be->nspare > m->u.m.count) {
            char *page = m->base;
            withdraw(be, m);
            *pm = m->u.m.next;
            vmb_map_set(page, 1, NULL);
            vmbe_run_insert(be, vmbe_desc_get(be), page, 1, 1);
        } else {
            pm = &m->u.m.next;
        }
}
