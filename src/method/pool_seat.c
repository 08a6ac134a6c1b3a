/* SPDX-License-Identifier: MIT */
/*
 * pool_seat: what each thread has of a pool for itself.
 *
 *   st->tables ---> | place ... (256) |  older ---> | place ... (16) |  older ---> | st->one |
 *   st->table  ---^ or NULL
 *
 * A thread's place in the table is one of a few from the hash of its number on, found without a
 * lock and without thread-local storage.  When a thread finds them all taken, a larger table is
 * made in memory of the pool; threads move there when they notice.  Places of threads that ended
 * are taken over, blocks and all.  A pool too small for a table has st->one for all its threads,
 * and they take the lock.
 */
#include "pool.h"

/* Call for all places of all tables. */
#define EACH(st, t, p)                                                                            \
    for (t = (st)->tables; t != NULL; t = t->older)                                               \
        for (p = t->place; p <= t->place + t->mask; p++)

/* ---- tables ---- */

vmpo_place_t *vmpo_probe(const vmpo_table_t *t, uintptr_t self, uintptr_t owner)
{
    size_t h = vmpo_hash(self), i;

    for (i = 0; i < VMPO_PROBES && i <= t->mask; i++) {
        vmpo_place_t *p = &t->place[(h + i) & t->mask];
        if (vmm_owner(&p->own) == owner)
            return p;
    }
    return NULL;
}

/* A larger table.  -1: there is no room for it. */
static int grow(Vmalloc_t *vm)
{
    vmpo_t *st = vmr_state(vm);
    size_t n = (st->tables->mask + 1) * VMPO_TABLE, size = n * sizeof(vmpo_place_t) + 64;
    vmpo_table_t *t = NULL;

    if (st->tried != st->parts && n <= VMPO_TABMAX) {
        t = vmpo_reserve(st, size, 1);
        if (t == NULL && vmpo_more(vm, size) == 0)
            t = vmpo_reserve(st, size, 1);
    }
    if (t == NULL) {
        st->tried = st->parts;
        return -1;
    }
    vmos_own(t, size);
    memset(t, 0, size);
    t->place = (vmpo_place_t *)(void *)((char *)t + 64);
    t->mask = n - 1;
    t->older = st->tables;
    st->tables = t;
    __atomic_store_n(&st->table, t, __ATOMIC_RELEASE);
    return 0;
}

/* From now on all take the lock and use st->one. */
static void share(vmpo_t *st)
{
    vmpo_table_t *t;
    vmpo_place_t *p;

    vmpo_holdall(st);
    EACH(st, t, p)
    {
        vmpo_empty(st, &p->seat);
        p->own.was = 0;
    }
    __atomic_store_n(&st->table, NULL, __ATOMIC_RELAXED);
    vmpo_letall(st);
}

/* A seat that thread self still has in an older table. */
static vmpo_place_t *outdated(const vmpo_t *st, uintptr_t self)
{
    const vmpo_table_t *t = st->table->older;
    vmpo_place_t *p = NULL;

    for (; t != NULL && p == NULL; t = t->older)
        p = vmpo_probe(t, self, self);
    return p;
}

/* A place for thread self, with what it has in an older one.  NULL: all are taken. */
static vmpo_place_t *claim(Vmalloc_t *vm, uintptr_t self)
{
    vmpo_t *st = vmr_state(vm);
    vmpo_place_t *p, *old;

    if (st->table == NULL && grow(vm) < 0)
        return NULL;
    while ((p = vmpo_probe(st->table, self, 0)) == NULL)
        if (grow(vm) < 0) {
            share(st);
            return NULL;
        }
    old = outdated(st, self);
    if (old != NULL) {
        vmpo_empty(st, &p->seat); /* of someone who is gone */
        p->seat = old->seat;
        old->seat.n = 0;
        old->seat.word = 0;
        vmm_give(&old->own, 0);
    }
    vmm_give(&p->own, self);
    return p;
}

vmpo_seat_t *vmpo_seat(Vmalloc_t *vm)
{
    vmpo_t *st = vmr_state(vm);
    uintptr_t self = vmos_self();
    vmpo_place_t *p = NULL;

    if (st->table != NULL)
        p = vmpo_probe(st->table, self, self);
    if (p == NULL && st->may)
        p = claim(vm, self);
    return p != NULL ? &p->seat : &st->one.seat;
}

/* ---- blocks of seats ---- */

void vmpo_flush(vmpo_t *st, vmpo_seat_t *seat, size_t n)
{
    size_t i;

    for (i = 0; i < n; i++)
        vmpo_giveback(st, seat->stack[i].p);
    VMPO_SET(seat->n, seat->n - n);
    memmove(seat->stack, seat->stack + n, seat->n * sizeof *seat->stack);
}

void vmpo_empty(vmpo_t *st, vmpo_seat_t *seat)
{
    vmpo_flush(st, seat, seat->n);
    for (; seat->word != 0; VMPO_SET(seat->word, seat->word & (seat->word - 1)))
        vmpo_giveback(st, seat->base + (size_t)vmb_ctz(seat->word) * st->stride);
}

void vmpo_wipeall(vmpo_t *st)
{
    vmpo_table_t *t;
    vmpo_place_t *p;

    EACH(st, t, p)
    {
        VMPO_SET(p->seat.n, 0);
        VMPO_SET(p->seat.word, 0);
    }
}

size_t vmpo_cached(const vmpo_t *st, size_t *nseats)
{
    const vmpo_table_t *t;
    const vmpo_place_t *p;
    size_t n = 0;

    *nseats = 0;
    EACH(st, t, p)
    {
        *nseats += vmm_owner(&p->own) != 0;
        n += VMPO_GET(p->seat.n) + (size_t)vmb_pop(VMPO_GET(p->seat.word));
    }
    return n;
}

/* ---- all seats ---- */

/* One barrier for all. */
void vmpo_holdall(vmpo_t *st)
{
    uintptr_t self = vmos_self();
    int others = 0;
    vmpo_table_t *t;
    vmpo_place_t *p;

    EACH(st, t, p)
    {
        VMPO_SET(p->own.was, vmm_owner(&p->own));
        if (p->own.was != 0 && p->own.was != self) {
            __atomic_store_n(&p->own.owner, 0, __ATOMIC_RELAXED);
            others = 1;
        }
    }
    if (!others)
        return;
    vmos_barrier();
    EACH(st, t, p)
    if (p->own.was != 0 && p->own.was != self)
        vmm_wait(&p->own);
}

void vmpo_letall(vmpo_t *st)
{
    vmpo_table_t *t;
    vmpo_place_t *p;

    EACH(st, t, p)
    vmm_give(&p->own, p->own.was);
}

int vmpo_gather(vmpo_t *st)
{
    size_t before = st->navail;
    uintptr_t self = vmos_self();
    vmpo_table_t *t;
    vmpo_place_t *p;

    if (st->table == NULL)
        return 0;
    vmpo_holdall(st);
    EACH(st, t, p)
    if (p->own.was != self)
        vmpo_empty(st, &p->seat);
    vmpo_letall(st);
    return st->navail > before;
}

void vmpo_threadends(vmpo_t *st, uintptr_t self)
{
    vmpo_table_t *t;
    vmpo_place_t *p;

    EACH(st, t, p)
    if (vmm_owner(&p->own) == self) {
        vmpo_empty(st, &p->seat);
        vmm_give(&p->own, 0);
    }
}

void vmpo_forget(vmpo_t *st)
{
    vmpo_table_t *t;
    vmpo_place_t *p;

    EACH(st, t, p)
    vmm_forget(&p->own);
    vmpo_wipeall(st);
    vmpo_rebuild(st);
}

int vmpo_left(vmpo_t *st)
{
    int left = 0;
    vmpo_table_t *t;
    vmpo_place_t *p;

    EACH(st, t, p)
    left |= vmm_left(&p->own);
    return left;
}

/* Others may still be at work where holding them was what was left. */
void vmpo_torn(vmpo_t *st)
{
    vmpo_table_t *t;
    vmpo_place_t *p;

    vmpo_left(st);
    vmpo_holdall(st);
    EACH(st, t, p)
    vmm_wait(&p->own);
    vmpo_wipeall(st);
    if (st->laid != st->size)
        vmpo_fix(st, 0); /* nothing was in it yet, or any more */
    vmpo_rebuild(st);
    vmpo_letall(st);
}
