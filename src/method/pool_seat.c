/* SPDX-License-Identifier: MIT */
/*
 * pool_seat: what each thread has of a pool for itself.
 *
 *   st->table ---> | mask | place[mask + 1] |        older ---> | mask | place[...] | ---> ...
 *
 * A thread's place in the table is one of a few from the hash of its number on, found without a
 * lock and without thread-local storage.  When a thread finds them all taken, a larger table is
 * made in memory of the pool; threads move there when they notice.  Places of threads that ended
 * are taken over, blocks and all.
 */
#include "pool.h"

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

static void lay(vmpo_table_t *t, void *at, size_t n)
{
    memset(at, 0, n * sizeof(vmpo_place_t));
    t->place = at;
    t->mask = n - 1;
}

char *vmpo_firsttable(vmpo_t *st, Vmseg_t *root)
{
    char *at = (char *)VMB_UP(root->base, 64);

    lay(&st->first, at, VMPO_FIRSTTAB);
    st->table = &st->first;
    return at + VMPO_FIRSTTAB * sizeof(vmpo_place_t);
}

static int grow(vmpo_t *st)
{
    size_t n = (st->table->mask + 1) * VMPO_TABGROWTH;
    vmpo_table_t *t;

    t = n <= VMPO_TABMAX ? vmpo_reserve(st, n * sizeof(vmpo_place_t) + 64) : NULL;
    if (t == NULL)
        return -1;
    lay(t, (char *)t + 64, n);
    t->older = st->table;
    __atomic_store_n(&st->table, t, __ATOMIC_RELEASE);
    return 0;
}

/* A seat that the calling thread still has in an older table. */
static vmpo_place_t *outdated(const vmpo_t *st, uintptr_t self)
{
    const vmpo_table_t *t = st->table->older;
    vmpo_place_t *p = NULL;

    for (; t != NULL && p == NULL; t = t->older)
        p = vmpo_probe(t, self, self);
    return p;
}

/* A place for thread self, with what it has in an older one.  NULL: all are taken. */
static vmpo_place_t *claim(vmpo_t *st, uintptr_t self)
{
    vmpo_place_t *p, *old;

    while ((p = vmpo_probe(st->table, self, 0)) == NULL)
        if (grow(st) < 0)
            return NULL;
    old = outdated(st, self);
    if (old != NULL) {
        vmpo_empty(st, &p->seat); /* of someone who is gone */
        p->seat = old->seat;
        vmpo_wipe(st, &old->seat);
        vmm_give(&old->own, 0);
    }
    if (p->seat.hint == NULL)
        p->seat.hint = st->parts;
    vmm_give(&p->own, self);
    return p;
}

vmpo_seat_t *vmpo_seat(vmpo_t *st)
{
    uintptr_t self = vmos_self();
    vmpo_place_t *p = NULL;

    if (st->table != NULL) {
        p = vmpo_probe(st->table, self, self);
        if (p == NULL)
            p = claim(st, self);
    }
    return p != NULL ? &p->seat : &st->one;
}

/* ---- blocks of seats ---- */

void vmpo_givechain(vmpo_t *st, vmpo_link_t *chain)
{
    chain->live = (unsigned char *)st->chains;
    st->chains = chain;
    st->nchains++;
}

static void giveloose(vmpo_t *st, vmpo_link_t *p)
{
    p->next = st->loose;
    st->loose = p;
    st->nloose++;
}

void vmpo_empty(vmpo_t *st, vmpo_seat_t *seat)
{
    vmpo_link_t *p, *next;

    if (seat->full != NULL)
        vmpo_givechain(st, seat->full);
    for (p = seat->head; p != NULL; p = next) {
        next = p->next;
        giveloose(st, p);
    }
    for (; seat->fresh != seat->freshend; seat->fresh += st->stride) {
        p = (vmpo_link_t *)(void *)seat->fresh;
        p->live = seat->freshlive++;
        giveloose(st, p);
    }
    vmpo_wipe(st, seat);
}

void vmpo_wipe(vmpo_t *st, vmpo_seat_t *seat)
{
    (void)st;
    VMPO_SET(seat->head, NULL);
    VMPO_SET(seat->full, NULL);
    VMPO_SET(seat->n, 0);
    VMPO_SET(seat->fresh, NULL);
    VMPO_SET(seat->freshend, NULL);
}

static size_t cached(const vmpo_t *st, const vmpo_seat_t *seat)
{
    const char *fresh = VMPO_GET(seat->fresh), *end = VMPO_GET(seat->freshend);
    size_t n = VMPO_GET(seat->n);

    if (VMPO_GET(seat->full) != NULL)
        n += st->batch;
    return fresh < end && st->stride != 0 ? n + (size_t)(end - fresh) / st->stride : n;
}

/* ---- all seats ---- */

/* Call f for all places of all tables. */
#define EACH(st, t, p)                                                                                for (t = (st)->table; t != NULL; t = t->older)                                                        for (p = t->place; p <= t->place + t->mask; p++)

size_t vmpo_cached(const vmpo_t *st, size_t *nseats)
{
    size_t n = cached(st, &st->one);
    const vmpo_table_t *t;
    const vmpo_place_t *p;

    *nseats = 0;
    EACH(st, t, p)
    {
        *nseats += vmm_owner(&p->own) != 0;
        n += cached(st, &p->seat);
    }
    return n;
}

/* One barrier for all. */
void vmpo_holdall(vmpo_t *st)
{
    uintptr_t self = vmos_self();
    int others = 0;
    vmpo_table_t *t;
    vmpo_place_t *p;

    EACH(st, t, p)
    {
        p->was = vmm_owner(&p->own);
        if (p->was != 0 && p->was != self) {
            vmm_give(&p->own, 0);
            others = 1;
        }
    }
    if (!others)
        return;
    vmos_barrier();
    EACH(st, t, p)
    if (p->was != 0 && p->was != self)
        vmm_wait(&p->own);
}

void vmpo_letall(vmpo_t *st)
{
    vmpo_table_t *t;
    vmpo_place_t *p;

    EACH(st, t, p)
    vmm_give(&p->own, p->was);
}

void vmpo_each(vmpo_t *st, void (*f)(vmpo_t *st, vmpo_seat_t *seat))
{
    vmpo_table_t *t;
    vmpo_place_t *p;

    (*f)(st, &st->one);
    EACH(st, t, p)
    (*f)(st, &p->seat);
}

int vmpo_gather(vmpo_t *st)
{
    size_t before = st->nloose + st->nchains;
    uintptr_t self = vmos_self();
    vmpo_table_t *t;
    vmpo_place_t *p;

    if (st->table == NULL)
        return 0;
    vmpo_holdall(st);
    EACH(st, t, p)
    if (p->was != self)
        vmpo_empty(st, &p->seat);
    vmpo_letall(st);
    return st->nloose + st->nchains > before;
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
    vmpo_each(st, vmpo_wipe);
    vmpo_rebuild(st);
}
