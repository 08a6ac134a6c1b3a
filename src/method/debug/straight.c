/* SPDX-License-Identifier: MIT */
/*
 * straight: what is done with most blocks, in one piece: small ones between fences, of a region over
 * Vmbest on memory of this process, at level fence, with no option that looks at single blocks.
 *
 *   make   cursor -> filled -> fences -> seat        and the next block of the cursor is fetched, with its descriptor
 *   give   seat -> fences -> FREED -> filled -> hand; one that came out of the ring -> lower method
 *
 * It does what make.c, give.c and quarantine.c do, in the same order and with the same numbers of operations; what
 * meets anything unusual comes back before it has changed anything, and they do it.
 *
 * Cost: a miss of the cache is that of 500 instructions on a busy machine.  So what a page's rule tells is used
 * to fetch all of a block that is given back at once, and its descriptor beside it.
 */
#include "plain.h"
#include "best.h"
#include "fast.h"
#include "over.h"

#include <errno.h>

#define MOST 1024 /* bytes of the largest such block */
#define LINE 64

/* Added to `what` it makes a live block one that is being freed. */
#define FREEING ((uint64_t)(VMDG_FREED - VMDG_LIVE) << VMDG_STATESHIFT | VMDG_BUSY)

/* All of `what` but the size, of a live block. */
VMOS_INLINE uint64_t usual(vmdg_family_t family)
{
    return VMDG_SEATED | (uint64_t)4 << VMDG_LEADSHIFT | (uint64_t)family << VMDG_FAMSHIFT |
           (uint64_t)VMDG_LIVE << VMDG_STATESHIFT;
}

/* The number of this operation, 0: one at which there is more to do, and none was taken. */
VMOS_INLINE uint64_t nextop(vmdg_self_t *me)
{
    uint64_t op;
    if (VMOS_UNLIKELY(me->op != me->last))
        return VMOS_LIKELY(me->op + 1 < me->check) ? ++me->op : 0;
    if (VMOS_UNLIKELY(me->number == 0) || VMOS_UNLIKELY(__atomic_load_n(&vmdg_nthreads, __ATOMIC_RELAXED) > 1))
        return 0;
    op = __atomic_load_n(&vmdg_lastop, __ATOMIC_RELAXED) + 1;
    if (VMOS_UNLIKELY(op >= me->check))
        return 0;
    __atomic_store_n(&vmdg_lastop, op, __ATOMIC_RELAXED);
    return me->op = me->last = op;
}

/* ---- make ---- */

/* What the next block of the cursor will need. */
VMOS_INLINE void fetch(const vmbe_cursor_t *c)
{
    uint64_t m = BE_LOAD(*c->word), rule;
    const char *p;
    vmdg_leaf_t *l;
    if (VMOS_UNLIKELY(m == 0))
        return;
    p = c->base + (uint64_t)(unsigned)vmb_ctz(m) * c->size;
    for (size_t i = 0; i < c->size; i += LINE)
        __builtin_prefetch(p + i, 1);
    p += VMDG_FRONT;
    l = vmdg_leafof((uintptr_t)p);
    rule = l != NULL ? vmdg_ruleof(l, (uintptr_t)p) : 0;
    if (VMOS_LIKELY((rule & VMDG_FIRSTMASK) != 0))
        __builtin_prefetch(vmdg_desc(vmdg_seatof(rule, (uintptr_t)p)), 1);
}

/* Nothing is asked for but blocks with fences. */
VMOS_INLINE int isusual(void)
{
    const vmdg_options_t *o = &vmdg_options;
    return ((size_t)o->level | o->failnth | o->failevery | o->failpart | o->failsite | (unsigned)vmdg_watching |
            vmr_nwatch) == 0;
}

/* Regions were cleared or closed: whether none of their blocks is still known to begin in the memory of this one, which
 * is in one page; its own seat is free. */
static VMOS_NOINLINE int isclean(const char *base, size_t n, const vmdg_seat_t *s)
{
    uintptr_t first = (uintptr_t)base, last = first + n - 1;
    uint32_t id, end;
    if ((first ^ last) >= VMB_PAGE)
        return 0;
    end = vmdg_seatof(s->rule, last);
    for (id = vmdg_seatof(s->rule, first); id <= end; id++)
        if (id != s->id && vmdg_what(vmdg_desc(id)) != 0 && (uintptr_t)vmdg_addr(vmdg_desc(id)) - first < n)
            return 0;
    return 1;
}

/* The longer way: with another cursor, or memory that is new; base: a block that has no seat. */
static VMOS_NOINLINE void *rest(Vmalloc_t *vm, char *base, const vmdg_making_t *g)
{
    int keep = errno;
    void *p = base != NULL ? vmdg_make_laid(vm, base, g) : vmdg_make_known(vm, g, 0);
    if (p == NULL)
        return VMDG_TRIED;
    errno = keep;
    return p;
}

void *vmdg_make_straight(Vmalloc_t *vm, const vmdg_t *dg, size_t size, int zero, vmdg_family_t family)
{
    vmdg_self_t *me = &vmdg_self;
    vmbe_cursor_t *c;
    vmdg_seat_t s;
    uint64_t op;
    uint32_t stack;
    unsigned char fill;
    char *base, *p;
    size_t n;
    if (VMOS_UNLIKELY(size > MOST) || VMOS_UNLIKELY(!isusual()))
        return NULL;
    n = vmdg_need(size, VMDG_FRONT);
    c = vmbe_cursor(vmbe_mylane(vmbe_of(vm)), n);
    if (VMOS_UNLIKELY((op = nextop(me)) == 0))
        return NULL;
    stack = vmdg_here_quick(me, VMDG_ATALLOC);
    if (VMOS_UNLIKELY((base = vmbe_next(c)) == NULL))
        return rest(vm, NULL, &(vmdg_making_t){size, 0, zero, family, stack, op});
    fetch(c);
    p = base + VMDG_FRONT;
    fill = zero ? 0 : VMDG_NEWBYTE;
    vmdg_set(p, fill, size);
    vmdg_fence_between(p, size, base + n, dg->key, VMDG_ONES * fill);
    if (VMOS_UNLIKELY(vmdg_seat(vm, p, base, n, 0, &s) < 0) || (VMOS_UNLIKELY(vmdg_stale) && !isclean(base, n, &s)) ||
        VMOS_UNLIKELY(vmdg_seat_take(&s) < 0))
        return rest(vm, base, &(vmdg_making_t){size, 0, zero, family, stack, op});
    vmdg_desc_enter(vmdg_desc(s.id), p, size | usual(family), dg->region, stack, op);
    return p;
}

/* ---- give ---- */

/* The descriptor of what may begin at p, and all that the block is made of on its way here. */
VMOS_INLINE vmdg_desc_t *locate(const char *p, uint32_t *id)
{
    vmdg_leaf_t *l = vmdg_leafof((uintptr_t)p);
    uint64_t rule = l != NULL ? vmdg_ruleof(l, (uintptr_t)p) : 0;
    vmdg_desc_t *d;
    if (VMOS_UNLIKELY((rule & VMDG_FIRSTMASK) == 0) || VMOS_UNLIKELY(rule & VMDG_GRANS))
        return NULL;
    *id = vmdg_seatof(rule, (uintptr_t)p);
    d = vmdg_desc(*id);
    __builtin_prefetch(d, 1);
    for (size_t i = 0, n = VMB_MIN((size_t)(rule >> VMDG_STRIDESHIFT) * 16, MOST); i < n; i += LINE)
        __builtin_prefetch(p + i - VMDG_FRONT, 1);
    return d;
}

/* Somebody looks at it, or was quicker. */
static VMOS_COLD int late(uint32_t id, void *p, const vmdg_giving_t *g, uint64_t op, int *r)
{
    *r = vmdg_give_numbered(NULL, id, p, g, op, 0);
    return 0;
}

int vmdg_give_straight(const Vmalloc_t *vm, void *addr, const vmdg_giving_t *g, int *result)
{
    vmdg_self_t *me = &vmdg_self;
    char *p = addr;
    const vmdg_record_t *r;
    uint64_t what, op;
    uint32_t id;
    vmdg_desc_t *d = locate(p, &id);
    if (VMOS_UNLIKELY(d == NULL))
        return -1;
    what = vmdg_what(d);
    if (VMOS_UNLIKELY((what & ~VMDG_SIZEMASK) != usual(g->family)) || VMOS_UNLIKELY(vmdg_addr(d) != p) ||
        VMOS_UNLIKELY(vmdg_sizeof(what) > MOST) || VMOS_UNLIKELY(vmr_nwatch != 0))
        return -1;
    r = vmdg_record(vmdg_regionof(d));
    if (VMOS_UNLIKELY(!r->straight) || VMOS_UNLIKELY(vm != NULL && vm != r->vm) ||
        VMOS_UNLIKELY(!vmdg_fence_sound(p, vmdg_sizeof(what), r->key)) || VMOS_UNLIKELY((op = nextop(me)) == 0))
        return -1;
    *result = 0;
    if (VMOS_UNLIKELY(!__atomic_compare_exchange_n(&d->what, &what, what + FREEING, 0, __ATOMIC_ACQ_REL,
                                                   __ATOMIC_RELAXED)))
        return late(id, p, g, op, result);
    d->freed = vmdg_here_quick(me, VMDG_ATFREE);
    d->fthread = (uint16_t)(me->number - 1);
    vmdg_set(p, VMDG_FREEDBYTE, vmdg_sizeof(what));
    __atomic_store_n(&d->what, what + FREEING - VMDG_BUSY, __ATOMIC_RELEASE);
    vmdg_quarantine_small(me, id, (uint32_t)vmdg_sizeof(what), op);
    return 0;
}

/* ---- out of the quarantine ---- */

VMOS_INLINE int isunchanged(const char *p, size_t size)
{
    const uint64_t want = VMDG_ONES * VMDG_FREEDBYTE;
    const char *end = p + (size & ~(size_t)7);
    uint64_t bad = 0;
    for (; end - p >= 32; p += 32)
        bad |= (vmdg_load(p) ^ want) | (vmdg_load(p + 8) ^ want) | (vmdg_load(p + 16) ^ want) |
               (vmdg_load(p + 24) ^ want);
    for (; p < end; p += 8)
        bad |= vmdg_load(p) ^ want;
    if (size & 7) /* the rest of the word is of the fence */
        bad |= (vmdg_load(p) ^ want) & ~vmdg_from(size & 7);
    return bad == 0;
}

int vmdg_release_straight(uint32_t id)
{
    const uint64_t family = (uint64_t)15 << VMDG_FAMSHIFT;
    vmdg_desc_t *d = vmdg_desc(id);
    uint64_t what = vmdg_what(d), state = usual(0) + FREEING - VMDG_BUSY;
    const vmdg_record_t *r = vmdg_record(vmdg_regionof(d));
    char *p = vmdg_addr(d), *base = p - VMDG_FRONT;
    if (VMOS_UNLIKELY((what & ~(VMDG_SIZEMASK | family)) != state) || VMOS_UNLIKELY(!r->straight) ||
        VMOS_UNLIKELY(vmdg_sizeof(what) > MOST) || VMOS_UNLIKELY(!isunchanged(p, vmdg_sizeof(what))) ||
        VMOS_UNLIKELY(!__atomic_compare_exchange_n(&d->what, &what, 0, 0, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED)))
        return -1;
    if (VMOS_UNLIKELY(vmbe_giveto(vmbe_mylane(vmbe_of(r->vm)), vmb_map_get(base), base) != 0))
        (*vmmt_under(r->vm)->freef)(r->vm, base, 0);
    return 0;
}
