/* SPDX-License-Identifier: MIT */
/*
 * leaks: the scan for blocks that nobody can free any more, between its files.
 *
 *   leaks.c         collects the live blocks, marks, counts
 *   leaks_roots.c   what the marking begins with: registers, stacks, static data, other memory
 *   leaks_tell.c    groups by the site of allocation, and the report
 */
#ifndef VM_DEBUG_LEAKS_H
#define VM_DEBUG_LEAKS_H 1

#include "report.h"

typedef enum vmdg_reach {
    VMDG_LOST,      /* no pointer leads to it */
    VMDG_INDIRECT,  /* only lost blocks lead to it */
    VMDG_POSSIBLY,  /* only pointers into the middle of it, or of a block on the way */
    VMDG_REACHABLE
} vmdg_reach_t;

/* A live block.  In order of addresses. */
typedef struct vmdg_found {
    uintptr_t addr;
    size_t size;
    uint32_t id, alloc, region;
    uint32_t leader; /* LOST, INDIRECT: the lost block that leads to it */
    uint32_t next;   /* on the list of those to be looked into; plus 1 */
    uint8_t reach, family, waits;
    uint8_t own; /* to be told of: of this process, not of the one that it was forked from */
} vmdg_found_t;

typedef struct vmdg_scan {
    vmdg_found_t *block;
    size_t n, mapped;
    uintptr_t low, high; /* all of them lie in it */
    uint32_t todo;       /* list of those to be looked into; plus 1 */
    int careful;         /* memory may go away meanwhile */
    size_t unanswered;   /* threads that could not be stopped */
    uintptr_t sp;        /* the calling thread's stack is in use from here on */
} vmdg_scan_t;

/* A word of memory was seen from what is reached as `reach`. */
void vmdg_leaks_word(vmdg_scan_t *s, uintptr_t word, vmdg_reach_t reach);
/* All words of [from, end), where not all may be there. */
void vmdg_leaks_words(vmdg_scan_t *s, const char *from, const char *end, vmdg_reach_t reach);
/* Whether the system tells what memory there is: else all blocks would count as lost.  0 with errno
 * ENOTSUP; EAGAIN: not now. */
int vmdg_leaks_known(void);
/* All roots; other threads stand still. */
void vmdg_leaks_roots(vmdg_scan_t *s, const vmos_stopped_t *threads, size_t n);
/* Tell of the blocks of region (0: all).  How many are lost. */
size_t vmdg_leaks_tell(const vmdg_scan_t *s, uint32_t region, vmdg_when_t when);
/* The scan as a whole, from a function whose frame begins at sp.  -1: it could not be made. */
long vmdg_leaks(uint32_t region, vmdg_when_t when, uintptr_t sp);
void vmdg_leaks_atend(void);
/* Where the stack of who called exit() or returned from main() begins, not below sp. */
uintptr_t vmdg_leaks_stackend(uintptr_t sp);

#endif
