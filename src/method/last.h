/* SPDX-License-Identifier: MIT */
/*
 * last: what the files of Vmlast share.  See doc/design/last.md for the why.
 *
 * Every segment is one part:
 *
 *   seg->base    base                         fill              lim                seg->end
 *   | part header | blocks, one behind another | free            | map ............ |
 *
 * The map has a pair of 64-bit words for each KiB of addresses, that is 64 granules of 16 bytes.
 * A bit of the first word is 1 where a block or a hole starts, the bit of the second word is 1
 * as well where it is a hole: what an alignment skipped, or an earlier block that moved away.
 *
 * Parts are idle (nothing in them), or were activated: those form a chain, newest first.  Blocks
 * are cut from one part, the current one, whose fill is the cursor st->next.
 *
 * Invariants
 *   1. Map bits of addresses in [base, fill) are exact; those in [fill, st->end) of the current
 *      part are 0, those behind are anything.  So neither clearing nor releasing wipes maps.
 *   2. The bytes of a block between the size asked for and the next granule are 0 as long as the
 *      program does not write there.
 *   3. st->last is NULL, or the block that ends at st->next.
 *   4. Who does not own the cursor (private.h) holds the region's lock, and vmm_hold() has kept the
 *      owner out, before he looks at anything here.
 */
#ifndef VM_LAST_H
#define VM_LAST_H 1

#include "private.h"

#include <errno.h>
#include <string.h>

#define VMLA_STEP 32768u /* how far the map is wiped ahead of the cursor */
#define VMLA_KIB 10      /* log2 of the bytes that a pair of map words stands for */

typedef struct vmla_part {
    struct vmla_part *below; /* activated before this one; in the list of idle parts: the next */
    Vmseg_t *seg;
    char *base, *lim;
    char *fill; /* of the current part: st->next */
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
    uintptr_t map;           /* address that the pair for address 0 would have */
    size_t nbusy;            /* blocks */
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
} vmla_t;

VMOS_INLINE size_t vmla_round(size_t size) /* 0: overflow */
{
    return (size + !size + (VM_ALIGN - 1)) & ~(size_t)(VM_ALIGN - 1);
}

/* ---- the map (last_map.c where it is not inline) ---- */

VMOS_INLINE uint64_t *vmla_pair(uintptr_t map, const char *p)
{
    return (uint64_t *)(map + ((uintptr_t)p >> VMLA_KIB) * 16);
}
VMOS_INLINE uint64_t vmla_bit(const char *p) { return (uint64_t)1 << ((uintptr_t)p >> 4 & 63); }
VMOS_INLINE uintptr_t vmla_mapof(const vmla_part_t *part)
{
    return (uintptr_t)part->lim - ((uintptr_t)part->base >> VMLA_KIB) * 16;
}
/* Whether a block (not a hole) starts at p, which lies in [part->base, fill). */
int vmla_isblock(const vmla_part_t *part, const char *p);
int vmla_ishole(const vmla_part_t *part, const char *p);
/* Where the block or hole at p ends. */
char *vmla_endof(const vmla_part_t *part, const char *p, const char *fill);
/* Where the block or hole that p lies in starts. */
char *vmla_startof(const vmla_part_t *part, const char *p);
/* Make the bits in [p, end of its KiB) 0. */
void vmla_wipe(const vmla_part_t *part, const char *p);

/* ---- parts (last_part.c) ---- */

/* The part of a new segment, idle. */
vmla_part_t *vmla_newpart(vmla_t *st, Vmseg_t *seg);
/* The active part that holds p in [base, fill), NULL: none. */
vmla_part_t *vmla_partof(Vmalloc_t *vm, const char *p);
VMOS_INLINE char *vmla_fill(const vmla_t *st, const vmla_part_t *part)
{
    return part == st->cur ? st->next : part->fill;
}
/* Let the part be the current one, with its cursor at fill. */
void vmla_setcur(vmla_t *st, vmla_part_t *part, char *fill);
/* All blocks and marks go.  first: the part to begin with, NULL: the largest. */
void vmla_reset(Vmalloc_t *vm, vmla_part_t *first);
/* The active parts that came after top become idle. */
void vmla_droptop(vmla_t *st, vmla_part_t *top);
/* Have n bytes at a multiple of align (one of VM_ALIGN) behind the cursor, in the current part or
 * another.  0, or -1 (ENOMEM).  The lock may be free for a while. */
int vmla_room(Vmalloc_t *vm, size_t n, size_t align);
/* Let the last block have n bytes where it is, growing its segment if need be.  0 or -1. */
int vmla_roomlast(Vmalloc_t *vm, size_t n);
int vmla_compact(Vmalloc_t *vm);

/* ---- the region's lock and its owner ---- */

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

/* Cut a block if that needs no more than moving the cursor, else NULL. */
VMOS_INLINE void *vmla_bump(vmla_t *st, size_t size)
{
    size_t n = vmla_round(size);
    char *p = st->next, *q = p + n;

    if (VMOS_UNLIKELY(n - 1 >= (size_t)(st->end - p)))
        return NULL;
    *vmla_pair(st->map, p) |= vmla_bit(p);
    st->next = q;
    st->last = p;
    st->nbusy++;
    memset(q - VM_ALIGN, 0, VM_ALIGN);
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
/* Vmlast's checkf. */
int vmla_check(Vmalloc_t *vm);

#endif
