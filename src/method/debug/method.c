/* SPDX-License-Identifier: MIT */
/*
 * method: Vmdebug's table and the functions in it.
 */
#include "plain.h"
#include "best.h"
#include "method_tables.h"
#include "report.h"

#include <errno.h>
#include <string.h>

/* ---- events ---- */

static int on_open(Vmalloc_t *vm, int again)
{
    vmdg_t *dg = vmdg_of(vm);
    if (!again) {
        memset(dg, 0, sizeof *dg);
        dg->key = vmos_random();
        dg->single = vmmt_under(vm)->meth == VM_MTLAST;
    }
    dg->region = vmdg_region_open(vm, dg->key);
    if (vmdg_options.level != VMDG_FENCE)
        vmdg_fault_begin();
    vmdg_watch_begin();
    if (dg->region == 0) {
        errno = ENOMEM;
        return -1;
    }
    vmdg_record(dg->region)->kept = (vmr_dcflags(vm) & VM_DCKEPT) != 0;
    dg->seats = vmmt_under(vm)->meth == VM_MTBEST && !(vmr_dcflags(vm) & (VM_DCKEPT | VM_DCSHARED));
    vmdg_record(dg->region)->straight = dg->seats;
    return 0;
}

/* All blocks of the region go to a state in which they only tell what they were. */
static void drop(uint32_t region, vmdg_state_t to, uint32_t stack)
{
    uint32_t id, n = vmdg_ids();
    uint64_t op = vmdg_op();
    __atomic_store_n(&vmdg_stale, 1, __ATOMIC_RELAXED);
    for (id = 1; id < n; id++) {
        vmdg_desc_t *d = vmdg_desc(id);
        uint64_t what = vmdg_what(d);
        if (vmdg_regionof(d) != region || vmdg_stateof(what) == VMDG_NONE)
            continue;
        if (vmdg_guardof(what) != VMDG_NOGUARD && vmdg_stateof(what) <= VMDG_FREED) {
            vmdg_guard_lift(vmdg_region_vm(region), d, vmdg_guardof(what));
            vmdg_guard_gone(vmdg_guardof(what));
        }
        if (vmdg_turn(d, VMDG_FREED, to) == 0 || vmdg_turn(d, VMDG_CLEARED, to) == 0)
            continue; /* in quarantine already */
        vmdg_verify(id, VMDG_ATREGION, to == VMDG_CLEARED ? "vmclear" : "vmclose");
        if (vmdg_turn(d, VMDG_LIVE, to) == 0) {
            d->freed = stack;
            d->fthread = (uint16_t)vmdg_thisthread();
            vmdg_quarantine(id, op, 1);
        }
    }
}

static void on_clear(Vmalloc_t *vm)
{
    uint32_t stack = vmdg_here();
    vmdg_region_cleared(vmdg_of(vm)->region, stack);
    drop(vmdg_of(vm)->region, VMDG_CLEARED, stack);
    vmdg_of(vm)->pool = 0;
}

static void on_close(Vmalloc_t *vm)
{
    uint32_t stack = vmdg_here();
    drop(vmdg_of(vm)->region, VMDG_CLOSED, stack);
    vmdg_region_closed(vmdg_of(vm)->region, stack);
}

static void on_fork(void)
{
    vmdg_shards_renew();
    vmdg_check_renew();
    vmdg_regions_renew();
    vmdg_report_renew();
    vmdg_thread_forked();
    vmdg_watch_forked();
}

static int adopt(Vmalloc_t *vm, Void_t *addr, size_t size, int busy, Void_t *handle)
{
    (void)handle;
    if (busy)
        vmdg_adopt(vm, addr, size);
    return 0;
}

static int on_attach(Vmalloc_t *vm)
{
    const Vmethodx_t *more = vmmt_under(vm)->more;
    if (on_open(vm, 1) < 0)
        return -1;
    return more->walkf != NULL ? (*more->walkf)(vm, adopt, NULL) : 0;
}

/* A fence's word is made from the sum of the block's address and the key: it stays what it is. */
static int on_move(Vmalloc_t *vm, Vmmove_t *m)
{
    int r = vmmt_over_same(vm, VM_METHMOVE);
    if (r == 0)
        r = (*vmmt_under(vm)->more->eventf)(vm, VM_METHMOVE, m);
    if (r > 0)
        vmdg_of(vm)->key -= (uint64_t)(int64_t)m->by;
    return r;
}

static int debug_event(Vmalloc_t *vm, int event, Void_t *arg)
{
    const Vmethodx_t *more = vmmt_under(vm)->more;
    int r;
    if (event == VM_METHDEAD)
        return vmdg_dead(vm, NULL, "vmclose");
    switch (event) {
    case VM_METHOPEN:
    case VM_METHATTACH:
        if (vmmt_over_same(vm, event) < 0 || (r = (*more->eventf)(vm, event, arg)) < 0)
            return -1;
        return event == VM_METHOPEN ? on_open(vm, 0) : on_attach(vm);
    case VM_METHCLEAR:
        on_clear(vm);
        break;
    case VM_METHCLOSE:
        on_close(vm);
        break;
    case VM_METHFORK:
        on_fork();
        break;
    case VM_METHMOVE:
        return on_move(vm, arg);
    case VM_METHEXIT:
        vmdg_thread_ends();
        vmdg_here_leave();
        vmdg_quarantine_leave();
        vmdg_desc_leave();
        break;
    default:
        break;
    }
    return (*more->eventf)(vm, event, arg);
}

/* ---- calls ---- */

/* A handle whose region is gone: blocks of it can neither be made nor given back. */
static VMOS_COLD void *gone(const Vmalloc_t *vm, const void *addr, const char *call)
{
    vmdg_dead(vm, addr, call);
    errno = EINVAL;
    return NULL;
}

static Void_t *debug_alloc(Vmalloc_t *vm, size_t size, int local)
{
    void *p;
    if (VMOS_UNLIKELY(vm->data == NULL))
        return gone(vm, NULL, "vmalloc");
    p = VMOS_LIKELY(!local && vmdg_of(vm)->seats) ? vmdg_make_straight(vm, vmdg_of(vm), size, 0, VMDG_VM) : NULL;
    if (vmdg_isblock(p))
        return p;
    if (p == VMDG_TRIED)
        return NULL;
    return vmdg_make(vm, size, 0, 0, VMDG_VM, local);
}

static Void_t *debug_resize(Vmalloc_t *vm, Void_t *p, size_t size, int type, int local)
{
    static const vmdg_giving_t g = {"vmresize", VMDG_VM, VMDG_NOSIZE, 0, VMDG_ATRESIZE};
    if (VMOS_UNLIKELY(vm->data == NULL))
        return gone(vm, p, "vmresize");
    if (p == NULL)
        return vmdg_make(vm, size, 0, type & VM_RSZERO, VMDG_VM, local);
    if (size != 0)
        return vmdg_remake(vm, p, size, type, 0, &g, local);
    vmdg_give(vm, p, &g, local);
    return NULL;
}

static int debug_free(Vmalloc_t *vm, Void_t *p, int local)
{
    static const vmdg_giving_t g = {"vmfree", VMDG_VM, VMDG_NOSIZE, 0, VMDG_ATFREE};
    int keep = errno, r;
    if (VMOS_UNLIKELY(vm->data == NULL)) {
        gone(vm, p, "vmfree");
        return -1;
    }
    if (p == NULL)
        return 0;
    if (VMOS_LIKELY(!local) && VMOS_LIKELY(vmdg_give_straight(vm, p, &g, &r) == 0)) {
        errno = r == 0 ? keep : EINVAL;
        return r;
    }
    return vmdg_give(vm, p, &g, local);
}

static long debug_addr(Vmalloc_t *vm, Void_t *p, int local)
{
    vmdg_block_t b;
    (void)local;
    if (vm->data == NULL || vmdg_around(p, &b) != 0 || b.vm != vm || b.state != VMDG_LIVE ||
        (char *)p < b.addr || (char *)p >= b.addr + b.size)
        return -1;
    return (long)((char *)p - b.addr);
}

static long debug_size(Vmalloc_t *vm, Void_t *p, int local)
{
    uint32_t id = vmdg_live(vm, p);
    (void)local;
    return id != 0 ? (long)vmdg_sizeof(vmdg_what(vmdg_desc(id))) : -1;
}

static int debug_compact(Vmalloc_t *vm, int local)
{
    return (*vmmt_under(vm)->compactf)(vm, local);
}

static Void_t *debug_align(Vmalloc_t *vm, size_t size, size_t align, int local)
{
    if (VMOS_UNLIKELY(vm->data == NULL))
        return gone(vm, NULL, "vmalign");
    if (size == 0 || align == 0 || vmmt_under(vm)->meth == VM_MTPOOL) {
        errno = EINVAL;
        return NULL;
    }
    return vmdg_make(vm, size, align, 0, VMDG_VM, local);
}

/* ---- what is told of blocks ---- */

static int count(const vmdg_block_t *b, void *arg)
{
    Vmstat_t *st = arg;
    if (b->region == (uint32_t)st->n_region) {
        st->n_busy += b->state == VMDG_LIVE;
        st->s_busy += b->state == VMDG_LIVE ? b->size : 0;
        st->m_busy = b->state == VMDG_LIVE ? VMB_MAX(st->m_busy, b->size) : st->m_busy;
        st->n_free += b->state == VMDG_FREED;
    }
    return 0;
}

/* Of the bytes of the lower method's blocks, those that the program has count as busy. */
static int debug_stat(Vmalloc_t *vm, Vmstat_t *st)
{
    const Vmethodx_t *more = vmmt_under(vm)->more;
    Vmstat_t mine = {0};
    int r = more->statf != NULL ? (*more->statf)(vm, st) : 0;
    mine.n_region = (int)vmdg_of(vm)->region;
    vmdg_each(count, &mine);
    st->n_free += mine.n_free;
    st->s_free += st->s_busy - VMB_MIN(st->s_busy, mine.s_busy);
    st->n_busy = mine.n_busy;
    st->s_busy = mine.s_busy;
    st->m_busy = mine.m_busy;
    return r;
}

typedef struct walk {
    Vmblock_f f;
    Void_t *handle;
} walk_t;

static int step(Vmalloc_t *vm, Void_t *addr, size_t size, int busy, Void_t *handle)
{
    const walk_t *w = handle;
    const char *at = addr, *end = (char *)addr + size;
    uint32_t id;
    int ours = 0;
    while (busy && (id = vmdg_index_next(&at, end)) != 0) {
        uint64_t what = vmdg_what(vmdg_desc(id));
        if (vmdg_stateof(what) == VMDG_LIVE)
            return (*w->f)(vm, vmdg_addr(vmdg_desc(id)), vmdg_sizeof(what), 1, w->handle);
        ours = 1;
    }
    return (*w->f)(vm, addr, size, busy && !ours, w->handle);
}

static int debug_walk(Vmalloc_t *vm, Vmblock_f f, Void_t *handle)
{
    const Vmethodx_t *more = vmmt_under(vm)->more;
    walk_t w = {f, handle};
    return more->walkf != NULL ? (*more->walkf)(vm, step, &w) : 0;
}

/* The region is locked, which reports are not to be made under. */
static int debug_check(Vmalloc_t *vm)
{
    const Vmethodx_t *more = vmmt_under(vm)->more;
    int damaged, below;
    vmr_unlock(vm);
    damaged = vmdg_check_all(vmdg_of(vm)->region, VMDG_ATDEMAND);
    vmr_lock(vm);
    below = more->checkf != NULL ? (*more->checkf)(vm) : 0;
    return damaged + VMB_MAX(below, 0);
}

vmmt_over_t vmmt_debug = {
    .meth = {debug_alloc, debug_resize, debug_free, debug_addr, debug_size, debug_compact,
             debug_align, VM_MTDEBUG, &vmmt_debug.more},
    .more = {"debug", VMMT_OVERSIZE(sizeof(vmbe_t), sizeof(vmdg_t)), 2048, debug_event, debug_stat,
             debug_walk, debug_check},
    .magic = VMMT_OVERMAGIC,
    .under = &vmmt_best,
    .upper = sizeof(vmdg_t),
};
