/* SPDX-License-Identifier: MIT */
/*
 * alloc: everything behind the fast paths: large blocks, alignment, blocks in small areas, frees
 * into other lanes, resizing in place, and what an address is.
 */
#include "best.h"

#include <errno.h>

/* ---- large blocks ---- */

void vmbe_large_link(vmbe_t *be, vmbe_run_t *run)
{
    vmbe_run_t **bin = &be->hub->bin[vmb_log2(run->npages)];
    vmbe_note(be, bin, sizeof(*bin));
    vmbe_note(be, run, sizeof(*run));
    if (*bin)
        vmbe_note(be, &(*bin)->prev, sizeof(run->prev));
    run->prev = NULL;
    run->next = *bin;
    if (*bin)
        (*bin)->prev = run;
    *bin = run;
    be->nlarge++;
    be->slarge += vmbe_largesize(run);
}

void vmbe_large_unlink(vmbe_t *be, vmbe_run_t *run)
{
    vmbe_run_t **at = run->prev ? &run->prev->next : &be->hub->bin[vmb_log2(run->npages)];
    vmbe_note(be, at, sizeof(*at));
    if (run->next)
        vmbe_note(be, &run->next->prev, sizeof(run->prev));
    *at = run->next;
    if (run->next)
        run->next->prev = run->prev;
    be->nlarge--;
    be->slarge -= vmbe_largesize(run);
}

/* Free slabs of lanes that no thread holds, or that the caller holds, and the stashes of all: true if pages came
 * free. */
static int reclaim(vmbe_t *be)
{
    size_t before = be->freepages;
    vmbe_lane_t *lane, *mine = vmbe_lane_mine(be);
    if (be->log)
        return vmbe_shared_flush(be, 0);
    for (lane = be->lanes; lane; lane = lane->next)
        if (lane == mine || lane->tid == 0) {
            vmbe_drain(lane, 1);
            vmbe_flush(lane, 1);
        }
    vmbe_stash_gather(be, 1);
    return be->freepages > before;
}

vmbe_run_t *vmbe_run_get(vmbe_t *be, size_t npages, size_t align, int kind)
{
    int again = 1;
    for (;;) {
        vmbe_run_t *run = vmbe_run_take(be, npages, align, kind);
        if (run == NULL && reclaim(be))
            run = vmbe_run_take(be, npages, align, kind);
        if (run || !vmbe_grow(be, npages, align, 0, &again))
            return run;
    }
}

/* A large block whose address is a multiple of align, a multiple of 16; locked, no growth.  Aligns
 * beyond a page that are no power of two get room to move in. */
static void *large(vmbe_t *be, size_t size, size_t align)
{
    int odd = (align & (align - 1)) != 0;
    size_t bytes = odd ? size + align : size, npages = (bytes + BE_PAGE - 1) >> BE_SHIFT, r;
    vmbe_run_t *run;
    if (be->hub == NULL)
        return NULL;
    run = vmbe_run_take(be, npages, odd ? BE_PAGE : align, BE_LARGE);
    if (run == NULL)
        return NULL;
    r = odd ? (uintptr_t)run->base % align : 0;
    run->base += r ? align - r : 0;
    vmbe_large_link(be, run);
    return run->base;
}

/* A block from runs or small areas; grows the region; locked.  Only here VM_NOMEM is raised, once; *again
 * is 1 then, if the handler may have freed something. */
void *vmbe_anywhere(vmbe_t *be, size_t size, size_t align, int *again)
{
    int odd = (align & (align - 1)) != 0;
    size_t npages = (size + (odd ? align : 0) + BE_PAGE - 1) >> BE_SHIFT;
    int paged = be->hub && (size > BE_SMALLMAX || be->reserve);
    void *p;
    for (;;) {
        if (size > BE_SMALLMAX / 2 && (p = large(be, size, align)) != NULL)
            return p;
        if ((p = vmbe_small_alloc(be, size, align)) != NULL || (p = large(be, size, align)) != NULL)
            return p;
        if (reclaim(be) && (p = large(be, size, align)) != NULL)
            return p;
        if (!vmbe_grow(be, paged ? npages : 0, align, size, again)) {
            errno = ENOMEM;
            return NULL;
        }
    }
}

static void *locked_anywhere(vmbe_t *be, size_t size, size_t align, int *again)
{
    void *p;
    vmr_lock(be->vm);
    p = vmbe_anywhere(be, size, align, again);
    vmr_unlock(be->vm);
    return p;
}

/* A block of a class, from the calling thread's lane. */
static void *inlane(vmbe_t *be, size_t size)
{
    vmbe_lane_t *lane;
    void *p;
    if (size > BE_SMALLMAX || (BE_SEE(be->hub) == NULL && be->vm != Vmheap) ||
        (lane = vmbe_lane_get(be)) == NULL)
        return NULL;
    p = vmbe_take(lane, vmbe_class(size));
    return p ? p : vmbe_refill(lane, vmbe_class(size));
}

void *vmbe_alloc(vmbe_t *be, size_t size)
{
    int again = 0, e = errno;
    void *p;
    if (be->log)
        return vmbe_shared_get(be, size);
    p = size <= BE_SMALLMAX ? inlane(be, size) : vmbe_stash_take(be, size);
    if (p == NULL && size <= BE_MAX)
        p = locked_anywhere(be, size, 16, &again);
    if (p == NULL && again) /* what the handler freed may be in a slab */
        p = inlane(be, size);
    errno = p ? e : ENOMEM;
    return p;
}

void *vmbe_alloc_aligned(vmbe_t *be, size_t size, size_t align)
{
    size_t lcm = vmb_lcm(align, 16), up;
    int again = 0;
    void *p;
    if (lcm == 0 || size > BE_MAX || lcm > BE_MAX - size) {
        errno = ENOMEM;
        return NULL;
    }
    if (BE_SEE(be->hub) && lcm <= BE_PAGE && (lcm & (lcm - 1)) == 0) {
        up = VMB_UP(size, lcm);
        for (; up <= BE_SMALLMAX; up += lcm) /* a class whose size is a multiple of lcm */
            if (vmbe_classbytes[vmbe_class(up)] % lcm == 0) {
                if ((p = vmbe_alloc(be, up)) == NULL || (uintptr_t)p % lcm == 0)
                    return p;
                vmbe_free_slow(be, p); /* memory is scarce, and it is another class' or of granules */
                break;
            }
    }
    return locked_anywhere(be, size, lcm, &again);
}

int vmbe_iszero(const void *p)
{
    vmbe_run_t *run = vmb_map_get(p);
    return run && run->kind == BE_LARGE && run->base == (const char *)p && run->u.l.zero;
}

/* ---- free ---- */

static int slab_free(vmbe_t *be, vmbe_run_t *run, void *p)
{
    vmbe_lane_t *mine = vmbe_lane_mine(be);
    size_t i = vmbe_index(run, p);
    int r;
    if (be->log)
        return vmbe_shared_give(be, run, p);
    if (i > run->last)
        return -1;
    if ((r = vmbe_slab_free(mine, run, (unsigned)i)) != 0)
        return r > 0 ? 0 : -1;
    return vmbe_remote_free(run, (unsigned)i);
}

/* The block at p, if it is the large one of run; locked. */
static int large_give(vmbe_t *be, vmbe_run_t *run, const void *p)
{
    if (run == NULL || run->kind != BE_LARGE || run->base != (const char *)p)
        return -1;
    vmbe_note(be, run, sizeof(*run));
    if (vmbe_large_claim(run) < 0)
        return -1;
    vmbe_large_unlink(be, run);
    vmbe_run_evict(be, run, 0);
    vmbe_run_give(be, run);
    return 0;
}

static int large_free(vmbe_t *be, vmbe_run_t *run, void *p)
{
    vmbe_lane_t *mine;
    uint32_t npages = run->npages;
    int r = vmbe_stash_put(be, run, p);
    if (r <= 0)
        return r;
    vmr_lock(be->vm);
    r = large_give(be, run, p);
    if (r == 0 && (mine = vmbe_lane_mine(be)) != NULL)
        vmbe_stash_want(mine, npages);
    vmr_unlock(be->vm);
    return r;
}

int vmbe_free_slow(vmbe_t *be, void *p)
{
    vmbe_run_t *run = vmb_map_get(p);
    vmbe_small_t *a;
    int r;
    if (run && vmbe_owner(run) == be) {
        if (run->kind == BE_SLAB)
            return slab_free(be, run, p);
        return run->kind == BE_LARGE ? large_free(be, run, p) : -1;
    }
    vmr_lock(be->vm);
    a = vmbe_small_find(be, p);
    /* else a block whose first page has a word of a region inside it, or nothing */
    r = a ? vmbe_small_free(be, a, p) : large_give(be, vmbe_run_of(be, p), p);
    vmr_unlock(be->vm);
    return r;
}

/* ---- questions ---- */

static vmbe_what_t small_what(const vmbe_small_t *a, const void *p)
{
    vmbe_what_t w = {BE_UNUSED, NULL, 0};
    char *start = vmbe_small_start(a, p);
    if (start) {
        w.what = start == (const char *)p ? BE_BLOCK : BE_INSIDE;
        w.block = start;
        w.size = vmbe_small_size(a, start);
    }
    return w;
}

static vmbe_what_t slab_what(const vmbe_run_t *run, const void *p)
{
    size_t size = vmbe_blocksize(run), i = (size_t)((const char *)p - run->base) / size;
    vmbe_what_t w = {BE_OWN, run->base + i * size, size};
    if (i > run->last)
        return w;
    if ((BE_LOAD(run->u.word[i >> 6]) | BE_LOAD(run->remote[i >> 6])) >> (i & 63) & 1)
        w.what = w.block == (const char *)p ? BE_FREED : BE_UNUSED;
    else
        w.what = w.block == (const char *)p ? BE_BLOCK : BE_INSIDE;
    return w;
}

static vmbe_what_t run_what(const vmbe_run_t *run, const void *p)
{
    vmbe_what_t w = {BE_OWN, NULL, 0};
    if (run->kind == BE_SLAB)
        return slab_what(run, p);
    if (run->kind == BE_FREE)
        w.what = BE_UNUSED;
    if (run->kind == BE_LARGE && (const char *)p >= run->base) {
        w.block = run->base;
        w.size = vmbe_largesize(run);
        if (BE_LOAD(run->kept))
            w.what = w.block == (const char *)p ? BE_FREED : BE_UNUSED;
        else
            w.what = w.block == (const char *)p ? BE_BLOCK : BE_INSIDE;
    }
    return w;
}

vmbe_what_t vmbe_what(vmbe_t *be, const void *p)
{
    vmbe_what_t w = {BE_FOREIGN, NULL, 0};
    vmbe_run_t *run;
    vmbe_small_t *a;
    vmr_lock(be->vm);
    if ((a = vmbe_small_find(be, p)) != NULL)
        w = small_what(a, p);
    else if ((run = vmbe_run_of(be, p)) != NULL && vmbe_run_page(run) + vmbe_runbytes(run) > (const char *)p)
        w = run_what(run, p);
    vmr_unlock(be->vm);
    return w;
}

size_t vmbe_size(vmbe_t *be, const void *p)
{
    vmbe_run_t *run = vmb_map_get(p);
    vmbe_what_t w;
    if (run && run->kind == BE_SLAB && vmbe_owner(run) == be) {
        size_t i = vmbe_index(run, p);
        return i > run->last || (BE_LOAD(run->u.word[i >> 6]) | BE_LOAD(run->remote[i >> 6])) >> (i & 63) & 1
                   ? 0
                   : vmbe_blocksize(run);
    }
    w = vmbe_what(be, p);
    return w.what == BE_BLOCK ? w.size : 0;
}

/* ---- resizing in place ---- */

/* The segment may grow behind the last block of an area. */
static int push_end(vmbe_t *be, vmbe_run_t *run, size_t npages)
{
    char *page = vmbe_run_page(run), *end = page + vmbe_runbytes(run), *last;
    vmbe_area_t *a = vmbe_area_of(be, page);
    vmbe_run_t *behind = vmbe_run_behind(be, run);
    size_t have = run->npages + (behind ? behind->npages : 0), n;
    Vmseg_t *seg = a->seg;
    if (a->last != end + (behind ? vmbe_runbytes(behind) : 0) ||
        a->last != (char *)VMB_DOWN(seg->end, BE_PAGE) || be->vm == Vmheap ||
        vmmtgrow(be->vm, seg,
                 (size_t)(a->last - seg->base) + ((npages - have) << BE_SHIFT) + BE_PAGE) < 0)
        return -1;
    last = (char *)VMB_DOWN(seg->end, BE_PAGE);
    n = (size_t)(last - a->last) >> BE_SHIFT;
    if (n == 0 || vmb_map_reserve(a->last, n << BE_SHIFT) < 0 || vmbe_desc_want(be, 1) < 0)
        return -1;
    vmb_map_clear(a->last, n << BE_SHIFT);
    last = a->last;
    vmbe_note(be, a, sizeof(*a));
    a->last += n << BE_SHIFT;
    be->pages += n;
    vmbe_run_insert(be, vmbe_desc_get(be), last, n, 0);
    return 0;
}

static int large_resize(vmbe_t *be, vmbe_run_t *run, size_t size)
{
    size_t lead = (size_t)(run->base - run->u.l.page), npages;
    int r = 0;
    if (size > BE_MAX)
        return -1;
    npages = (lead + size + BE_PAGE - 1) >> BE_SHIFT;
    npages += npages == 0;
    if (npages == run->npages)
        return 0;
    vmbe_large_unlink(be, run);
    if (npages < run->npages)
        vmbe_run_trim(be, run, npages); /* without memory for a descriptor it keeps its pages */
    else if (vmbe_run_extend(be, run, npages) < 0)
        r = push_end(be, run, npages) < 0 ? -1 : vmbe_run_extend(be, run, npages);
    vmbe_large_link(be, run);
    return r;
}

int vmbe_inplace(vmbe_t *be, void *p, size_t old, size_t size)
{
    vmbe_run_t *run = vmb_map_get(p);
    vmbe_small_t *a;
    int r = -1;
    if (run && run->kind == BE_SLAB && vmbe_owner(run) == be)
        return size <= old ? 0 : -1;
    vmr_lock(be->vm);
    if ((a = vmbe_small_find(be, p)) != NULL)
        r = vmbe_small_resize(be, a, p, size);
    else if ((run = vmbe_run_of(be, p)) != NULL && run->kind == BE_LARGE)
        r = large_resize(be, run, size);
    vmr_unlock(be->vm);
    return r;
}
