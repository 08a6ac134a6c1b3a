/* SPDX-License-Identifier: MIT */
/*
 * Vmprofile: a method over another one that records who asks for memory.
 *
 * Blocks are those of the lower method, made larger by a tail that says which site they count for.
 * What a caller is told of sizes is what was asked for, as in the original.  The lower method
 * decides whether an address is a block before its tail is looked at.
 *
 * A resize counts as freeing and allocating anew, at the place of the resize.
 */
#include "best.h"
#include "method_tables.h"
#include "profile.h"

#include <errno.h>
#include <string.h>

/* ---- blocks ---- */

static void *nomemory(void)
{
    errno = ENOMEM;
    return NULL;
}

static void *invalid(void)
{
    errno = EINVAL;
    return NULL;
}

static int toolarge(size_t size)
{
    return size > (((uint64_t)1 << 47) < SIZE_MAX ? (size_t)((uint64_t)1 << 47) : SIZE_MAX / 2);
}

/* Bytes of the block that starts at p, 0: none does. */
VMOS_INLINE size_t havebytes(Vmalloc_t *vm, void *p, int local)
{
    long have;
    if (VMOS_LIKELY(vmmt_under(vm) == &vmmt_best && !local))
        return vmbe_size(vmbe_of(vm), p);
    have = (*vmmt_under(vm)->sizef)(vm, p, local);
    return have >= (long)VMPF_TAIL ? (size_t)have : 0;
}

/* In a child of fork() that began anew, the region is not known yet. */
VMOS_INLINE vmpf_region_t *region(Vmalloc_t *vm)
{
    vmpf_region_t *st = vmpf_of(vm);
    if (VMOS_UNLIKELY(st->epoch != vmpf.epoch))
        vmpf_region_open(vm);
    return st;
}

static void *born(Vmalloc_t *vm, void *p, size_t size, int local, const vmpf_birth_t *how)
{
    if (VMOS_LIKELY(p != NULL))
        vmpf_born(region(vm), p, size, havebytes(vm, p, local), how);
    return p;
}

/* A block of the thread's own slabs, over Vmbest: no call, and its size is known.  NULL: not so. */
VMOS_INLINE void *quick_alloc(Vmalloc_t *vm, size_t size, size_t *have)
{
    unsigned cls;
    if (VMOS_UNLIKELY(size > BE_SMALLMAX - VMPF_TAIL))
        return NULL;
    cls = vmbe_class(size + VMPF_TAIL);
    *have = vmbe_classbytes[cls];
    return vmbe_take(vmbe_mylane(vmbe_of(vm)), cls);
}

/* The same for freeing: 0, or -1, and nothing was done. */
VMOS_INLINE int quick_free(Vmalloc_t *vm, void *p)
{
    vmbe_lane_t *lane = vmbe_mylane(vmbe_of(vm));
    vmbe_run_t *run = vmb_map_get(p);
    unsigned bit;
    uint64_t *word = vmbe_giveable(lane, run, p, &bit);
    vmpf_tail_t tail;
    if (VMOS_UNLIKELY(word == NULL))
        return -1;
    vmpf_read_tail(p, vmbe_blocksize(run), &tail);
    vmbe_givebit(lane, run, word, bit);
    vmpf_died(vmpf_of(vm), &tail);
    return 0;
}

/* A new block; cleared as far as was asked for. */
static void *fresh(Vmalloc_t *vm, size_t size, int type, int local)
{
    vmpf_birth_t how = {0, 0, 0, 0};
    void *p;
    if (size == 0 && vmmt_under(vm)->meth == VM_MTPOOL)
        return invalid();
    if (vmpf_looks() && size > VMPF_FILLMOST)
        type |= VM_RSZERO;
    p = (*vmmt_under(vm)->resizef)(vm, NULL, size + VMPF_TAIL, type, local);
    how.zeroed = vmpf_looks() && type & VM_RSZERO;
    if (vmpf_looks() && !how.zeroed && p != NULL)
        vmpf_fill(p, size);
    return born(vm, p, size, local, &how);
}

static void *profile_alloc(Vmalloc_t *vm, size_t size, int local)
{
    const Vmethod_t *under = vmmt_under(vm);
    size_t have;
    void *p;
    if (vmpf_looks())
        return toolarge(size) ? nomemory() : fresh(vm, size, 0, local);
    if (VMOS_LIKELY(under == &vmmt_best && (p = quick_alloc(vm, size, &have)) != NULL)) {
        vmpf_born(region(vm), p, size, have, NULL);
        return p;
    }
    if (VMOS_UNLIKELY(toolarge(size)))
        return nomemory();
    if (VMOS_UNLIKELY(size == 0 && under->meth == VM_MTPOOL))
        return invalid();
    return born(vm, (*under->allocf)(vm, size + VMPF_TAIL, local), size, local, NULL);
}

static void *profile_align(Vmalloc_t *vm, size_t size, size_t align, int local)
{
    void *p;
    if (size == 0)
        return invalid();
    if (toolarge(size))
        return nomemory();
    p = (*vmmt_under(vm)->alignf)(vm, size + VMPF_TAIL, align, local);
    if (vmpf_looks() && p != NULL)
        vmpf_fill(p, size);
    return born(vm, p, size, local, NULL);
}

/* The tail is read before the block goes: then it may be another thread's. */
static int profile_free(Vmalloc_t *vm, void *p, int local)
{
    const Vmethod_t *under = vmmt_under(vm);
    vmpf_tail_t tail = {0, 0, 0};
    size_t have, unused;
    int r;
    if (VMOS_LIKELY(under == &vmmt_best && !vmpf_looks()) && quick_free(vm, p) == 0)
        return 0;
    have = p != NULL ? havebytes(vm, p, local) : 0;
    if (have != 0)
        vmpf_read_tail(p, have, &tail);
    unused = vmpf_looks() ? vmpf_unused(p, &tail) : 0;
    r = (*under->freef)(vm, p, local);
    if (VMOS_LIKELY(r == 0)) {
        vmpf_unused_add(&tail, unused);
        vmpf_died(vmpf_of(vm), &tail);
    }
    return r;
}

/* What was the old tail and what was behind it is cleared when that is asked for. */
static void *resized(Vmalloc_t *vm, void *p, size_t size, int type, int local)
{
    size_t have = havebytes(vm, p, local), unused;
    vmpf_tail_t tail = {0, 0, 0};
    vmpf_birth_t how = {0, 1, 0, 0};
    char *q;
    if (have != 0)
        vmpf_read_tail(p, have, &tail);
    how.zeroed = vmpf_looks() && vmpf_unused_zeroed(&tail, size, type);
    unused = vmpf_looks() ? vmpf_unused(p, &tail) : 0;
    q = (*vmmt_under(vm)->resizef)(vm, p, size + VMPF_TAIL, how.zeroed ? type | VM_RSZERO : type,
                                   local);
    if (q == NULL)
        return NULL;
    if (vmpf_looks())
        vmpf_unused_resized(q, &tail, size, have, type, q == p || type & VM_RSCOPY);
    vmpf_unused_add(&tail, unused);
    if (type & VM_RSZERO && size > tail.size)
        memset(q + tail.size, 0, size - tail.size);
    how.old = tail.size;
    how.moved = q != p && type & VM_RSCOPY;
    vmpf_died(vmpf_of(vm), &tail);
    return born(vm, q, size, local, &how);
}

static void *profile_resize(Vmalloc_t *vm, void *p, size_t size, int type, int local)
{
    if (toolarge(size))
        return nomemory();
    if (p == NULL)
        return fresh(vm, size, type, local);
    if (size == 0) {
        profile_free(vm, p, local);
        return NULL;
    }
    return resized(vm, p, size, type, local);
}

/* ---- questions ---- */

static long profile_size(Vmalloc_t *vm, void *p, int local)
{
    size_t have = havebytes(vm, p, local);
    vmpf_tail_t tail;
    if (have == 0)
        return -1;
    vmpf_read_tail(p, have, &tail);
    return (long)tail.size;
}

static long profile_addr(Vmalloc_t *vm, void *p, int local)
{
    long offset = (*vmmt_under(vm)->addrf)(vm, p, local);
    if (offset < 0)
        return -1;
    return offset < profile_size(vm, (char *)p - offset, local) ? offset : -1;
}

static int profile_compact(Vmalloc_t *vm, int local)
{
    return (*vmmt_under(vm)->compactf)(vm, local);
}

/* Sizes as they were asked for, as in the original. */
static int profile_stat(Vmalloc_t *vm, Vmstat_t *st)
{
    int r = vmmt_under(vm)->more->statf != NULL ? (*vmmt_under(vm)->more->statf)(vm, st) : 0;
    uint64_t blocks, bytes;
    vmpf_region_live(vm, &blocks, &bytes);
    if (vmpf.head != NULL && VMPF_GET(vmpf.head->mode) == VMPF_FULL)
        st->s_busy = (size_t)bytes;
    else
        st->s_busy -= VMB_MIN(st->s_busy, st->n_busy * VMPF_TAIL);
    st->m_busy -= VMB_MIN(st->m_busy, VMPF_TAIL);
    return r;
}

typedef struct walk {
    Vmblock_f f;
    void *handle;
} walk_t;

static int visit(Vmalloc_t *vm, Void_t *addr, size_t size, int busy, Void_t *handle)
{
    const walk_t *w = handle;
    vmpf_tail_t tail = {0, 0, size};
    if (busy && size >= VMPF_TAIL)
        vmpf_read_tail(addr, size, &tail);
    return (*w->f)(vm, addr, (size_t)tail.size, busy, w->handle);
}

static int profile_walk(Vmalloc_t *vm, Vmblock_f f, void *handle)
{
    walk_t w = {f, handle};
    if (vmmt_under(vm)->more->walkf != NULL)
        return (*vmmt_under(vm)->more->walkf)(vm, visit, &w);
    errno = ENOTSUP;
    return -1;
}

static int profile_check(Vmalloc_t *vm)
{
    return vmmt_under(vm)->more->checkf != NULL ? (*vmmt_under(vm)->more->checkf)(vm) : 0;
}

/* ---- events ---- */

/* When a region of one thread begins or is cleared, the lower method puts other functions of its
 * own into the handle, which are not for it here. */
static int lower(Vmalloc_t *vm, int event, void *arg)
{
    Vmethod_t keep = vm->meth;
    int r = (*vmmt_under(vm)->more->eventf)(vm, event, arg);
    if (vmr_single(vm))
        vm->meth = keep;
    return r;
}

static int on_open(Vmalloc_t *vm, int event, void *arg)
{
    int r = lower(vm, event, arg);
    if (r < 0)
        return r;
    memset(vmpf_of(vm), 0, sizeof(vmpf_region_t));
    if (vmpf_start() == 0)
        vmpf_region_open(vm);
    return r;
}

static int profile_event(Vmalloc_t *vm, int event, void *arg)
{
    int r;
    switch (event) {
    case VM_METHOPEN:
    case VM_METHATTACH:
        return vmmt_over_same(vm, event) < 0 ? -1 : on_open(vm, event, arg);
    case VM_METHMOVE: /* what the profile says of it is made anew when it is attached to */
        return vmmt_over_same(vm, event) < 0 ? -1 : lower(vm, event, arg);
    case VM_METHCLEAR:
        vmpf_region_clear(vm);
        break;
    case VM_METHCLOSE:
        vmpf_region_close(vm);
        break;
    case VM_METHFORK:
        vmpf_forked();
        break;
    case VM_METHEXIT:
        vmpf_thread_ends((uintptr_t)arg);
        break;
    case VM_METHJUMP:
        vmpf_thread_jumps();
        break;
    default:
        break;
    }
    r = lower(vm, event, arg);
    if (event == VM_METHCLEAR || event == VM_METHTORN) /* threads' lanes have gone */
        vmpf_changed();
    return r;
}

vmmt_over_t vmmt_profile = {
    .meth = {profile_alloc, profile_resize, profile_free, profile_addr, profile_size,
             profile_compact, profile_align, VM_MTPROFILE, &vmmt_profile.more},
    .more = {"profile", VMMT_OVERSIZE(sizeof(vmbe_t), sizeof(vmpf_region_t)), 512, profile_event,
             profile_stat, profile_walk, profile_check},
    .magic = VMMT_OVERMAGIC,
    .under = &vmmt_best,
    .upper = sizeof(vmpf_region_t),
};
