/* SPDX-License-Identifier: MIT */
/*
 * last: what the files of Vmlast share.  See doc/design/last.md for the why.
 *
 * Every segment is one part:
 *
 *   seg->base    base                         fill              lim                seg->end
 *   | part header | blocks, one behind another | free            | map ............ |
 *
 * The map has a byte for each granule of 16 bytes: 0, or what starts there.
 *
 *   START | s   a block; s: its size as asked for, modulo 16
 *   HOLE        nothing: what an alignment skipped, or an earlier block that moved away
 *   ... | BIG   it is so large that the bytes behind are not kept 0; they hold a vmla_big_t
 *
 * Parts are idle (nothing in them), or were activated: those form a chain, newest first.  Blocks
 * are cut from one part, the current one, whose fill is the cursor st->next.
 *
 * Invariants
 *   1. Map bytes of [base, fill) are exact, but for those inside of what is BIG; those of
 *      [fill, st->end) of the current part are 0, those behind are anything.  So neither clearing
 *      nor releasing wipes maps.
 *   2. part->big leads to all that is BIG in [base, fill), highest first.
 *   3. st->last is NULL, or the block that ends at st->next.
 *   4. Who does not own the cursor (private.h) holds the region's lock, and vmla_hold() has kept the
 *      owner out, before he looks at anything here.
 *   5. own.busy is 0 whenever the cursor is moved by anything but vmla_bump().
 */
#ifndef VM_LAST_H
#define VM_LAST_H 1

#include "private.h"

#include <errno.h>
#include <string.h>

#define VMLA_STEP 32768u /* how far the map is wiped ahead of the cursor at most */
#define VMLA_BIG 32768u  /* rounded size from which on a new block is BIG */

enum { VMLA_STARTS = 0x10, VMLA_ISHOLE = 0x20, VMLA_ISBIG = 0x40 };

typedef struct vmla_big {
    size_t n;   /* rounded size */
    char *prev; /* the next lower one in the part, NULL: none */
} vmla_big_t;

typedef struct vmla_part {
    struct vmla_part *below; /* activated before this one; in the list of idle parts: the next */
    Vmseg_t *seg;
    char *base, *lim;
    char *fill; /* of the current part: st->next */
    char *big;
    size_t seq; /* number of its activation, 0: idle */
} vmla_part_t;

/* A mark is a block of the region: what everything was just after it was made. */
typedef struct vmla_mark {
    struct vmla_mark *prev;
    vmla_part_t *part;  /* where the mark lies */
    vmla_part_t *top;   /* head of the chain */
    size_t seq;         /* its number */
    vmla_part_t *again; /* part that was active, not current, and taken up again since; or NULL */
    char *againfill;    /* what its fill was */
    size_t nbusy, used, nhole, hole;
} vmla_mark_t;

typedef struct vmla {
    char *next, *end, *last; /* cursor; end of what may be cut without looking; last block */
    uintptr_t map;           /* address that the byte for address 0 would have */
    size_t nbusy;            /* blocks */
    size_t most;             /* bytes of the largest block since there was none */
    vmm_own_t own;           /* of the cursor */
    size_t may;              /* a thread may own it */
    vmla_mark_t *mark;       /* newest mark */
    vmla_part_t *cur, *top;  /* current part, head of the chain */
    vmla_part_t *spare;      /* active part to go back to for blocks that fit, or NULL */
    vmla_part_t *idle;
    size_t used;             /* bytes in blocks and holes, those of the current part excepted */
    size_t nhole, hole;      /* holes and their bytes */
    size_t cap;              /* bytes in [base, lim) of all parts */
    size_t seq;
    vmr_log_t *log;          /* of a region that processes share, else NULL */
} vmla_t;

/* [p, p+n) is about to change: of what is not vmla_t itself, which vmla_enter() notes. */
VMOS_INLINE void vmla_log(const vmla_t *st, const void *p, size_t n)
{
    if (VMOS_UNLIKELY(st->log != NULL))
        vmr_lognote(st->log, p, n);
}

/* Who leaves a call by longjmp() leaves the stores before it made, and those behind it not made: what
 * vmla_torn() relies on. */
#define VMLA_ORDER() __atomic_signal_fence(__ATOMIC_SEQ_CST)

VMOS_INLINE size_t vmla_round(size_t size) /* 0: size is 0, or overflow */
{
    return (size + (VM_ALIGN - 1)) & ~(size_t)(VM_ALIGN - 1);
}

/* ---- the map (last_map.c where it is not inline) ---- */

VMOS_INLINE unsigned char *vmla_code(uintptr_t map, const char *p)
{
    return (unsigned char *)(map + ((uintptr_t)p >> 4));
}
VMOS_INLINE uintptr_t vmla_mapof(const vmla_part_t *part)
{
    return (uintptr_t)part->lim - ((uintptr_t)part->base >> 4);
}
VMOS_INLINE vmla_big_t *vmla_bigof(uintptr_t map, const char *p)
{
    return (vmla_big_t *)VMB_UP(vmla_code(map, p) + 1, sizeof(void *));
}
/* Whether a block (not a hole) starts at p, which lies in [part->base, fill). */
int vmla_isblock(const vmla_part_t *part, const char *p);
/* The same for p where a block or a hole is known to start. */
VMOS_INLINE int vmla_ishole(const vmla_part_t *part, const char *p)
{
    return (*vmla_code(vmla_mapof(part), p) & VMLA_ISHOLE) != 0;
}
/* Where the block or hole at p ends. */
char *vmla_endof(const vmla_part_t *part, const char *p, const char *fill);
/* Where the block or hole that p lies in starts. */
char *vmla_startof(const vmla_part_t *part, const char *p);
/* Size asked for of the block at p that has n bytes. */
VMOS_INLINE size_t vmla_asked(uintptr_t map, const char *p, size_t n)
{
    size_t s = *vmla_code(map, p) & (VM_ALIGN - 1);

    return s != 0 ? n - VM_ALIGN + s : n;
}

/* ---- parts (last_part.c) ---- */

/* The part of a new segment, idle. */
vmla_part_t *vmla_newpart(vmla_t *st, Vmseg_t *seg);
/* The active part that holds p in [base, fill), NULL: none. */
vmla_part_t *vmla_partof(Vmalloc_t *vm, const char *p);
VMOS_INLINE char *vmla_fill(const vmla_t *st, const vmla_part_t *part)
{
    return part == st->cur ? st->next : part->fill;
}
/* Give a part the map that its segment's new size asks for.  from: n bytes of it. */
void vmla_relimit(vmla_t *st, vmla_part_t *part, const char *from, size_t n);
/* Let the part, which is not the current one, end at fill. */
void vmla_setfill(const vmla_t *st, vmla_part_t *part, char *fill);
/* Let the part be the current one, with its cursor at fill. */
void vmla_setcur(vmla_t *st, vmla_part_t *part, char *fill);
/* All blocks and marks go.  first: the part to begin with, NULL: the largest. */
void vmla_reset(Vmalloc_t *vm, vmla_part_t *first);
/* The active parts that came after top become idle. */
void vmla_droptop(vmla_t *st, vmla_part_t *top);
/* Have n bytes at a multiple of align (one of VM_ALIGN) behind the cursor, in the current part or
 * another.  0, or -1 (ENOMEM).  The lock may be free for a while. */
int vmla_room(Vmalloc_t *vm, size_t n, size_t align);
/* The same for n bytes in place of the last block, which stays as it is; the lock is kept. */
int vmla_roomlast(Vmalloc_t *vm, size_t n);
int vmla_compact(Vmalloc_t *vm);

/* ---- the end of the current part (last_cut.c) ---- */

/* Cut a block of size bytes at the cursor, where there is room for it. */
void *vmla_cut(vmla_t *st, size_t size);
/* Let the last block have size bytes, for which there is room. */
void vmla_setlast(vmla_t *st, size_t size);
/* The block or hole at p, the end of the current part, goes. */
void vmla_uncut(vmla_t *st, char *p);

/* ---- the region's lock and its owner ---- */

/* Whether the owner is at work.  He who cuts a block says by own.busy where, which is where the cursor is
 * until he is done: the store that moves it ends the work, too.  What else he does ends with busy 0. */
VMOS_INLINE int vmla_inside(const vmla_t *st)
{
    uintptr_t busy = __atomic_load_n(&st->own.busy, __ATOMIC_ACQUIRE);

    return busy == 1 || (busy != 0 && busy == (uintptr_t)__atomic_load_n(&st->next, __ATOMIC_ACQUIRE));
}
/* Whether the calling thread, self, owns the cursor; then it is inside until it has moved it, or
 * vmm_done(). */
VMOS_INLINE int vmla_mine(vmla_t *st, uintptr_t self)
{
    if (VMOS_UNLIKELY(vmm_owner(&st->own) != self))
        return 0;
    __atomic_store_n(&st->own.busy, (uintptr_t)st->next, __ATOMIC_RELAXED);
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    if (VMOS_LIKELY(__atomic_load_n(&st->own.owner, __ATOMIC_ACQUIRE) == self))
        return 1;
    vmm_done(&st->own);
    return 0;
}
/* vmm_hold(), vmm_left() and vmm_wait(), as that is said here. */
uintptr_t vmla_hold(vmla_t *st);
int vmla_left(vmla_t *st);
VMOS_INLINE void vmla_wait(const vmla_t *st)
{
    while (vmla_inside(st))
        vmos_yield();
}
/* With the region locked, for a call that moves the cursor: with two such threads there is no
 * owner. */
void vmla_takeover(vmla_t *st);
/* Lock the region (unless local) for a call that moves the cursor, and leave it. */
vmla_t *vmla_enter(Vmalloc_t *vm, int local);
VMOS_INLINE void vmla_leave(Vmalloc_t *vm, int local)
{
    if (!local)
        vmr_unlock(vm);
}

/* ---- blocks (last.c) ---- */

/* A block of n bytes was made. */
VMOS_INLINE void vmla_note(vmla_t *st, size_t n)
{
    if (VMOS_UNLIKELY(n > st->most))
        st->most = n;
}

/* Cut a block if that needs no more than moving the cursor, else NULL. */
VMOS_INLINE void *vmla_bump(vmla_t *st, size_t size)
{
    size_t n = vmla_round(size);
    char *p = st->next;

    if (VMOS_UNLIKELY(n - 1 >= (size_t)(st->end - p)))
        return NULL;
    st->nbusy++; /* in this order for those who leave by longjmp() */
    vmla_note(st, n);
    st->last = p;
    *vmla_code(st->map, p) = (unsigned char)(VMLA_STARTS | (size & (VM_ALIGN - 1)));
    __atomic_store_n(&st->next, p + n, __ATOMIC_RELEASE); /* last: vmla_inside() */
    if (p == NULL)
        __builtin_unreachable(); /* saves the caller a second look */
    return p;
}
/* Whether p, in part, was there before the mark was made. */
VMOS_INLINE int vmla_before(const vmla_mark_t *m, const vmla_part_t *part, const char *p)
{
    if (part == m->part)
        return p < (const char *)m;
    return part == m->again ? p < m->againfill : part->seq <= m->seq;
}
/* A block of size bytes, with the region entered.  NULL (ENOMEM): none. */
void *vmla_alloc(Vmalloc_t *vm, size_t size);
/* What is told of blocks (last_ask.c). */
long vmla_addr(Vmalloc_t *vm, Void_t *p, int local);
long vmla_size(Vmalloc_t *vm, Void_t *p, int local);
int vmla_stat(Vmalloc_t *vm, Vmstat_t *out);
int vmla_walk(Vmalloc_t *vm, Vmblock_f f, Void_t *handle);
/* All addresses that the region keeps become those of now (last_move.c): 1. */
int vmla_move(Vmalloc_t *vm, Vmmove_t *m);
/* vmdbcheck() (last_check.c). */
int vmla_check(Vmalloc_t *vm);
/* After a fork, and after a call was left by longjmp(), with the region locked. */
void vmla_forked(Vmalloc_t *vm);
void vmla_torn(Vmalloc_t *vm);

#endif
