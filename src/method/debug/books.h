/* SPDX-License-Identifier: MIT */
/*
 * books: what the files of Vmdebug share among themselves: descriptors, the index, shards.
 *
 *   descriptor (32 bytes)
 *     where   | region 16 | address 48 |
 *     what    | guard 2 | busy 1 | out 1 | state 3 | family 4 | lead 6 | reported 1 | astray 1 | seated 1 | size 44 |
 *     alloc   stack          freed  stack, or the next unused descriptor
 *     op      operation that made it (low 32 bits)
 *     athread, fthread       numbers of threads
 *
 * Invariants
 *   - A block's address leads to the number of its descriptor, from before the program gets the address
 *     until the memory goes back to the lower method: by the rule of its page (seat.c) where `what` has
 *     SEATED, else by its granule (its address / 32) in the index.  Two blocks never share one, since a
 *     block with its lead is at least 32 bytes.
 *   - The state changes by compare-and-swap of `what`: of two threads that free a block one wins.
 *   - What a thread has at hand (vmdg_self) goes to its shard when it is much, and at its end; in a
 *     child of fork, what other threads had at hand stays unused.
 *   - A shard's lock is held for a few instructions, never with a call to another room inside; what
 *     is done under it is one store that counts, so that a thread that a fork took away in
 *     between leaves the books in order.
 */
#ifndef VM_DEBUG_BOOKS_H
#define VM_DEBUG_BOOKS_H 1

#include "debug.h"
#include "over.h"

#include <string.h>

/* ---- descriptors (desc.c) ---- */

typedef struct vmdg_desc {
    uint64_t where, what;
    uint32_t alloc, freed;
    uint32_t op;
    uint16_t athread, fthread;
} vmdg_desc_t;

#define VMDG_ADDRBITS 48
#define VMDG_SIZEBITS 44
#define VMDG_SIZEMASK (((uint64_t)1 << VMDG_SIZEBITS) - 1)
#define VMDG_SEATED ((uint64_t)1 << 44)   /* its number is the one that the rule of its page makes */
#define VMDG_ASTRAY ((uint64_t)1 << 45)     /* and its address no longer leads to it: others have the memory */
#define VMDG_REPORTED ((uint64_t)1 << 46) /* its broken fence was told of */
#define VMDG_LEADSHIFT 47                 /* 6 bits: log2 of the alignment and, without guard, the lead; 0: odd */
#define VMDG_FAMSHIFT 53                  /* 4 bits */
#define VMDG_STATESHIFT 57                /* 3 bits */
#define VMDG_STATEMASK ((uint64_t)7 << VMDG_STATESHIFT)
#define VMDG_GUARDSHIFT 62 /* 2 bits: VMDG_NOGUARD, ABOVE, BELOW, HIDDEN */
#define VMDG_OUT ((uint64_t)1 << 60) /* freed, and the lower method has its memory already */
#define VMDG_NOGUARD 0
#define VMDG_ABOVE 1
#define VMDG_BELOW 2
#define VMDG_HIDDEN 3 /* freed between fences, and its whole pages without access since */
#define VMDG_BUSY ((uint64_t)1 << 61) /* its bytes are being checked: it must stay as it is */

#define VMDG_CHUNKSHIFT 14
#define VMDG_CHUNK ((uint32_t)1 << VMDG_CHUNKSHIFT)
#define VMDG_CHUNKS ((uint32_t)1 << (31 - VMDG_CHUNKSHIFT))
#define VMDG_ROUNDSHIFT 8 /* blocks that are checked together */

typedef struct vmdg_chunk {
    vmdg_desc_t desc[VMDG_CHUNK];
    uint64_t checked[VMDG_CHUNK >> VMDG_ROUNDSHIFT]; /* operation at which they were */
} vmdg_chunk_t;

extern vmdg_chunk_t *vmdg_chunk[VMDG_CHUNKS] VMOS_HIDDEN;

/* id: of a descriptor that there is. */
VMOS_INLINE vmdg_desc_t *vmdg_desc(uint32_t id)
{
    return &vmdg_chunk[id >> VMDG_CHUNKSHIFT]->desc[id & (VMDG_CHUNK - 1)];
}
VMOS_INLINE char *vmdg_addr(const vmdg_desc_t *d)
{
    return (char *)(uintptr_t)(__atomic_load_n(&d->where, __ATOMIC_RELAXED) & (((uint64_t)1 << VMDG_ADDRBITS) - 1));
}
VMOS_INLINE uint32_t vmdg_regionof(const vmdg_desc_t *d)
{
    return (uint32_t)(__atomic_load_n(&d->where, __ATOMIC_RELAXED) >> VMDG_ADDRBITS);
}
VMOS_INLINE uint64_t vmdg_what(const vmdg_desc_t *d)
{
    return __atomic_load_n(&d->what, __ATOMIC_ACQUIRE);
}
VMOS_INLINE vmdg_state_t vmdg_stateof(uint64_t what)
{
    return (vmdg_state_t)(what >> VMDG_STATESHIFT & 7);
}
VMOS_INLINE vmdg_family_t vmdg_familyof(uint64_t what)
{
    return (vmdg_family_t)(what >> VMDG_FAMSHIFT & 15);
}
VMOS_INLINE int vmdg_guardof(uint64_t what)
{
    return (int)(what >> VMDG_GUARDSHIFT);
}
VMOS_INLINE size_t vmdg_sizeof(uint64_t what)
{
    return (size_t)(what & VMDG_SIZEMASK);
}
/* From state `from` to `to`, when nobody looks at the block any more.  0, or -1 when it was in
 * another state. */
int vmdg_turn_busy(vmdg_desc_t *d, vmdg_state_t from, vmdg_state_t to);
/* Wait until nobody looks at the block. */
void vmdg_await(vmdg_desc_t *d);
VMOS_INLINE int vmdg_turn(vmdg_desc_t *d, vmdg_state_t from, vmdg_state_t to)
{
    uint64_t old = vmdg_what(d);
    if (vmdg_stateof(old) != from)
        return -1;
    if (VMOS_LIKELY(!(old & VMDG_BUSY)) &&
        VMOS_LIKELY(__atomic_compare_exchange_n(
            &d->what, &old, (old & ~VMDG_STATEMASK) | (uint64_t)to << VMDG_STATESHIFT, 0,
            __ATOMIC_ACQ_REL, __ATOMIC_RELAXED)))
        return 0;
    return vmdg_turn_busy(d, from, to);
}

/* ---- shards (desc.c): threads are spread over them ---- */

#define VMDG_SHARDS 8

typedef struct vmdg_entry { /* of a quarantine */
    uint32_t id, op, cost; /* cost: bytes it counts for, so that the books need not be read */
} vmdg_entry_t;

typedef struct vmdg_shard {
    vmos_lock_t lock;
    uint32_t unused;     /* descriptors, linked by `freed`; 0: none */
    vmdg_entry_t *ring;  /* the quarantine: entries [head, tail), each modulo its size */
    size_t nring;        /* a power of two */
    size_t head, tail, bytes;
} __attribute__((aligned(128))) vmdg_shard_t;

extern vmdg_shard_t vmdg_shards[VMDG_SHARDS] VMOS_HIDDEN;

/* The calling thread's, locked.  In a signal handler that interrupted a thread inside: another. */
vmdg_shard_t *vmdg_shard(void);
VMOS_INLINE void vmdg_leave(vmdg_shard_t *s) { vmos_unlock(&s->lock); }

/* A descriptor number, 0 when there is no memory; and back. */
uint32_t vmdg_desc_get(void);
void vmdg_desc_put(uint32_t id);
void vmdg_desc_leave(void); /* the thread ends: what it has at hand goes to the shard */
/* In the child of a fork. */
void vmdg_shards_renew(void);

/* So many numbers in a row, of descriptors that nobody has; 0: no memory. */
uint32_t vmdg_desc_row(uint32_t n);

/* ---- index (index.c, seat.c) ---- */

#define VMDG_GRANULE 32

#define VMDG_LEAFSHIFT 27
#define VMDG_NROOT ((size_t)1 << (VMB_MAPBITS > VMDG_LEAFSHIFT ? VMB_MAPBITS - VMDG_LEAFSHIFT : 0))
#define VMDG_PIECESHIFT 22
#define VMDG_NPIECE ((size_t)1 << (VMDG_LEAFSHIFT - VMDG_PIECESHIFT))
#define VMDG_NGRAN (((size_t)1 << VMDG_PIECESHIFT) / VMDG_GRANULE) /* of a piece */
#define VMDG_NPAGE ((size_t)1 << (VMDG_LEAFSHIFT - VMB_PAGESHIFT))

/* The rule of a page: | bytes between blocks / 16: 16 | factor 16 | grans 1 | first number 31 |.  A block that
 * begins there has the number first + (offset in the page * factor >> 20).  First 0: there is no rule. */
#define VMDG_GRANS ((uint64_t)1 << 31) /* some blocks of the page have their numbers in granules */
#define VMDG_FIRSTMASK (VMDG_GRANS - 1)
#define VMDG_FACTORSHIFT 32
#define VMDG_FACTORBITS 20
#define VMDG_STRIDESHIFT 48
#define VMDG_STRIDEMOST (VMB_PAGE + 16) /* of blocks farther apart one at most begins in a page */

typedef struct vmdg_leaf {
    uint64_t starts[VMDG_NPAGE / 64]; /* pages in which a block began */
    uint64_t used[VMDG_NPAGE / 64];   /* pages that a block was in */
    uint64_t rule[VMDG_NPAGE];
    uint32_t *gran[VMDG_NPIECE]; /* numbers of granules, each mapped when it is needed first */
} vmdg_leaf_t;
extern vmdg_leaf_t **vmdg_root VMOS_HIDDEN; /* VMDG_NROOT of them, NULL: nothing yet */

VMOS_INLINE vmdg_leaf_t *vmdg_leafof(uintptr_t a)
{
    vmdg_leaf_t **r = __atomic_load_n(&vmdg_root, __ATOMIC_ACQUIRE);
    size_t i = a >> VMDG_LEAFSHIFT;
    return r != NULL && i < VMDG_NROOT ? __atomic_load_n(&r[i], __ATOMIC_ACQUIRE) : NULL;
}
/* NULL: none of its piece has a number, though its page may have VMDG_GRANS. */
VMOS_INLINE uint32_t *vmdg_granof(const vmdg_leaf_t *l, uintptr_t a)
{
    uint32_t *piece = __atomic_load_n(&l->gran[a >> VMDG_PIECESHIFT & (VMDG_NPIECE - 1)], __ATOMIC_ACQUIRE);
    return piece != NULL ? &piece[a / VMDG_GRANULE & (VMDG_NGRAN - 1)] : NULL;
}
VMOS_INLINE uint32_t vmdg_numberof(const vmdg_leaf_t *l, uintptr_t a)
{
    const uint32_t *g = vmdg_granof(l, a);
    return g != NULL ? __atomic_load_n(g, __ATOMIC_ACQUIRE) : 0;
}
VMOS_INLINE size_t vmdg_pageof(uintptr_t a)
{
    return a >> VMB_PAGESHIFT & (VMDG_NPAGE - 1);
}
VMOS_INLINE uint64_t vmdg_ruleof(const vmdg_leaf_t *l, uintptr_t a)
{
    return __atomic_load_n(&l->rule[vmdg_pageof(a)], __ATOMIC_ACQUIRE);
}
/* The number that a rule with a first one makes of an address. */
VMOS_INLINE uint32_t vmdg_seatof(uint64_t rule, uintptr_t a)
{
    uint32_t factor = (uint32_t)(rule >> VMDG_FACTORSHIFT) & 0xffff;
    return (uint32_t)(rule & VMDG_FIRSTMASK) +
           ((uint32_t)(a & (VMB_PAGE - 1)) * factor >> VMDG_FACTORBITS);
}
/* The only number that a block which begins at p can have, 0: there is no block.  Whether that descriptor is
 * of a block, and of one at p, its reader has to see. */
VMOS_INLINE uint32_t vmdg_index_near(const void *p)
{
    vmdg_leaf_t *l = vmdg_leafof((uintptr_t)p);
    uint64_t rule;
    uint32_t id;
    if (VMOS_UNLIKELY(l == NULL))
        return 0;
    rule = vmdg_ruleof(l, (uintptr_t)p);
    if (VMOS_UNLIKELY(rule & VMDG_GRANS) && (id = vmdg_numberof(l, (uintptr_t)p)) != 0)
        return id;
    return VMOS_LIKELY((rule & VMDG_FIRSTMASK) != 0) ? vmdg_seatof(rule, (uintptr_t)p) : 0;
}
/* The number of the block that begins in p's granule, 0: none. */
uint32_t vmdg_index_get(const void *p);
/* Note that block id, which has no seat, begins at p; its memory with fences is [from, end).  -1: no memory. */
int vmdg_index_enter(const void *p, const void *from, const void *end, uint32_t id);
/* Pages [from, end) have, or are about to have, blocks.  -1: no memory. */
int vmdg_index_use(const void *from, const void *end);
/* p's granule no longer says id.  Who else would write there has the block's memory, and nobody does before. */
void vmdg_index_clear(const void *p, uint32_t id);

/* A seat for a new block: where the rule of its page fits. */
typedef struct vmdg_seat {
    const uint64_t *at; /* the rule, which is to be the same when the block has been entered */
    uint64_t rule;
    uint32_t id;
} vmdg_seat_t;
/* Blocks that fit a rule are at most a seventh smaller than the distance: so sizes are rounded. */
VMOS_INLINE int vmdg_seat_fits(uint64_t rule, size_t n)
{
    size_t stride = (size_t)(rule >> VMDG_STRIDESHIFT) * 16;
    return stride - VMB_MIN(n, VMDG_STRIDEMOST) <= stride / 8;
}
/* For the block at p, in a block of the lower method at base, of n bytes; region vm is of Vmbest, local: and locked
 * by the caller.  0, -1: there is none. */
int vmdg_seat_find(Vmalloc_t *vm, const char *p, char *base, size_t n, int local, vmdg_seat_t *s);
VMOS_INLINE int vmdg_seat(Vmalloc_t *vm, const char *p, char *base, size_t n, int local, vmdg_seat_t *s)
{
    uintptr_t a = (uintptr_t)p;
    vmdg_leaf_t *l = vmdg_leafof(a);
    size_t page = vmdg_pageof(a), last = vmdg_pageof((uintptr_t)base + n - 1);
    if (VMOS_UNLIKELY(l == NULL))
        return vmdg_seat_find(vm, p, base, n, local, s);
    s->at = &l->rule[page];
    s->rule = vmdg_ruleof(l, a);
    if (VMOS_UNLIKELY(s->rule & VMDG_GRANS) || !vmdg_seat_fits(s->rule, n) || VMOS_UNLIKELY(n > VMB_PAGE) ||
        VMOS_UNLIKELY(last < page) ||
        VMOS_UNLIKELY(!(__atomic_load_n(&l->used[last >> 6], __ATOMIC_RELAXED) >> (last & 63) & 1)))
        return vmdg_seat_find(vm, p, base, n, local, s);
    s->id = vmdg_seatof(s->rule, a);
    return VMOS_LIKELY(vmdg_what(vmdg_desc(s->id)) == 0) ? 0 : -1;
}
/* Take it, before anything is written into its descriptor: whoever saw the rule long ago may be about to take what is
 * another page's by now.  0; -1: it is taken, or the page has another rule by now. */
VMOS_INLINE int vmdg_seat_take(const vmdg_seat_t *s)
{
    uint64_t none = 0, *what = &vmdg_desc(s->id)->what;
    if (VMOS_UNLIKELY(!__atomic_compare_exchange_n(what, &none, VMDG_SEATED, 0, __ATOMIC_SEQ_CST, __ATOMIC_RELAXED)))
        return -1;
    if (VMOS_LIKELY(__atomic_load_n(s->at, __ATOMIC_SEQ_CST) == s->rule))
        return 0;
    __atomic_store_n(what, 0, __ATOMIC_RELEASE);
    return -1;
}
void vmdg_seat_renew(void); /* in the child of a fork */
/* The number of the next block that begins in [*from, end), 0: none; *from moves behind it. */
uint32_t vmdg_index_next(const char **from, const char *end);
/* Forget all blocks that begin in [from, end): memory that is given out anew. */
void vmdg_index_wipe(const char *from, const char *end);
/* Whether a block may lie at p: its page had one. */
int vmdg_index_maybe(const void *p);
/* The number at the last granule at or before p's that has one and is not below low; 0: none.
 * *at gets the granule's first address.  And the first one at or behind it, below high. */
uint32_t vmdg_index_before(const void *p, const void *low, const char **at);
uint32_t vmdg_index_after(const void *p, const void *high, const char **at);

/* ---- threads (thread.c) ---- */

#define VMDG_HAND 32
#define VMDG_SEEN 128
#define VMDG_PART 1024
typedef struct vmdg_self {
    uint32_t number;   /* plus 1; 0: not yet known */
    int inside;        /* reporting: no stacks, no checks */
    uint64_t op, last; /* numbers of operations taken in advance: op up to last */
    uint64_t check;    /* operation for the next piece of checking */
    uint64_t random;
    uint32_t skip; /* allocations up to the next one that is sampled */
    vmsk_again_t *again; /* stacks that the thread remembers; NULL: not yet */
    uint32_t walks;      /* while it is NULL */
    int looking;         /* using it */
    uint32_t seen[VMDG_SEEN]; /* blocks that checked functions came to, by parts of a KiB */
    int ended;           /* the thread is about to end */
    uint32_t nids, nwait; /* how many there are in: */
    uint32_t ids[VMDG_HAND];       /* unused descriptors at hand */
    vmdg_entry_t wait[VMDG_HAND];  /* freed blocks on their way to the shard's ring */
    int passing;                   /* hands are being emptied and filled */
    uint32_t gone, nout;           /* how many have left, of: */
    vmdg_entry_t out[VMDG_HAND];   /* blocks that came out of the ring, on their way to the lower method */
} vmdg_self_t;
extern __thread vmdg_self_t vmdg_self VMOS_HIDDEN;

VMOS_INLINE uint32_t vmdg_threadnumber(void)
{
    return VMOS_LIKELY(vmdg_self.number != 0) ? vmdg_self.number - 1 : vmdg_thisthread();
}
extern uint32_t vmdg_nthreads VMOS_HIDDEN;
extern uint64_t vmdg_lastop VMOS_HIDDEN; /* the largest number given out so far */
/* Number of this operation. */
uint64_t vmdg_op_more(void);
VMOS_INLINE uint64_t vmdg_op(void)
{
    vmdg_self_t *me = &vmdg_self;
    uint64_t op;
    if (VMOS_UNLIKELY(me->op != me->last))
        return ++me->op;
    if (VMOS_UNLIKELY(me->number == 0 || __atomic_load_n(&vmdg_nthreads, __ATOMIC_RELAXED) > 1))
        return vmdg_op_more();
    op = __atomic_load_n(&vmdg_lastop, __ATOMIC_RELAXED) + 1;
    __atomic_store_n(&vmdg_lastop, op, __ATOMIC_RELAXED);
    return me->op = me->last = op;
}
VMOS_INLINE uint64_t vmdg_now(void) { return __atomic_load_n(&vmdg_lastop, __ATOMIC_RELAXED); }
uint64_t vmdg_forkop(void); /* the last one before this process was forked off; 0: it was not */
VMOS_INLINE uint32_t vmdg_threads(void) /* how many there were */
{
    return __atomic_load_n(&vmdg_nthreads, __ATOMIC_RELAXED);
}
int vmdg_isstack(uintptr_t low, uintptr_t high); /* whether a thread's stack was seen there */
/* An address in its stack, 0: unknown; *self: that of its control block. */
uintptr_t vmdg_thread_stack(uint32_t thread, uintptr_t *self);
void vmdg_thread_ends(void);
void vmdg_thread_forked(void);

/* ---- stacks (place.c) ---- */

/* Number of the calling thread's stack, with the place of VMFL when one was noted. */
uint32_t vmdg_here(void);
/* The same for calls that come often; salt: a number for each kind of call. */
uint32_t vmdg_here_again(uint64_t salt);
void vmdg_here_leave(void); /* the thread ends */
/* A walk, for a stack that vmsk_known() did not know. */
uint32_t vmdg_here_walk(vmdg_self_t *me, const vmsk_here_t *here);
/* The stack by what the thread remembers; it has a memory, and is not looking there already. */
VMOS_INLINE uint32_t vmdg_here_recall(vmdg_self_t *me, uint64_t salt)
{
    vmsk_here_t here;
    uint32_t *known, stack;
    me->looking = 1;
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    known = vmsk_known(me->again, salt, &here);
    stack = VMOS_LIKELY(known != NULL) ? *known : vmdg_here_walk(me, &here);
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    me->looking = 0;
    return stack;
}
/* The same as vmdg_here_again() without a frame of its own. */
VMOS_INLINE uint32_t vmdg_here_quick(vmdg_self_t *me, uint64_t salt)
{
    if (VMOS_UNLIKELY(me->again == NULL) || VMOS_UNLIKELY(me->inside | me->looking) ||
        VMOS_UNLIKELY(vmdg_options.depth == 0) || VMOS_UNLIKELY(vmr_seeplace().file != NULL))
        return vmdg_here_again(salt);
    return vmdg_here_recall(me, salt);
}
uint32_t vmdg_here_of(const void *context);
uint32_t vmdg_here_jumped(const void *context); /* to where no code is */

/* ---- regions (regions.c) ---- */

extern uint32_t vmdg_nregions VMOS_HIDDEN;
VMOS_INLINE uint32_t vmdg_regions(void) /* how many there were */
{
    return __atomic_load_n(&vmdg_nregions, __ATOMIC_RELAXED);
}
uint32_t vmdg_region_open(Vmalloc_t *vm, uint64_t key); /* its number, 0 when there are too many */
#define VMDG_PERCHUNK 1024u
#define VMDG_REGIONS 65536u
typedef struct vmdg_record {
    Vmalloc_t *vm;
    uint64_t key;
    uint32_t open, opened, cleared, closed;
    int kept; /* an image: freed blocks are marked */
    int straight; /* its small blocks go straight on: straight.c */
    char name[32];
} vmdg_record_t;
extern vmdg_record_t *vmdg_records[VMDG_REGIONS / VMDG_PERCHUNK] VMOS_HIDDEN;

/* number: of a region that there is or was. */
VMOS_INLINE vmdg_record_t *vmdg_record(uint32_t number)
{
    return &vmdg_records[number / VMDG_PERCHUNK][number % VMDG_PERCHUNK];
}
/* What its fences are made from. */
VMOS_INLINE uint64_t vmdg_region_key(uint32_t region) { return vmdg_record(region)->key; }
void vmdg_regions_renew(void);
void vmdg_region_cleared(uint32_t region, uint32_t stack);
void vmdg_region_closed(uint32_t region, uint32_t stack);
/* NULL when it is closed. */
VMOS_INLINE Vmalloc_t *vmdg_region_vm(uint32_t region)
{
    const vmdg_record_t *r = vmdg_record(region);
    return __atomic_load_n(&r->open, __ATOMIC_ACQUIRE) ? r->vm : NULL;
}
/* Number of the region, open or the last one that was closed, with that handle; 0: none. */
uint32_t vmdg_region_find(const Vmalloc_t *vm);

/* ---- blocks (block.c) ---- */

void vmdg_fill(vmdg_block_t *b, uint32_t id);
/* Bytes of the lower method's block before the program's, for a lead of the descriptor. */
size_t vmdg_lead(const vmdg_desc_t *d);

/* ---- fences (fence.c) ---- */

#define VMDG_REAR 8 /* fewest bytes of fence behind a block */

/* Where the rear fence ends.  guard: where the inaccessible page is, VMDG_NOGUARD ... */
const char *vmdg_fence_end(const char *p, size_t size, int guard);
/* key: of the region. */
void vmdg_fence_lay(char *p, size_t size, uint64_t key, int guard);
/* First damaged byte of the fences, NULL: sound. */
const char *vmdg_fence_check(const char *p, size_t size, uint64_t key, int guard);
/* The size that the front fence of p tells, and whether p was freed; (size_t)-1: there is none. */
size_t vmdg_fence_size(const char *p, uint64_t key, int *freed);
/* Fill a new block, a freed one; the first byte that was changed in a freed one since, or NULL. */
void vmdg_fill_new(char *p, size_t size);
void vmdg_fill_freed(char *p, size_t size);
const char *vmdg_freed_check(const char *p, size_t size);

/* ---- quarantine (quarantine.c) ---- */

/* The block was freed: it goes back to the lower method when it is among the oldest.  local: its
 * region is locked by the caller. */
void vmdg_quarantine(uint32_t id, uint64_t op, int local);
/* The same for a small plain block. */
void vmdg_quarantine_small(vmdg_self_t *me, uint32_t id, uint32_t size, uint64_t op);
/* Give back what the region has there; how many blocks. */
size_t vmdg_quarantine_flush(uint32_t region, int local);
void vmdg_quarantine_leave(void); /* the thread ends */
/* Give the memory of a freed block back (or of one that nobody has). */
void vmdg_release(uint32_t id, int local);
uint64_t vmdg_quarantine_op(uint32_t id); /* operation that freed it, 0: unknown */

/* ---- checks (check.c) ---- */

/* Check a block by its state, and tell of damage once.  1 when it is damaged. */
int vmdg_verify(uint32_t id, vmdg_when_t when, const char *call);
/* The operation op came: go on with the check that runs along, now and then. */
void vmdg_check_some(uint64_t op);
VMOS_INLINE void vmdg_tick(uint64_t op)
{
    if (VMOS_UNLIKELY(op >= vmdg_self.check))
        vmdg_check_some(op);
}
/* All blocks of region (0: of all); number of damaged ones. */
int vmdg_check_all(uint32_t region, vmdg_when_t when);
/* The last operation at which the block was checked and found sound. */
uint64_t vmdg_checked(uint32_t id);
void vmdg_check_renew(void);

/* ---- blocks made and given back (make.c, give.c, remake.c) ---- */

/* What Vmdebug keeps in a region, behind the lower method's state. */
typedef struct vmdg {
    uint64_t key;    /* what fences are made from; stays with the region */
    uint32_t region; /* its number in this process */
    int single;      /* blocks are freed at once: Vmlast */
    uint16_t always; /* all blocks are guarded: which ones come here was decided before */
    uint16_t seats;  /* their descriptors have places of their own: seat.c */
    size_t pool;     /* size of all blocks: Vmpool; 0: not yet known */
} vmdg_t;

VMOS_INLINE vmdg_t *vmdg_of(Vmalloc_t *vm) { return vmmt_upper(vm); }

/* A block: align as vmalign() takes it, 0: none; zero: cleared. */
void *vmdg_make(Vmalloc_t *vm, size_t size, size_t align, int zero, vmdg_family_t family, int local);

/* From where stack and operation are known; and of a block of the lower method at base, whose lead is 16 bytes, and
 * which has its filling and fences. */
typedef struct vmdg_making {
    size_t size, align;
    int zero;
    vmdg_family_t family;
    uint32_t stack;
    uint64_t op;
} vmdg_making_t;
void *vmdg_make_known(Vmalloc_t *vm, const vmdg_making_t *g, int local);
void *vmdg_make_laid(Vmalloc_t *vm, char *base, const vmdg_making_t *g);

#define VMDG_NOSIZE ((size_t)-1)
typedef struct vmdg_giving { /* how a block is given back */
    const char *call;
    vmdg_family_t family;
    size_t size, align; /* as told; NOSIZE, 0: were not */
    vmdg_when_t when;
} vmdg_giving_t;
/* To region vm; NULL: to its own.  -1 after a report.  id: vmdg_live() of it. */
int vmdg_give_known(Vmalloc_t *vm, uint32_t id, void *p, const vmdg_giving_t *g, int local);
/* The same with the number of the operation. */
int vmdg_give_numbered(Vmalloc_t *vm, uint32_t id, void *p, const vmdg_giving_t *g, uint64_t op, int local);
int vmdg_give(Vmalloc_t *vm, void *p, const vmdg_giving_t *g, int local);
/* Small plain blocks of a region over Vmbest by the shortest way (straight.c), the region not locked by the caller.
 * NULL, -1: nothing was done, and the calls above have to; VMDG_TRIED: they would find no memory either, as errno says.
 * vm NULL: any; *result: as vmdg_give() returns; errno may change. */
#define VMDG_TRIED ((void *)(uintptr_t)1)
/* Whether it gave a block. */
VMOS_INLINE int vmdg_isblock(const void *p) { return VMOS_LIKELY((uintptr_t)p > (uintptr_t)VMDG_TRIED); }
void *vmdg_make_straight(Vmalloc_t *vm, const vmdg_t *dg, size_t size, int zero, vmdg_family_t family);
int vmdg_give_straight(const Vmalloc_t *vm, void *p, const vmdg_giving_t *g, int *result);
int vmdg_release_straight(uint32_t id);

/* move: to a new address in any case. */
void *vmdg_remake(Vmalloc_t *vm, void *p, size_t size, int type, int move, const vmdg_giving_t *g,
                  int local);
/* Whether a region of Vmpool may have blocks of size bytes; all others may.  0: told, and errno is EINVAL. */
int vmdg_fitspool(Vmalloc_t *vm, size_t size);
/* A block of the lower method in a region that was found again: entered if its fence says so. */
void vmdg_adopt(Vmalloc_t *vm, char *base, size_t size);
/* There are blocks in the index whose memory others may have by now. */
extern int vmdg_stale VMOS_HIDDEN;
/* An operation on a watched address, if p is one. */
void vmdg_alert(uint32_t id, const char *what);
/* vm was closed, or its memory is gone: tells of call.  -1. */
int vmdg_dead(const Vmalloc_t *vm, const void *addr, const char *call);

/* ---- guards (guard.c), faults (fault.c), failures (fail.c) ---- */

/* Whether a new block is to lie against an inaccessible page. */
int vmdg_guard_wanted(Vmalloc_t *vm, size_t align);
/* Whether a sample is due, after weight more allocations. */
int vmdg_sample_due(unsigned weight);
typedef struct vmdg_guarded { /* the lower method's block that it lies in */
    char *base;
    size_t size;
    int side;
} vmdg_guarded_t;
/* Where the block begins, NULL: fences must do. */
char *vmdg_guard_make(Vmalloc_t *vm, size_t size, size_t align, uint32_t stack, int local,
                      vmdg_guarded_t *g);
/* A block that was made and did not come into the books: all of it is accessible again. */
void vmdg_guard_undo(char *base, size_t size, int side);
/* Where the lower method's block begins. */
char *vmdg_guard_base(const char *p, int side);
/* All pages of the block become inaccessible, or accessible and cleared. */
void vmdg_guard_freed(Vmalloc_t *vm, const vmdg_desc_t *d, int side);
void vmdg_guard_lift(Vmalloc_t *vm, const vmdg_desc_t *d, int side);
void vmdg_guard_gone(int side); /* a block that had one is no more */
/* A large block without guard that is being freed: its whole pages lose access, the rest is filled.  -1 where
 * that is not to be. */
#define VMDG_HIDE ((size_t)128 << 10) /* bytes of the smallest such block */
#define VMDG_HUGE ((size_t)4 << 20)   /* of the smallest one that keeps no memory, either */
int vmdg_guard_hide(Vmalloc_t *vm, vmdg_desc_t *d);
/* The pages that such a block hides, [*from, *end). */
void vmdg_guard_hidden(const char *p, size_t size, char **from, char **end);
/* From now on faults are explained. */
void vmdg_fault_begin(void);
extern int vmdg_catching VMOS_HIDDEN; /* 1: they are; 0: nobody asked for it, -1: they cannot be */

/* This allocation is to fail. */
int vmdg_fail(void);
VMOS_INLINE int vmdg_fails(void)
{
    const vmdg_options_t *o = &vmdg_options;
    return VMOS_UNLIKELY((o->failnth | o->failevery | o->failpart | o->failsite) != 0) && vmdg_fail();
}
uint32_t vmdg_failed(void); /* stack of the last one that did, 0: none */

/* ---- watchpoints (watch.c) ---- */

/* Set those that the options ask for. */
void vmdg_watch_begin(void);
void vmdg_watch_forked(void);
extern int vmdg_watching VMOS_HIDDEN; /* new blocks are to be shown to: */
void vmdg_watch_made(uint32_t id, uint64_t op);

/* ---- ranges (access.c) ---- */

/* `call` is about to read or write n bytes at addr: told unless they are in a live block, or in none. */
void vmdg_access(const void *addr, size_t n, int write, const char *call);
/* Bytes from addr to the end of the live block around it, (size_t)-1: it is in none. */
size_t vmdg_room(const void *addr);
/* Told if the ranges overlap and are not the same. */
void vmdg_overlapping(const void *to, const void *from, size_t n, const char *call);
/* The fences of a live block are looked at now, for `call`: told if they are broken.  1: they are, and it was
 * told, now or before. */
int vmdg_check_block(uint32_t id, const char *call);
/* Whether all n bytes, 4 at least, are those that memory is filled with: VMDG_NEWBYTE, VMDG_FREEDBYTE or 0. */
VMOS_INLINE int vmdg_filling(const void *bytes, size_t n)
{
    uint32_t first, last;
    memcpy(&first, bytes, sizeof first);
    if (VMOS_LIKELY(first != 0x01010101u * VMDG_NEWBYTE && first != 0x01010101u * VMDG_FREEDBYTE))
        return 0;
    memcpy(&last, (const char *)bytes + n - sizeof last, sizeof last);
    return first == last ? (int)(first & 0xff) : 0;
}
/* `call` prints what such bytes make: the value of this number, from 1, of its format, or what it is for. */
#define VMDG_TEXT 0
#define VMDG_NUMBER ((size_t)-1)
void vmdg_printed(int filling, size_t value, const char *call);

/* ---- errors (error.c) ---- */

/* An error of kind about addr, with what is known of it filled in. */
void vmdg_error_init(vmdg_error_t *e, vmdg_kind_t kind, vmdg_when_t when, const void *addr);
/* vmdg_report(), with the thread marked as inside. */
void vmdg_tell(const vmdg_error_t *e);
/* Errors that were told in another way. */
void vmdg_count(uint64_t n);
/* Tell that call was given addr, which is no block of region. */
void vmdg_badaddr(uint32_t region, const void *addr, vmdg_when_t when, const char *call);
/* What an address is that is in no block: a text; object gets its name. */
const char *vmdg_whatis(const void *addr, char *object, size_t size);

#endif
