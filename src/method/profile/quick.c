/* SPDX-License-Identifier: MIT */
/*
 * quick: malloc(), realloc() and free() while every block is recorded, for what nearly all of them are: a block
 * of a slab of the thread's own lane, asked for by a stack that the thread was in before, freed by
 * the thread that asked.
 *
 * vmma_alloc(), realloc() and vmma_freeslow() jump here and do not call: so the return address is one in the
 * program, and the stack is known by a word less.  Whatever is otherwise is left to the method's
 * functions, which do the same for all blocks, before anything was changed.
 *
 * What else could be the case is looked at when vmpf.state has changed only.
 */
#include "best.h"
#include "again.h"
#include "count.h"
#include "fast.h"
#include "method_tables.h"

#include <errno.h>

/* State of a region over Vmbest: at a known distance. */
VMOS_INLINE vmpf_region_t *state(Vmalloc_t *vm)
{
    return (vmpf_region_t *)(void *)((char *)vmr_state(vm) + VMB_UP(sizeof(vmbe_t), VM_ALIGN));
}

/* ---- whether all is as usual ---- */

/* The state is read first: what changes meanwhile makes it another one, and this is done again. */
static VMOS_NOINLINE int prepare(vmpf_book_t *b, Vmalloc_t *vm)
{
    uint32_t now = __atomic_load_n(&vmpf.state, __ATOMIC_ACQUIRE);
    b->ready = 0;
    if (VMPF_GET(vmpf.off) || state(vm)->epoch != vmpf.epoch || !vmpf_full() || b->again == NULL || vmpf_looks())
        return 0;
    b->lane = vmbe_mylane(vmbe_of(vm));
    if (BE_LOAD(b->lane->tid) != vmos_self())
        return 0;
    b->ready = now;
    return 1;
}

/* The thread's book for vmpf_leave(); NULL: something is not as usual. */
VMOS_INLINE vmpf_book_t *enter(Vmalloc_t *vm)
{
    vmpf_book_t *b = vmpf_mine;
    if (VMOS_UNLIKELY(b == NULL || VMPF_GET(b->owner) != vmos_self() || b->busy) ||
        VMOS_UNLIKELY(vm->meth.freef != vmmt_profile.meth.freef))
        return NULL;
    __atomic_store_n(&b->busy, 1, __ATOMIC_RELAXED);
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    if (VMOS_LIKELY(b->ready == VMPF_GET(vmpf.state)) || prepare(b, vm))
        return b;
    vmpf_leave(b);
    return NULL;
}

/* ---- a block comes ---- */

/* A new stack, or one that has to be walked.  0: no room for its site. */
static VMOS_NOINLINE uint32_t learn(vmpf_book_t *b, vmpf_region_t *st, const vmos_regs_t *r,
                                    uint64_t key, uint64_t epoch)
{
    void *pcs[VMPF_DEPTHMAX];
    vmr_place_t none = {NULL, NULL, 0};
    vmsk_here_t here;
    size_t n;
    uint32_t site;
    vmsk_again_missed(b->again, &here, r, key, st->serial, epoch);
    n = vmpf.depth >= VMPF_NEAR ? vmsk_capture_near(b->again, &here, pcs, vmpf.depth) : 0;
    if (n == 0)
        n = vmsk_capture_here(&here, pcs, vmpf.depth);
    site = vmpf_find(b, st, pcs, n, &none);
    if (site == st->other)
        return 0;
    if (site != 0)
        vmsk_remember(b->again, &here, pcs, n, site);
    return site;
}

/* The site of the stack that r begins; 0: no room for it. */
VMOS_INLINE VMOS_UNCHECKED uint32_t site_of(vmpf_book_t *b, vmpf_region_t *st, const vmos_regs_t *r)
{
    uint64_t epoch = __atomic_load_n(&vmsk_epoch, __ATOMIC_ACQUIRE), key;
    const vmsk_aentry_t *e = vmsk_again_find(b->again, r, st->serial, epoch, &key);
    return VMOS_LIKELY(e != NULL) ? e->value : learn(b, st, r, key, epoch);
}

/* By the method. */
static VMOS_NOINLINE void *otherwise(Vmalloc_t *vm, size_t size)
{
    void *p = (*vm->meth.allocf)(vm, size, 0);
    if (p == NULL)
        errno = ENOMEM;
    return p;
}

/* The book is left first. */
static VMOS_NOINLINE void *giveup(vmpf_book_t *b, Vmalloc_t *vm, size_t size)
{
    vmpf_leave(b);
    return otherwise(vm, size);
}

VMOS_NOINLINE VMOS_UNCHECKED void *vmpf_quick_alloc(Vmalloc_t *vm, size_t size)
{
    vmpf_region_t *st = state(vm);
    vmpf_book_t *b = enter(vm);
    vmbe_cursor_t *c;
    vmos_regs_t r;
    uint32_t site;
    char *p;
    VMOS_REGS(&r);
    if (VMOS_UNLIKELY(b == NULL))
        return otherwise(vm, size);
    if (VMOS_UNLIKELY(size > BE_TABLEMAX - VMPF_TAIL))
        return giveup(b, vm, size);
    site = site_of(b, st, &r);
    if (VMOS_UNLIKELY(site == 0))
        return giveup(b, vm, size);
    c = vmbe_cursor(b->lane, size + VMPF_TAIL);
    p = vmbe_next(c);
    if (VMOS_UNLIKELY(p == NULL) && (p = vmbe_nextword(c)) == NULL)
        return giveup(b, vm, size); /* what is due when the slab is used up is the method's */
    vmpf_add_birth(vmpf_site(site), (vmpf_amount_t){1, size}, size, c->size);
    vmpf_write_tail(p, c->size, site, (uint32_t)b->calls, size);
    VMPF_ADD(b->calls, 1);
    vmpf_count(b, (int64_t)size, 1);
    vmpf_leave(b);
    return p;
}

/* ---- a block goes ---- */

/* -1: it is not that simple, and nothing was done. */
VMOS_INLINE int give(vmpf_book_t *b, void *p)
{
    vmbe_run_t *run = vmb_map_get(p);
    unsigned bit;
    uint64_t *word = vmbe_giveable(b->lane, run, p, &bit);
    vmpf_tail_t tail;
    Vmpfsite_t *s;
    if (VMOS_UNLIKELY(word == NULL || vmpf_peek_tail(p, vmbe_blocksize(run), &tail) != 0 ||
                      (int32_t)tail.site <= 0))
        return -1;
    s = vmpf_site(tail.site);
    if (VMOS_UNLIKELY(s->thread != b->number))
        return -1;
    vmbe_givebit(b->lane, run, word, bit);
    vmpf_add_death(s, (vmpf_amount_t){1, tail.size}, (uint32_t)b->calls - tail.birth - 1);
    vmpf_count(b, -(int64_t)tail.size, -1);
    return 0;
}

void vmpf_quick_free(Vmalloc_t *vm, void *p, void (*otherwise_f)(void *p))
{
    vmpf_book_t *b = enter(vm);
    int r;
    if (VMOS_LIKELY(b != NULL)) {
        r = give(b, p);
        vmpf_leave(b);
        if (VMOS_LIKELY(r == 0))
            return;
    }
    (*otherwise_f)(p);
}

/* ---- a block changes its size ---- */

/* A block of the thread's lane, and what is known of it. */
typedef struct held {
    char *p;
    vmbe_run_t *run;
    size_t have;
    vmpf_tail_t tail;
    Vmpfsite_t *site;
} held_t;

/* 0, -1: it is not that simple. */
VMOS_INLINE int hold(vmpf_book_t *b, void *p, held_t *h)
{
    h->p = p;
    h->run = vmb_map_get(p);
    h->have = vmbe_sizeto(b->lane, h->run, p);
    if (VMOS_UNLIKELY(h->have == 0 || vmpf_peek_tail(p, h->have, &h->tail) != 0 ||
                      (int32_t)h->tail.site <= 0))
        return -1;
    h->site = vmpf_site(h->tail.site);
    return VMOS_LIKELY(h->site->thread == b->number) ? 0 : -1;
}

/* To a block of so many bytes and the tail, whose real size is *have: the same one where it fits.
 * NULL: it is not that simple, and nothing was done. */
VMOS_INLINE char *move(vmpf_book_t *b, const held_t *h, size_t size, size_t *have)
{
    vmbe_cursor_t *c;
    uint64_t *word;
    unsigned bit;
    char *q;
    *have = h->have;
    if (size + VMPF_TAIL <= h->have)
        return h->p;
    word = vmbe_giveable(b->lane, h->run, h->p, &bit);
    c = vmbe_cursor(b->lane, size + VMPF_TAIL);
    if (VMOS_UNLIKELY(word == NULL || ((q = vmbe_next(c)) == NULL && (q = vmbe_nextword(c)) == NULL)))
        return NULL;
    *have = c->size;
    memcpy(q, h->p, (size_t)h->tail.size);
    vmbe_givebit(b->lane, h->run, word, bit);
    return q;
}

/* It goes at its old site, and comes at the new one. */
VMOS_INLINE void resized(vmpf_book_t *b, const held_t *h, uint32_t site, char *q, size_t size,
                         size_t have)
{
    Vmpfsite_t *s = vmpf_site(site);
    size_t old = (size_t)h->tail.size;
    vmpf_add_death(h->site, (vmpf_amount_t){1, old}, (uint32_t)b->calls - h->tail.birth - 1);
    vmpf_add_birth(s, (vmpf_amount_t){1, size}, size, have);
    VMPF_ADD(s->resizes, 1);
    VMPF_ADD(s->growth, size > old ? size - old : 0);
    VMPF_ADD(s->copied, q != h->p ? old : 0);
    vmpf_write_tail(q, have, site, (uint32_t)b->calls, size);
    VMPF_ADD(b->calls, 1);
    vmpf_count(b, (int64_t)size - (int64_t)old, 0);
}

VMOS_NOINLINE VMOS_UNCHECKED void *vmpf_quick_resize(Vmalloc_t *vm, void *p, size_t size,
                                                     void *(*otherwise_f)(void *p, size_t size))
{
    vmpf_region_t *st = state(vm);
    vmpf_book_t *b = enter(vm);
    vmos_regs_t r;
    uint32_t site;
    size_t have;
    held_t h;
    char *q;
    VMOS_REGS(&r);
    if (VMOS_UNLIKELY(b == NULL))
        return (*otherwise_f)(p, size);
    if (VMOS_LIKELY(size <= BE_TABLEMAX - VMPF_TAIL && hold(b, p, &h) == 0 &&
                    (site = site_of(b, st, &r)) != 0 && (q = move(b, &h, size, &have)) != NULL)) {
        resized(b, &h, site, q, size, have);
        vmpf_leave(b);
        return q;
    }
    vmpf_leave(b);
    return (*otherwise_f)(p, size);
}
