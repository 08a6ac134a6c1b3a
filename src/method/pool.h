/* SPDX-License-Identifier: MIT */
/*
 * pool: what the files of Vmpool share.  See doc/design/pool.md for the why.
 *
 * A part is a segment, or what a segment grew by:
 *
 *   at            live                base                  base + cut        base + span     end
 *   | part header | a byte per block  | blocks handed out,  | not touched yet |               |
 *                                     | or handed back
 *
 * live[i] is 1 while the program has block i.  A free block holds a link: the next free block and
 * the place of its own byte, so that handing it out again needs no search.
 *
 * Free blocks are in seats.  A seat belongs to one thread (private.h), which needs no lock for it;
 * a region that one thread uses, or where seats cannot be, has just the seat st->one.  A seat has
 * a list of up to `batch` blocks, and perhaps a second chain of just that many; what is more goes
 * to the region in whole chains, and comes from there in whole chains, without looking into them.
 *
 * Invariants
 *   1. live[i] is valid for the blocks in [base, base + cut): all of those are the program's, in
 *      one seat, or in one of the region's lists.
 *   2. Before the size is fixed (st->size 0) all parts have span and cut 0.
 *   3. Seats other than the calling thread's are touched under the region's lock, after vmm_hold().
 *   4. Parts come under the region's lock, and go under it while all seats are held.
 */
#ifndef VM_POOL_H
#define VM_POOL_H 1

#include "private.h"

#include <errno.h>
#include <string.h>

#define VMPO_BATCH 64          /* blocks in a chain at most */
#define VMPO_BATCHBYTES 32768u /* bytes in a chain at most, if it has more than one */
#define VMPO_FIRSTTAB 4        /* seats of the first table, in the first segment */
#define VMPO_TABGROWTH 16
#define VMPO_TABMAX 4096u
#define VMPO_PROBES 8 /* places of a table that may be a thread's */

typedef struct vmpo_link { /* in a free block */
    struct vmpo_link *next;
    unsigned char *live; /* in the first block of a chain of the region: the next chain */
} vmpo_link_t;

typedef struct vmpo_part {
    struct vmpo_part *next; /* newest first */
    Vmseg_t *seg;
    char *base;
    size_t span, cut;
    unsigned char *live;
    char *end;
    int table; /* seats lie behind end: the segment stays */
} vmpo_part_t;

typedef struct vmpo_seat {
    vmpo_link_t *head;
    size_t n; /* blocks in that list */
    char *fresh, *freshend;
    unsigned char *freshlive;
    vmpo_link_t *full; /* a chain of st->batch blocks, or NULL */
    vmpo_part_t *hint; /* part of the block that was freed last */
} vmpo_seat_t;

typedef struct vmpo_place { /* two cache lines, as they are fetched in pairs */
    vmm_own_t own;
    uintptr_t was; /* whose it was, while held */
    vmpo_seat_t seat;
    char pad[128 - sizeof(vmm_own_t) - sizeof(uintptr_t) - sizeof(vmpo_seat_t)];
} vmpo_place_t;

/* A thread's place is one of the VMPO_PROBES from its hash on. */
typedef struct vmpo_table {
    struct vmpo_table *older; /* smaller one that some threads may still have their seat in */
    size_t mask;              /* places - 1 */
    vmpo_place_t *place;
} vmpo_table_t;

typedef struct vmpo {
    size_t size;     /* as asked for by the first call; 0: not fixed */
    size_t stride;   /* from block to block */
    uint64_t recip;  /* 2^64 / stride, rounded up */
    vmpo_table_t *table; /* NULL: st->one is used, under the lock unless VM_SINGLE */
    vmpo_seat_t one;
    size_t batch;
    vmpo_part_t *parts, *cutting; /* all; the one that blocks are cut from */
    vmpo_link_t *chains; /* chains of st->batch blocks */
    size_t nchains;
    vmpo_link_t *loose; /* other free blocks */
    size_t nloose;
    size_t cut;   /* sum of the parts' */
    size_t span;  /* same */
    vmpo_table_t first;
} vmpo_t;

#define VMPO_GET(x) __atomic_load_n(&(x), __ATOMIC_RELAXED)
#define VMPO_SET(x, v) __atomic_store_n(&(x), (v), __ATOMIC_RELAXED)

/* ---- finding (pool_part.c) ---- */

/* The part that has the block that p may be, NULL: none. */
vmpo_part_t *vmpo_partof(const vmpo_t *st, const char *p);
/* The byte of the block at p in part; NULL: no block starts there. */
VMOS_INLINE unsigned char *vmpo_liveof(const vmpo_t *st, const vmpo_part_t *part, const char *p)
{
    size_t off = (size_t)(p - part->base), i = (size_t)vmb_mulhi(off, st->recip);

    /* Exact when off is a multiple q * stride: the error q * (recip * stride - 2^64) is below
     * q * stride < 2^64.  When it is not, no i passes. */
    return VMOS_LIKELY(i * st->stride == off) ? part->live + i : NULL;
}
VMOS_INLINE int vmpo_inpart(const vmpo_part_t *part, const char *p)
{
    return (size_t)(p - part->base) < VMPO_GET(part->cut);
}

/* ---- the two paths that nearly all calls take ---- */

/* A block of the seat, NULL: it has none at hand. */
VMOS_INLINE void *vmpo_take(const vmpo_t *st, vmpo_seat_t *seat)
{
    vmpo_link_t *p = seat->head;
    char *fresh;

    if (VMOS_LIKELY(p != NULL)) {
        vmpo_link_t *next = p->next;
        VMPO_SET(*p->live, 1);
        VMPO_SET(seat->head, next);
        VMPO_SET(seat->n, seat->n - 1);
        __builtin_prefetch(next, 1);
        return p;
    }
    fresh = seat->fresh;
    if (VMOS_UNLIKELY(fresh == seat->freshend))
        return NULL;
    VMPO_SET(*seat->freshlive, 1);
    seat->freshlive++;
    VMPO_SET(seat->fresh, fresh + st->stride);
    return fresh;
}

/* Put a block of part into the seat.  -1: p is no block that the program has. */
VMOS_INLINE int vmpo_putin(const vmpo_t *st, vmpo_seat_t *seat, const vmpo_part_t *part, void *p)
{
    unsigned char *live = vmpo_liveof(st, part, p);
    vmpo_link_t *link = p;

    if (VMOS_UNLIKELY(live == NULL || VMPO_GET(*live) != 1))
        return -1;
    VMPO_SET(*live, 0);
    VMPO_SET(link->next, seat->head); /* one by one: they are read so again soon */
    VMPO_SET(link->live, live);
    VMPO_SET(seat->head, link);
    VMPO_SET(seat->n, seat->n + 1);
    return 0;
}

/* The same for any address. */
VMOS_INLINE int vmpo_put(const vmpo_t *st, vmpo_seat_t *seat, void *p)
{
    vmpo_part_t *part = vmpo_partof(st, p);

    if (part == NULL)
        return -1;
    seat->hint = part;
    return vmpo_putin(st, seat, part, p);
}

/* ---- parts (pool_part.c); the region is locked ---- */

/* The part of [at, end) in a segment.  NULL: it is too small for anything. */
vmpo_part_t *vmpo_newpart(vmpo_t *st, Vmseg_t *seg, char *at, char *end);
/* Fix the size; 0 forgets it. */
void vmpo_fix(vmpo_t *st, size_t size);
/* Take room for a table where no blocks are yet.  NULL: there is none. */
void *vmpo_reserve(vmpo_t *st, size_t size);
/* Have a block at hand in the seat.  0, or -1 (ENOMEM).  The lock may be free for a while; *seat
 * is the calling thread's afterwards. */
int vmpo_fill(Vmalloc_t *vm, vmpo_seat_t **seat);
/* Make all lists anew from the bytes of the parts, with all seats held and empty. */
void vmpo_rebuild(vmpo_t *st);
int vmpo_compact(Vmalloc_t *vm);

/* ---- seats (pool_seat.c) ---- */

VMOS_INLINE size_t vmpo_hash(uintptr_t self)
{
    return (size_t)((self >> 6) * 0x9e3779b97f4a7c15ULL >> 40);
}
/* The place of this owner (self, or 0) among those that thread self may have in a table, or NULL. */
vmpo_place_t *vmpo_probe(const vmpo_table_t *t, uintptr_t self, uintptr_t owner);
VMOS_INLINE vmpo_place_t *vmpo_find(const vmpo_table_t *t, uintptr_t self)
{
    vmpo_place_t *p = &t->place[vmpo_hash(self) & t->mask];

    return VMOS_LIKELY(vmm_owner(&p->own) == self) ? p : vmpo_probe(t, self, self);
}
/* With the region locked: the calling thread's seat. */
vmpo_seat_t *vmpo_seat(vmpo_t *st);
/* Hand all blocks of a seat to the region. */
void vmpo_empty(vmpo_t *st, vmpo_seat_t *seat);
/* The same for the seats of all threads but the calling one.  Whether there were any blocks. */
int vmpo_gather(vmpo_t *st);
/* A chain of st->batch blocks goes to the region. */
void vmpo_givechain(vmpo_t *st, vmpo_link_t *chain);
/* Keep all owners out, and let them in. */
void vmpo_holdall(vmpo_t *st);
void vmpo_letall(vmpo_t *st);
/* Call f for all seats, st->one included. */
void vmpo_each(vmpo_t *st, void (*f)(vmpo_t *st, vmpo_seat_t *seat));
/* Forget what a seat holds, since nothing of it exists any more. */
void vmpo_wipe(vmpo_t *st, vmpo_seat_t *seat);
/* Blocks free in seats, and seats that have an owner.  Not exact while other threads are at work. */
size_t vmpo_cached(const vmpo_t *st, size_t *nseats);
/* Lay the table that a region begins with at the start of its first segment; where the rest of
 * that begins. */
char *vmpo_firsttable(vmpo_t *st, Vmseg_t *root);
/* The calling thread ends. */
void vmpo_threadends(vmpo_t *st, uintptr_t self);
/* After a fork or a broken lock: who was at work may have left a block between two places. */
void vmpo_forget(vmpo_t *st);
/* vmdbcheck(). */
int vmpo_check(Vmalloc_t *vm);

#endif
