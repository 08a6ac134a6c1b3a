/* SPDX-License-Identifier: MIT */
/*
 * Vmpool: blocks of one size, that of the first one after opening or clearing.
 *
 * Allocating takes the block that the thread freed last, or else the lowest of 64 neighbours that
 * it has taken from the region; freeing looks at a byte outside of the block, which tells whether
 * the program has it, and puts it on a small stack.  Neither takes a lock or an atomic
 * read-modify-write, nor touches the block: memory that comes back in any order is given out again
 * in the order of addresses.
 *
 * Costs: some 15 instructions for a block, 25 to free it; vmclear() and vmclose() nothing for a
 * block, a few instructions for a segment and a thread; vmcompact() a look at each block's byte.
 * A block has nine bits of bookkeeping, and what rounding to VM_ALIGN takes.
 *
 * A double free is always found, unless two threads free the same block in the same nanoseconds.
 */
#include "over.h"
#include "pool.h"
#include "method_tables.h"

#define ROOM 2560 /* of the first segment, for blocks: the whole fits in 4 KiB */

static void enter(Vmalloc_t *vm, int local)
{
    vmpo_t *st = vmr_state(vm);

    if (!local) {
        if (st->may)
            vmos_watchthread(); /* so that what its seat holds comes back; this may call malloc() */
        vmr_lock(vm);
    }
    vmpo_note(st, st, sizeof *st);
}

static void leave(Vmalloc_t *vm, int local)
{
    if (!local)
        vmr_unlock(vm);
}

/* The calling thread's place in the table, NULL: it has none, or shares. */
VMOS_INLINE vmpo_place_t *seated(const vmpo_t *st, uintptr_t self)
{
    const vmpo_table_t *t = __atomic_load_n(&st->table, __ATOMIC_ACQUIRE);
    vmpo_place_t *p;

    if (VMOS_UNLIKELY(t == NULL))
        return NULL;
    p = vmpo_find(t, self);
    return VMOS_LIKELY(p != NULL) && VMOS_LIKELY(vmm_mine(&p->own, self)) ? p : NULL;
}

/* The calling thread's place, NULL: it has none, or shares.  It ends with vmm_done().  That of the first
 * thread, which mostly is the only one, is found without the table; when there is a larger one, it moves
 * there as soon as it needs the lock. */
VMOS_INLINE vmpo_place_t *sit(vmpo_t *st)
{
    uintptr_t self = vmos_self();

    return VMOS_LIKELY(vmm_mine(&st->one.own, self)) ? &st->one : seated(st, self);
}

/* ---- allocation ---- */

/* The byte that vmpo_take() is about to change. */
static void notetake(const vmpo_t *st, const vmpo_seat_t *seat)
{
    if (st->log != NULL && (seat->n > 0 || seat->word != 0))
        vmpo_note(st, seat->n > 0 ? seat->stack[seat->n - 1].live : seat->live + vmb_ctz(seat->word),
                  1);
}

/* A block of st->size bytes. */
static void *allocsized(Vmalloc_t *vm)
{
    vmpo_t *st = vmr_state(vm);
    vmpo_seat_t *seat = vmpo_seat(vm);
    void *p;

    notetake(st, seat);
    while ((p = vmpo_take(st, seat)) == NULL) {
        if (vmpo_fill(vm, &seat) < 0)
            return NULL;
        notetake(st, seat);
    }
    if (st->log != NULL)
        vmr_gave(vm, p);
    return p;
}

static void *alloclocked(Vmalloc_t *vm, size_t size)
{
    vmpo_t *st = vmr_state(vm);
    int fixes = st->size == 0;
    void *p;

    if (size == 0 || (!fixes && size != st->size)) {
        errno = EINVAL;
        return NULL;
    }
    if (size > PTRDIFF_MAX) {
        errno = ENOMEM;
        return NULL;
    }
    if (fixes)
        vmpo_fix(st, size);
    p = allocsized(vm);
    if (p == NULL && fixes && st->cut == 0)
        vmpo_fix(st, 0); /* it was no block after all */
    return p;
}

static VMOS_NOINLINE Void_t *allocslow(Vmalloc_t *vm, size_t size, int local)
{
    void *p;

    enter(vm, local);
    p = alloclocked(vm, size);
    leave(vm, local);
    return p;
}

static Void_t *alloc(Vmalloc_t *vm, size_t size, int local)
{
    vmpo_t *st = vmr_state(vm);
    vmpo_place_t *place = sit(st);

    if (VMOS_LIKELY(place != NULL)) {
        void *p = VMOS_LIKELY(size == VMPO_GET(st->size)) ? vmpo_take(st, &place->seat) : NULL;
        vmm_done(&place->own);
        if (VMOS_LIKELY(p != NULL))
            return p;
    }
    return allocslow(vm, size, local);
}

static Void_t *alloc1(Vmalloc_t *vm, size_t size, int local)
{
    vmpo_t *st = vmr_state(vm);
    void *p = VMOS_LIKELY(size == st->size) ? vmpo_take(st, &st->one.seat) : NULL;

    return VMOS_LIKELY(p != NULL) ? p : allocslow(vm, size, local);
}

static Void_t *align(Vmalloc_t *vm, size_t size, size_t al, int local)
{
    (void)vm, (void)size, (void)al, (void)local;
    errno = EINVAL;
    return NULL;
}

/* ---- freeing ---- */

static int freelocked(Vmalloc_t *vm, char *p)
{
    vmpo_t *st = vmr_state(vm);
    vmpo_part_t *part = vmpo_partof(st, p);
    vmpo_seat_t *seat;

    if (part == NULL)
        return -1;
    seat = vmpo_seat(vm);
    if (seat->n == VMPO_STACK)
        vmpo_flush(st, seat, VMPO_STACK / 2);
    if (st->log != NULL && vmpo_index(st, part, p) != SIZE_MAX) {
        vmpo_note(st, &part->live[vmpo_index(st, part, p)], 1);
        vmr_took(vm, p);
    }
    return vmpo_put(st, seat, part, p);
}

static VMOS_NOINLINE int freeslow(Vmalloc_t *vm, Void_t *addr, int local)
{
    int r;

    if (addr == NULL)
        return 0;
    enter(vm, local);
    r = freelocked(vm, addr);
    leave(vm, local);
    return r == 0 ? 0 : vmm_bad(vm, addr, local);
}

/* -1: not without the lock. */
VMOS_INLINE int freefast(const vmpo_t *st, vmpo_seat_t *seat, char *p)
{
    const vmpo_part_t *part = vmpo_hinted(st, p);

    if (VMOS_UNLIKELY(!vmpo_inpart(part, p) || seat->n == VMPO_STACK))
        return -1;
    return vmpo_put(st, seat, part, p);
}

static int freeb(Vmalloc_t *vm, Void_t *addr, int local)
{
    vmpo_t *st = vmr_state(vm);
    vmpo_place_t *place = sit(st);

    if (VMOS_LIKELY(place != NULL)) {
        int r = freefast(st, &place->seat, addr);
        vmm_done(&place->own);
        if (VMOS_LIKELY(r == 0))
            return 0;
    }
    return freeslow(vm, addr, local);
}

static int freeb1(Vmalloc_t *vm, Void_t *addr, int local)
{
    vmpo_t *st = vmr_state(vm);

    return VMOS_LIKELY(freefast(st, &st->one.seat, addr) == 0) ? 0 : freeslow(vm, addr, local);
}

/* ---- questions and resizing ---- */

/* Whether p lies in a block that the program has; *off: where in it. */
static int locate(vmpo_t *st, const char *p, size_t *off)
{
    const vmpo_part_t *part = vmpo_partof(st, p);

    if (part == NULL)
        return 0;
    *off = (size_t)(p - part->base) % st->stride;
    return *off < st->size && VMPO_GET(part->live[vmpo_index(st, part, p - *off)]) == 1;
}

static long ask(Vmalloc_t *vm, Void_t *p, int local, int whole)
{
    vmpo_t *st = vmr_state(vm);
    size_t off = 0;
    long r = -1;

    if (!local)
        vmr_lock(vm);
    if (locate(st, p, &off))
        r = !whole ? (long)off : off == 0 ? (long)st->size : -1;
    leave(vm, local);
    return r;
}

static long addr(Vmalloc_t *vm, Void_t *p, int local)
{
    return ask(vm, p, local, 0);
}

static long size(Vmalloc_t *vm, Void_t *p, int local)
{
    return ask(vm, p, local, 1);
}

static Void_t *resize(Vmalloc_t *vm, Void_t *p, size_t n, int type, int local)
{
    long now;

    if (p == NULL) {
        p = alloc(vm, n, local);
        return p != NULL && (type & VM_RSZERO) ? memset(p, 0, n) : p;
    }
    if (n == 0) {
        freeb(vm, p, local);
        return NULL;
    }
    now = size(vm, p, local);
    if (now >= 0 && (size_t)now == n)
        return p;
    if (now < 0)
        vmm_bad(vm, p, local);
    else
        errno = n > PTRDIFF_MAX ? ENOMEM : EINVAL;
    return NULL;
}

static int compact(Vmalloc_t *vm, int local)
{
    int e = errno;

    if (!local)
        vmr_lock(vm);
    vmpo_compact(vm);
    leave(vm, local);
    errno = e;
    return 0;
}

/* ---- what only the library calls, with the region locked ---- */

static int stat(Vmalloc_t *vm, Vmstat_t *out)
{
    const vmpo_t *st = vmr_state(vm);
    const vmpo_part_t *part;
    size_t blocks = st->stride != 0 ? st->cut / st->stride : 0;

    out->n_cache = vmpo_cached(st, &out->n_pack);
    out->s_cache = out->n_cache * st->stride;
    out->n_free = st->navail + out->n_cache;
    out->n_free = VMB_MIN(out->n_free, blocks); /* while other threads are at work */
    out->n_busy = blocks - out->n_free;
    out->s_busy = out->n_busy * st->size;
    out->s_free = out->n_free * st->stride;
    out->m_busy = out->n_busy > 0 ? st->size : 0;
    out->m_free = out->n_free > 0 ? st->stride : 0;
    for (part = st->parts; part != NULL; part = part->next) {
        size_t rest = part->span - part->cut;
        out->n_free += rest > 0;
        out->s_free += rest;
        out->m_free = VMB_MAX(out->m_free, rest);
    }
    return 0;
}

static int walkpart(Vmalloc_t *vm, const vmpo_part_t *part, Vmblock_f f, Void_t *handle, int r)
{
    const vmpo_t *st = vmr_state(vm);
    size_t i;

    for (i = 0; i * st->stride < part->cut && r >= 0; i++) {
        int live = part->live[i] == 1;
        r = (*f)(vm, part->base + i * st->stride, live ? st->size : st->stride, live, handle);
    }
    if (r >= 0 && part->cut < part->span)
        r = (*f)(vm, part->base + part->cut, part->span - part->cut, 0, handle);
    return r;
}

static int walk(Vmalloc_t *vm, Vmblock_f f, Void_t *handle)
{
    vmpo_t *st = vmr_state(vm);
    const vmpo_part_t *part;
    int r = 0;

    vmpo_holdall(st);
    for (part = st->parts; part != NULL && r >= 0 && st->size > 0; part = part->next)
        r = walkpart(vm, part, f, handle, r);
    vmpo_letall(st);
    return r;
}

/* Which functions the handle calls. */
static void settle(Vmalloc_t *vm)
{
    if (vmr_single(vm) && !vmmt_fixed(vm)) {
        vm->meth.allocf = alloc1;
        vm->meth.freef = freeb1;
    }
}

/* Whether threads have seats of their own: not when another process may use the region. */
static void seats(Vmalloc_t *vm)
{
    vmpo_t *st = vmr_state(vm);

    st->log = vm->data->log;
    st->may = !vmr_single(vm) && vmm_private(vm);
    st->table = st->may ? st->tables : NULL;
    settle(vm);
}

static int open(Vmalloc_t *vm, Vmseg_t *root)
{
    vmpo_t *st = vmr_state(vm);

    st->first.place = &st->one;
    st->few.mask = VMPO_HINTS - 1;
    st->hints = &st->few;
    st->tables = &st->first;
    if (vmpo_newpart(st, root, root->base, root->end) == NULL)
        return -1;
    seats(vm);
    return 0;
}

static void clear(vmpo_t *st)
{
    vmpo_holdall(st);
    vmpo_wipeall(st);
    vmpo_fix(st, 0);
    vmpo_letall(st);
}

static int event(Vmalloc_t *vm, int ev, Void_t *arg)
{
    vmpo_t *st = vmr_state(vm);

    switch (ev) {
    case VM_METHOPEN:
        return open(vm, arg);
    case VM_METHATTACH:
        if (vmr_shared(vm))
            break; /* nothing in it is of one process */
        vmpo_forget(st);
        seats(vm);
        break;
    case VM_METHCLEAR:
        clear(st);
        break;
    case VM_METHFORK:
        vmpo_forget(st);
        break;
    case VM_METHTORN:
        vmpo_torn(st);
        break;
    case VM_METHJUMP:
        if (vmpo_left(st)) {
            vmr_lock(vm);
            vmpo_torn(st);
            vmr_unlock(vm);
        }
        break;
    case VM_METHEXIT:
        vmpo_threadends(st, (uintptr_t)arg);
        break;
    case VM_METHMOVE:
        return vmpo_move(st, arg);
    default:
        break;
    }
    return 0;
}

static const Vmethodx_t more = {"pool", sizeof(vmpo_t), ROOM, event, stat, walk, vmpo_check};

Vmethod_t vmmt_pool = {alloc, resize, freeb, addr, size, compact, align, VM_MTPOOL, &more};
