/* SPDX-License-Identifier: MIT */
/*
 * pool: what the files of Vmpool share.  See doc/design/pool.md for the why.
 *
 * A part is a segment, or what a segment grew by:
 *
 *   part header | live: a byte per block | avail: a bit per block | blocks ...       |
 *                                                                 ^ base    ^ + cut  ^ + span
 *
 * live[i] is 1 while the program has block i.  The others below cut are available (their bit is
 * set), or in a seat.  Blocks from cut on were never touched.  Nothing is written into blocks.
 *
 * A seat is what a thread allocates through, without the region's lock (private.h): a stack of
 * blocks that it freed last, and a word of 64 neighbouring blocks of which it has those whose bit
 * is set.  A region that one thread uses, or where seats cannot be, has one seat, st->one.
 *
 * Invariants
 *   1. live[i] is exact for blocks below cut.  Of those that are not live, each is available, or
 *      in one seat, once.
 *   2. cut is a multiple of 64 blocks, or span.
 *   3. Before the size is fixed (st->size 0) all parts have span and cut 0.
 *   4. avail, and the list of parts, belong to who holds the region's lock; for parts to go, all
 *      seats are held besides.
 */
#ifndef VM_POOL_H
#define VM_POOL_H 1

#include "private.h"

#include <errno.h>
#include <string.h>

#define VMPO_STACK 16      /* blocks in the stack of a seat */
#define VMPO_HINTS 4       /* parts that a small pool remembers by bits of the address */
#define VMPO_HINTSMAX 2048 /* and a large one */
#define VMPO_TABLE 16      /* places of the second table; the first has one */
#define VMPO_TABMAX 4096u
#define VMPO_PROBES 8      /* places of a table that may be a thread's */

typedef struct vmpo_part {
    struct vmpo_part *next; /* newest first */
    Vmseg_t *seg;
    char *base, *end;
    size_t span, cut; /* bytes */
    unsigned char *live;
    uint64_t *avail;
    size_t navail, low; /* bits set; no word below this one has any */
    char *wholeend; /* end, before something was reserved there */
    int table;      /* seats lie behind end: the segment stays */
} vmpo_part_t;

typedef struct vmpo_seat {
    uint64_t word;
    char *base; /* block of bit 0 */
    unsigned char *live; /* and its byte */
    size_t n;
    struct vmpo_freed {
        char *p;
        unsigned char *live;
    } stack[VMPO_STACK];
} vmpo_seat_t;

typedef struct vmpo_place {
    vmm_own_t own;
    vmpo_seat_t seat;
    char pad[8]; /* to cache lines */
} vmpo_place_t;
_Static_assert(sizeof(void *) != 8 || sizeof(vmpo_place_t) % 64 == 0,
               "places of different threads share no cache line");

/* A thread's place is one of VMPO_PROBES from its hash on. */
typedef struct vmpo_table {
    struct vmpo_table *older; /* smaller; threads may still have their seat there */
    size_t mask;              /* places - 1 */
    vmpo_place_t *place;
} vmpo_table_t;

/* Parts by bits of the address of a block, right as a rule. */
typedef struct vmpo_hints {
    size_t mask; /* hints - 1 */
    unsigned shift;
    vmpo_part_t *part[VMPO_HINTS]; /* and more */
} vmpo_hints_t;

typedef struct vmpo {
    size_t size;         /* as asked for by the first call; 0: not fixed */
    size_t stride;       /* from block to block */
    uint64_t recip;      /* 2^64 / stride, rounded up */
    vmpo_table_t *table; /* where threads look; NULL: st->one is used, under the lock */
    vmpo_hints_t *hints;
    vmpo_table_t first;  /* of st->one */
    vmpo_hints_t few;
    vmpo_part_t *parts;  /* all */
    /* what changes more often than the above */
    vmpo_part_t *from;   /* the one that seats are filled from */
    size_t cut, span, navail; /* sums of the parts' */
    vmpo_table_t *tables; /* all, newest first */
    vmpo_part_t *tried;  /* st->parts when there was no room for a table */
    size_t may;          /* seats can be */
    size_t laid;         /* size that all parts are laid out for; another one than size: not all */
    vmr_log_t *log;      /* of a region that processes share, else NULL */
    vmpo_place_t one;
} vmpo_t;

/* [p, p+n) is about to change: of what is not vmpo_t itself. */
VMOS_INLINE void vmpo_note(const vmpo_t *st, const void *p, size_t n)
{
    if (VMOS_UNLIKELY(st->log != NULL))
        vmr_lognote(st->log, p, n);
}

#define VMPO_GET(x) __atomic_load_n(&(x), __ATOMIC_RELAXED)
#define VMPO_SET(x, v) __atomic_store_n(&(x), (v), __ATOMIC_RELAXED)

/* ---- finding ---- */

VMOS_INLINE int vmpo_inpart(const vmpo_part_t *part, const char *p)
{
    return (size_t)(p - part->base) < VMPO_GET(part->cut);
}
VMOS_INLINE vmpo_part_t **vmpo_hint(const vmpo_t *st, const char *p)
{
    vmpo_hints_t *h = __atomic_load_n(&st->hints, __ATOMIC_ACQUIRE);

    return &h->part[((uintptr_t)p >> VMPO_GET(h->shift)) & h->mask];
}
VMOS_INLINE vmpo_part_t *vmpo_hinted(const vmpo_t *st, const char *p)
{
    return VMPO_GET(*vmpo_hint(st, p));
}
/* The part that has the block that p may be, NULL: none; remembered (pool_part.c). */
vmpo_part_t *vmpo_partof(vmpo_t *st, const char *p);
/* Number of the block at p in part; not below SIZE_MAX: no block starts there. */
VMOS_INLINE size_t vmpo_index(const vmpo_t *st, const vmpo_part_t *part, const char *p)
{
    size_t off = (size_t)(p - part->base), i = (size_t)vmb_mulhi(off, st->recip);

    /* Exact when off is a multiple q * stride: the error q * (recip * stride - 2^64) is below
     * q * stride < 2^64.  When it is not, no i passes. */
    return VMOS_LIKELY(i * st->stride == off) ? i : SIZE_MAX;
}

/* ---- the two paths that nearly all calls take ---- */

/* A block of the seat, NULL: it has none. */
VMOS_INLINE void *vmpo_take(const vmpo_t *st, vmpo_seat_t *seat)
{
    size_t n = seat->n;
    uint64_t word = seat->word;
    int i;

    if (n > 0) {
        VMPO_SET(*seat->stack[n - 1].live, 1);
        VMPO_SET(seat->n, n - 1);
        return seat->stack[n - 1].p;
    }
    if (VMOS_UNLIKELY(word == 0))
        return NULL;
    i = vmb_ctz(word);
    VMPO_SET(seat->live[i], 1);
    VMPO_SET(seat->word, word & (word - 1));
    return seat->base + (size_t)i * st->stride;
}

/* Put a block of part into the seat, which has room.  -1: p is no block that the program has. */
VMOS_INLINE int vmpo_put(const vmpo_t *st, vmpo_seat_t *seat, const vmpo_part_t *part, void *p)
{
    size_t i = vmpo_index(st, part, p), n = seat->n;

    if (VMOS_UNLIKELY(i == SIZE_MAX || VMPO_GET(part->live[i]) != 1))
        return -1;
    VMPO_SET(part->live[i], 0);
    seat->stack[n].p = p;
    seat->stack[n].live = &part->live[i];
    VMPO_SET(seat->n, n + 1);
    return 0;
}

/* ---- parts (pool_part.c); the region is locked ---- */

/* The part of [at, end) in a segment.  NULL: it is too small for anything. */
vmpo_part_t *vmpo_newpart(vmpo_t *st, Vmseg_t *seg, char *at, char *end);
/* Fix the size; 0 forgets it.  All blocks go. */
void vmpo_fix(vmpo_t *st, size_t size);
/* Take room for a table where no blocks are yet; table: one that stays.  NULL: there is none. */
void *vmpo_reserve(vmpo_t *st, size_t size, int table);
/* More memory, with room for a table of size bytes, if that can be had without an event. */
int vmpo_more(Vmalloc_t *vm, size_t size);
/* Point all hints to the newest part, in a larger table if that is due. */
void vmpo_rehint(vmpo_t *st);
/* Make a block available. */
void vmpo_giveback(vmpo_t *st, char *p);
/* Have a block in the seat.  0, or -1 (ENOMEM).  The lock may be free for a while; *seat is the
 * calling thread's afterwards. */
int vmpo_fill(Vmalloc_t *vm, vmpo_seat_t **seat);
/* All that is not live becomes available, with all seats held and empty (pool_compact.c). */
void vmpo_rebuild(vmpo_t *st);
int vmpo_compact(Vmalloc_t *vm);
/* Cut a part's room for the size that is fixed, with no blocks in it. */
void vmpo_layout(vmpo_t *st, vmpo_part_t *part);

/* ---- seats (pool_seat.c) ---- */

VMOS_INLINE size_t vmpo_hash(uintptr_t self)
{
    return (size_t)((uint64_t)(self >> 6) * 0x9e3779b97f4a7c15ULL >> 40);
}
/* The place of this owner (self, or 0) among those that self may have in a table, or NULL. */
vmpo_place_t *vmpo_probe(const vmpo_table_t *t, uintptr_t self, uintptr_t owner);
VMOS_INLINE vmpo_place_t *vmpo_find(const vmpo_table_t *t, uintptr_t self)
{
    vmpo_place_t *p = &t->place[vmpo_hash(self) & t->mask];

    return VMOS_LIKELY(vmm_owner(&p->own) == self) ? p : vmpo_probe(t, self, self);
}
/* With the region locked: the calling thread's seat. */
vmpo_seat_t *vmpo_seat(Vmalloc_t *vm);
/* The n blocks that were freed longest ago become available. */
void vmpo_flush(vmpo_t *st, vmpo_seat_t *seat, size_t n);
/* All blocks of a seat become available. */
void vmpo_empty(vmpo_t *st, vmpo_seat_t *seat);
/* The same for the seats of all threads but the calling one.  Whether there were any blocks. */
int vmpo_gather(vmpo_t *st);
/* Keep all owners out, and let them in. */
void vmpo_holdall(vmpo_t *st);
void vmpo_letall(vmpo_t *st);
/* Forget what all seats hold, since nothing of it counts any more. */
void vmpo_wipeall(vmpo_t *st);
/* Blocks in seats, and seats that have an owner.  Not exact while other threads are at work. */
size_t vmpo_cached(const vmpo_t *st, size_t *nseats);
/* The thread self ends. */
void vmpo_threadends(vmpo_t *st, uintptr_t self);
/* After a fork: who was at work may have left a block between two places. */
void vmpo_forget(vmpo_t *st);
/* The calling thread is about to longjmp(): whether it was at work with its seat. */
int vmpo_left(vmpo_t *st);
/* The same while it held the region's lock, or after vmpo_left() with the region locked. */
void vmpo_torn(vmpo_t *st);

/* All addresses that the region keeps become those of now (pool_move.c): 1. */
int vmpo_move(vmpo_t *st, Vmmove_t *m);

/* vmdbcheck(). */
int vmpo_check(Vmalloc_t *vm);

#endif
