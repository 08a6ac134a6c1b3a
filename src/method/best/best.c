/* SPDX-License-Identifier: MIT */
/*
 * best: Vmbest's table and the functions in it.  A vmalloc() is: find the thread's lane in the
 * region's table, take a bit from the cursor of the class.  A vmfree() is: page map, same lane, set
 * the bit.  The rest of a block beyond the size asked for is cleared, so that vmresize() with
 * VM_RSZERO can promise zeros from the old requested size on without knowing it.
 */
#include "best.h"

#include "method_tables.h"

#include <errno.h>

static int on_open(Vmalloc_t *vm, Vmseg_t *seg)
{
    vmbe_t *be = vmbe_of(vm);
    unsigned flags = vmr_dcflags(vm);
    __builtin_memset(be, 0, sizeof(*be));
    be->vm = vm;
    be->log = vm->data->log;
    be->tab = vmbe_notab;
    be->first = &vmbe_nolane;
    be->zeroed = (flags & VM_DCZERO) != 0;
    be->reserve = (flags & VM_DCRESERVE) != 0;
    if (vm == Vmheap)
        vmbe_desc_add(be, seg->base, seg->end, 0); /* malloc starts with pages */
    else
        vmbe_area_add(be, seg, seg->base, seg->end, seg->end);
    return 0;
}

/* The memory stays, and regions in its blocks live on: their words of the page map are left alone.
 * Those of lanes go last, because they tell which slabs are the region's own. */
static void unmapown(vmbe_t *be)
{
    vmbe_area_t *a;
    int lanes;
    char *p;
    for (lanes = 0; lanes < 2; lanes++)
        for (a = be->areas; a; a = a->next)
            for (p = a->first; p < a->last; p += BE_PAGE) {
                vmbe_run_t *run = vmb_map_get(p);
                if (run && (lanes || run->kind != BE_LANE) && vmbe_isown(be, run))
                    vmb_map_set(p, 1, NULL);
            }
}

/* No block of the region is known any more: threads' lanes and the page map. */
static void on_close(vmbe_t *be, int kept)
{
    vmbe_lane_t *lane;
    vmbe_area_t *a;
    for (lane = be->lanes; lane; lane = lane->next)
        if (lane->cache)
            *lane->cache = &vmbe_nolane;
    if (vmr_dcflags(be->vm) & VM_DCKEPT) /* the words stay with the memory, for the next to attach */
        return;
    if (kept)
        unmapown(be);
    for (a = kept ? NULL : be->areas; a; a = a->next)
        vmb_map_clear(a->first, (size_t)(a->last - a->first));
}

/* All segments become areas anew, in one piece each. */
static void on_clear(Vmalloc_t *vm)
{
    vmbe_t *be = vmbe_of(vm);
    Vmseg_t *seg;
    char *touched[64];
    size_t i, n = 0;
    vmbe_area_t *a;
    on_close(be, 0);
    for (seg = vmmtsegs(vm); seg && n < 64; seg = seg->next, n++) {
        touched[n] = seg->base;
        for (a = be->areas; a; a = a->next)
            if (a->seg == seg && a->touched > touched[n])
                touched[n] = a->touched;
    }
    for (seg = vmmtsegs(vm); seg && seg->next;)
        seg = seg->next;
    on_open(vm, seg);
    for (i = 0, seg = vmmtsegs(vm); seg && seg->next; seg = seg->next, i++)
        vmbe_area_add(be, seg, seg->base, seg->end, i < n ? touched[i] : seg->end);
}

static int inregion(Vmalloc_t *vm, const void *p)
{
    Vmseg_t *seg;
    for (seg = vmmtsegs(vm); seg; seg = seg->next)
        if ((const char *)p >= seg->addr && (const char *)p < seg->addr + seg->extent)
            return 1;
    return 0;
}

/* Whether the region is as it was when it was left in good order: the page map knows its pages, for
 * the leaves lie in memory that was kept with it (vmb_map_adopt()), and no call was on its way. */
static int intact(vmbe_t *be)
{
    vmbe_lane_t *lane;
    vmbe_area_t *a;
    for (a = be->areas; a; a = a->next) {
        vmbe_run_t *run = vmb_map_get(a->first);
        if (run == NULL || !inregion(be->vm, run) || vmbe_owner(run) != be || vmbe_run_page(run) != a->first)
            return 0;
    }
    for (lane = be->lanes; lane; lane = lane->next)
        if (lane->busy || lane->stash.n > 0)
            return 0;
    return !be->jumped;
}

/* What is of this process is made anew; the rest follows from the descriptors if it is not there. */
static void on_attach(vmbe_t *be, Vmalloc_t *vm)
{
    vmbe_lane_t *lane;
    size_t i;
    be->vm = vm;
    be->nidle = 0;
    be->first = &vmbe_nolane;
    be->tab = be->hub ? be->hub->tab : vmbe_notab;
    for (i = 0; be->hub && i < BE_TAB; i++)
        be->tab[i] = &vmbe_nolane;
    for (lane = be->lanes; lane; lane = lane->next) {
        lane->vm = vm;
        lane->tid = 0;
        lane->cache = NULL;
        if (vmr_dcflags(vm) & VM_DCKEPT)
            __builtin_memset(&lane->stash, 0, sizeof(lane->stash));
        be->nidle++;
    }
    if (!intact(be)) {
        vmbe_rebuild(be, 1);
        be->jumped = 0;
    }
}

static void on_fork(vmbe_t *be)
{
    vmbe_lane_t *lane;
    uintptr_t self = vmos_self();
    int others = 0;
    for (lane = be->lanes; lane; lane = lane->next)
        if (lane->tid != self) {
            others = 1;
            lane->cache = NULL;
            be->nidle += lane->tid != 0;
            lane->tid = 0;
        }
    if (others)
        vmbe_rebuild(be, 1);
}

/* The thread left a call that held no lock; its lane's lists may be half changed. */
static void on_jump(vmbe_t *be)
{
    vmbe_lane_t *lane = vmbe_lane_mine(be);
    be->jumped = 1;
    if (lane && lane->busy) {
        vmr_lock(be->vm);
        vmbe_lane_rebuild(be);
        vmr_unlock(be->vm);
    }
}

int vmbe_event(Vmalloc_t *vm, int event, void *arg)
{
    vmbe_t *be = vmbe_enter(vm);
    switch (event) {
    case VM_METHOPEN:
        vmbe_shared_settle(vm);
        return on_open(vm, arg);
    case VM_METHATTACH:
        if (vmr_shared(vm))
            vmbe_shared_settle(vm); /* nothing in it is of one process */
        else
            on_attach(be, vm);
        break;
    case VM_METHCLEAR:
        on_clear(vm);
        break;
    case VM_METHCLOSE:
        if (vmr_shared(vm))
            break; /* others go on */
        if (be->vm == vm) /* else the block that the region lies in was made shorter */
            on_close(be, arg != NULL);
        break;
    case VM_METHFORK:
        on_fork(be);
        break;
    case VM_METHTORN:
        vmbe_rebuild(be, vmbe_alone(be));
        be->jumped = 1;
        break;
    case VM_METHJUMP:
        on_jump(be);
        break;
    case VM_METHEXIT:
        vmbe_lane_exit(be, (uintptr_t)arg);
        break;
    case VM_METHMOVE:
        return vmbe_move(be, vm, arg);
    default:
        break;
    }
    return 0;
}

/* ---- the calls ----
 * Fast paths take no lock.  Slow ones take it themselves, so a caller that holds it (local) lends it
 * meanwhile. */

VMOS_INLINE void lend(Vmalloc_t *vm, int local)
{
    if (local)
        vmr_unlock(vm);
}

VMOS_INLINE void takeback(Vmalloc_t *vm, int local)
{
    if (local)
        vmr_lock(vm);
}

static VMOS_NOINLINE void *wipe(void *p, size_t size, size_t have)
{
    if (size < have)
        __builtin_memset((char *)p + size, 0, have - size);
    return p;
}

/* Clear what the block has beyond size. */
VMOS_INLINE void *slack(void *p, size_t size, size_t have)
{
    vmos_own((char *)p + size, size < have ? have - size : 0);
    return wipe(p, size, have);
}

/* The same for a new block of a class, whose rest is at most 16 bytes up to 256, 64 up to 1024 and so
 * on: a few stores of fixed size are cheaper than a call, and the block holds nothing yet.  (A checker's
 * blocks come by best_align().) */
VMOS_INLINE void *slackof(char *p, size_t size, size_t have)
{
    if (have <= 256)
        __builtin_memset(p + have - 16, 0, 16);
    else if (have <= 1024)
        __builtin_memset(p + have - 64, 0, 64);
    else
        return wipe(p, size, have);
    return p;
}

static void *cleared(vmbe_t *be, size_t size, int zero)
{
    void *p = zero ? NULL : vmbe_small_get(be, size);
    if (p != NULL)
        return slackof(p, size, VMB_UP(size | !size, 16));
    p = vmbe_alloc(be, size);
    if (p == NULL || vmbe_iszero(p))
        return p;
    return slack(p, zero ? 0 : size, vmbe_size(be, p));
}

static VMOS_NOINLINE void *alloc_slow(Vmalloc_t *vm, size_t size, int zero, int local)
{
    void *p;
    lend(vm, local);
    p = cleared(vmbe_of(vm), size, zero);
    takeback(vm, local);
    return p;
}

/* The cursor's slab is used up, or there is no lane yet.  Where memory is scarce what comes may be a block of
 * another class, or of granules. */
static VMOS_NOINLINE void *alloc_refill(Vmalloc_t *vm, vmbe_lane_t *lane, size_t size, int local)
{
    unsigned cls = vmbe_class(size);
    const vmbe_run_t *run;
    char *p;
    if (lane == &vmbe_nolane || local || (p = vmbe_refill(lane, cls)) == NULL)
        return alloc_slow(vm, size, 0, local);
    run = vmbe_current(&lane->cur[cls]);
    if (VMOS_LIKELY((size_t)(p - run->base) < vmbe_runbytes(run)))
        return slackof(p, size, vmbe_classbytes[cls]);
    return slack(p, size, vmbe_size(vmbe_of(vm), p));
}

/* The cursor's word is used up.  Nothing is called but at the end, so that there is no frame. */
static VMOS_NOINLINE void *alloc_more(Vmalloc_t *vm, vmbe_lane_t *lane, size_t size, int local)
{
    vmbe_cursor_t *c = &lane->cur[vmbe_class(size)];
    char *p = vmbe_nextword(c);
    return VMOS_LIKELY(p != NULL) ? slackof(p, size, c->size) : alloc_refill(vm, lane, size, local);
}

/* From a class beyond the table. */
static VMOS_NOINLINE void *alloc_class(Vmalloc_t *vm, vmbe_lane_t *lane, size_t size, int local)
{
    unsigned cls;
    void *p;
    if (size > BE_SMALLMAX)
        return alloc_slow(vm, size, 0, local);
    cls = vmbe_class_of(size);
    if (VMOS_UNLIKELY((p = vmbe_take(lane, cls)) == NULL))
        return alloc_more(vm, lane, size, local);
    return wipe(p, size, vmbe_classbytes[cls]);
}

static void *best_alloc(Vmalloc_t *vm, size_t size, int local)
{
    vmbe_lane_t *lane = vmbe_mylane(vmbe_of(vm));
    vmbe_cursor_t *c;
    char *p;
    if (VMOS_UNLIKELY(size > BE_TABLEMAX))
        return alloc_class(vm, lane, size, local);
    c = vmbe_cursor(lane, size);
    if (VMOS_UNLIKELY((p = vmbe_next(c)) == NULL))
        return alloc_more(vm, lane, size, local);
    return slackof(p, size, c->size);
}

static VMOS_NOINLINE int free_slow(Vmalloc_t *vm, void *p, int local)
{
    int r = 0;
    lend(vm, local);
    if (p != NULL && (r = vmbe_free_slow(vmbe_of(vm), p)) < 0)
        vmmtbadaddr(vm, p);
    takeback(vm, local);
    return r;
}

static int best_free(Vmalloc_t *vm, void *p, int local)
{
    vmbe_lane_t *lane = vmbe_mylane(vmbe_of(vm));
    vmbe_run_t *run = vmb_map_get(p);
    if (VMOS_LIKELY(vmbe_giveto(lane, run, p) == 0))
        return 0;
    return free_slow(vm, p, local);
}

/* What is not copied is cleared with VM_RSZERO: where in the old block its rest began is not known. */
static void *move(Vmalloc_t *vm, void *p, size_t old, size_t size, int type)
{
    char *q = best_alloc(vm, size, 0);
    size_t copy = type & VM_RSCOPY ? VMB_MIN(old, size) : 0;
    if (q == NULL)
        return NULL;
    __builtin_memcpy(q, p, copy);
    if (type & VM_RSZERO)
        __builtin_memset(q + copy, 0, size - copy);
    best_free(vm, p, 0);
    return q;
}

static void *resize(Vmalloc_t *vm, void *p, size_t size, int type)
{
    vmbe_t *be = vmbe_of(vm);
    size_t old, now, from;
    if (p == NULL)
        return type & VM_RSZERO ? alloc_slow(vm, size, 1, 0) : best_alloc(vm, size, 0);
    if (size == 0) {
        best_free(vm, p, 0);
        return NULL;
    }
    old = vmbe_size(be, p);
    if (old == 0) {
        vmmtbadaddr(vm, p);
        return NULL;
    }
    if (vmbe_inplace(be, p, old, size) < 0) {
        if (type & (VM_RSCOPY | VM_RSMOVE))
            return move(vm, p, old, size, type);
        errno = ENOMEM;
        return NULL;
    }
    now = vmbe_size(be, p);
    from = size > old && (type & VM_RSZERO) ? old : size;
    return slack(p, from, now) ? p : NULL;
}

static void *best_resize(Vmalloc_t *vm, void *p, size_t size, int type, int local)
{
    lend(vm, local);
    p = resize(vm, p, size, type);
    takeback(vm, local);
    return p;
}

static void *best_align(Vmalloc_t *vm, size_t size, size_t align, int local)
{
    vmbe_t *be = vmbe_of(vm);
    char *p;
    if (size == 0 || align == 0) {
        errno = EINVAL;
        return NULL;
    }
    lend(vm, local);
    p = vmbe_alloc_aligned(be, size, align);
    p = p ? slack(p, size, vmbe_size(be, p)) : NULL;
    takeback(vm, local);
    return p;
}

static long best_addr(Vmalloc_t *vm, void *p, int local)
{
    vmbe_what_t w;
    lend(vm, local);
    w = vmbe_what(vmbe_of(vm), p);
    takeback(vm, local);
    return w.what == BE_BLOCK || w.what == BE_INSIDE ? vmb_long((size_t)((char *)p - w.block)) : -1L;
}

static long best_size(Vmalloc_t *vm, void *p, int local)
{
    size_t size;
    lend(vm, local);
    size = vmbe_size(vmbe_of(vm), p);
    takeback(vm, local);
    return size ? vmb_long(size) : -1L;
}

static const Vmethodx_t best_more = {
    "best", sizeof(vmbe_t), 512, vmbe_event, vmbe_stat, vmbe_walk, vmbe_check};

Vmethod_t vmmt_best = {best_alloc, best_resize,  best_free,  best_addr, best_size,
                       vmbe_compact, best_align, VM_MTBEST, &best_more};
