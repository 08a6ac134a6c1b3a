/* SPDX-License-Identifier: MIT */
/*
 * grow: the region gets larger.
 *
 * A new part of a segment becomes an area: of pages when it has BE_PAGEDMIN of them, of granules
 * else.  A segment that grew in place lengthens the area at its end.
 *
 *   paged area   | vmbe_area_t | [vmbe_hub_t] | descriptors ... | page | page | ... |
 *
 * How much is asked for: as much as the region has, so that the number of segments grows with the
 * logarithm of the size; at least 256 KiB, and 64 MiB for the heap, where memory not touched costs
 * nothing.  Under a limit of addresses it costs what others need: a sixteenth of the limit at once at most.
 */
#include "best.h"

#define KIB ((size_t)1024)
#define MIB (KIB * KIB)
#define HEAPSTEP (sizeof(void *) > 4 ? 64 * MIB : 4 * MIB)
#define LARGESTSTEP (sizeof(void *) > 4 ? 1024 * MIB : 16 * MIB)

static int paged_add(vmbe_t *be, Vmseg_t *seg, char *base, char *end, char *dirty)
{
    vmbe_area_t *a = (vmbe_area_t *)VMB_UP(base, 64);
    vmbe_hub_t *hub = be->hub ? NULL : (vmbe_hub_t *)(void *)(a + 1);
    char *gap = (char *)(a + 1) + (hub ? sizeof(*hub) : 0);
    char *first = (char *)VMB_UP(gap, BE_PAGE), *last = (char *)VMB_DOWN(end, BE_PAGE), *page;
    if (first < base || last <= first || (size_t)(last - first) < BE_PAGEDMIN * BE_PAGE ||
        (size_t)(last - first) >> BE_SHIFT > UINT32_MAX / 2 ||
        vmb_map_reserve(first, (size_t)(last - first)) < 0)
        return -1;
    vmb_map_clear(first, (size_t)(last - first)); /* of a region that was left there without a word */
    *a = (vmbe_area_t){be->areas, be, seg, first, last, first, first};
    be->areas = a;
    be->pages += (size_t)(last - first) >> BE_SHIFT;
    if (hub) {
        size_t i;
        vmos_own(hub, sizeof(*hub));
        __builtin_memset(hub, 0, sizeof(*hub));
        for (i = 0; i < BE_TAB; i++)
            hub->tab[i] = &vmbe_nolane;
        BE_SHOW(be->hub, hub);
        BE_SHOW(be->tab, hub->tab);
    }
    vmbe_desc_add(be, gap, first, 0);
    page = first;
    if (be->nspare < 4) {
        vmbe_desc_add(be, page, page + BE_PAGE, 1);
        a->touched = page += BE_PAGE;
    }
    dirty = VMB_MIN(VMB_MAX(dirty, page), last);
    a->touched = VMB_MAX(a->touched, dirty);
    vmbe_run_insert(be, vmbe_desc_get(be), page, (size_t)(last - page) >> BE_SHIFT,
                    ((size_t)(dirty - page) + BE_PAGE - 1) >> BE_SHIFT);
    return 0;
}

/* Granules are not in the page map, but words for [from, to) may be left from a region that was there
 * and was not closed: their descriptors are in no region, or in this one.  Those of a slab that
 * this region lies in stay. */
static void disown(vmbe_t *be, char *from, const char *to)
{
    for (from = (char *)VMB_DOWN(from, BE_PAGE); from < to; from += BE_PAGE) {
        void *run = vmb_map_get(from);
        Vmalloc_t *vm = NULL;
        if (run && (vmr_segof(run, &vm) == NULL || vm == be->vm))
            vmb_map_set(from, 1, NULL);
    }
}

int vmbe_area_add(vmbe_t *be, Vmseg_t *seg, char *base, char *end, char *dirty)
{
    if (paged_add(be, seg, base, end, dirty) == 0)
        return 1;
    disown(be, base, end);
    return vmbe_small_make(be, seg, base, end) ? 0 : -1;
}

/* seg ended at oldend and is longer now. */
static int lengthen(vmbe_t *be, Vmseg_t *seg, char *oldend)
{
    vmbe_area_t *a;
    vmbe_small_t *s;
    char *last = (char *)VMB_DOWN(seg->end, BE_PAGE);
    for (a = be->areas; a; a = a->next)
        if (a->seg == seg && a->last == (char *)VMB_DOWN(oldend, BE_PAGE)) {
            size_t n = (size_t)(last - a->last) >> BE_SHIFT;
            char *from = a->last;
            if (n == 0)
                return 1;
            if (vmb_map_reserve(from, n << BE_SHIFT) < 0 || vmbe_desc_want(be, 1) < 0)
                return -1;
            vmb_map_clear(from, n << BE_SHIFT);
            vmbe_note(be, a, sizeof(*a));
            a->last = last;
            be->pages += n;
            vmbe_run_insert(be, vmbe_desc_get(be), from, n, 0);
            return 1;
        }
    if (paged_add(be, seg, oldend, seg->end, oldend) == 0)
        return 1;
    disown(be, oldend, seg->end);
    for (s = be->smalls; s; s = s->next)
        if (s->seg == seg && s->end == oldend) {
            vmbe_small_grow(be, s, seg->end);
            return 0;
        }
    return vmbe_small_make(be, seg, oldend, seg->end) ? 0 : -1;
}

/* Bytes that hold a run of npages, or a block of `bytes`, with all that goes with it. */
static int needed(size_t npages, size_t align, size_t bytes, size_t *need)
{
    size_t room = 64 + sizeof(vmbe_area_t) + sizeof(vmbe_hub_t) + 4 * (size_t)BE_PAGE;
    if (npages == 0) {
        if (vmb_addover(bytes, bytes / 32 + align, need) ||
            vmb_addover(*need, sizeof(vmbe_small_t) + 96, need))
            return 1;
        if (*need >= BE_PAGEDMIN * BE_PAGE) /* it will be an area of pages: three go for its ends */
            *need = VMB_MAX(*need, VMB_UP(bytes, BE_PAGE) + 3 * BE_PAGE + (align > 16 ? align : 0));
        return 0;
    }
    npages = VMB_MAX(npages, (size_t)BE_PAGEDMIN);
    return vmb_mulover(npages, BE_PAGE, need) || vmb_addover(*need, room, need) ||
           (align > BE_PAGE && vmb_addover(*need, align, need));
}

/* Asked each time, since the limit may change; a region grows seldom. */
static size_t modest(const vmbe_t *be, size_t want)
{
    return be->reserve ? VMB_MIN(want, vmos_addressmost() / 16) : want;
}

int vmbe_grow(vmbe_t *be, size_t npages, size_t align, size_t bytes, int *again)
{
    size_t need, want, extent = be->vm->data->extent;
    size_t least = be->vm == Vmheap ? HEAPSTEP : be->reserve ? 256 * KIB : 0;
    Vmseg_t *seg;
    char *oldend;
    int r;
    if (needed(npages, align, bytes, &need))
        return 0;
    want = VMB_MAX(modest(be, VMB_MIN(VMB_MAX(extent, least), LARGESTSTEP)), need);
    if (be->log) /* others wait, and it is memory of a file */
        want = need + VMB_MIN(extent / 8, HEAPSTEP);
    if (be->hub == NULL && extent >= 16 * KIB) /* the next part shall be one of pages */
        want = VMB_MAX(want, (BE_PAGEDMIN + 4) * (size_t)BE_PAGE);
    switch (vmmtextend(be->vm, need, want, &seg, &oldend, again)) {
    case VM_EXTRETRY:
        return 1;
    case VM_EXTNEW:
        r = vmbe_area_add(be, seg, seg->base, seg->end, seg->base);
        break;
    case VM_EXTGROWN:
        r = lengthen(be, seg, oldend);
        break;
    default:
        return 0;
    }
    return npages ? r > 0 : r >= 0;
}
