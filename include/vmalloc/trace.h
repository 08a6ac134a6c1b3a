/* SPDX-License-Identifier: MIT */
/*
 * Traces: a record of each call that made, moved or freed a block, for `vmalloc replay` and others.
 *
 * Which regions: those with VM_TRACE (vmopen(), vmset()), or all.  Where to: a descriptor, in lines
 * of text, by vmtrace() of <vmalloc.h>; or a file by vmtracefile(), in lines or in the binary form
 * whose bytes are below.  The malloc interface calls the latter for VMTRACE=file and the option
 * trace=file.  Only calls that succeed are in a trace, and none that the library makes itself.
 *
 * Lines, all numbers but SIZE and ALIGN in hexadecimal, 0 for what there is none of:
 *
 *   OLD:NEW:SIZE:ALIGN:REGION:METHOD:[file=F,line=N[,func=X]:]
 *
 *   allocation  OLD 0, SIZE as asked for, ALIGN not 0 for vmalign() only
 *   free        NEW 0, SIZE the block's, as vmsize() tells it
 *   resizing    OLD and NEW, SIZE as asked for
 *   vmcompact() all 0 but REGION
 *   METHOD      b best, l last, p pool, s profile, d debug, x another; u: a line of vmtrbusy()
 */
#ifndef _VMALLOC_TRACE_H
#define _VMALLOC_TRACE_H 1

#include <vmalloc.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Begin a trace into a file, which is made anew; %p in its path stands for the process number.  A
 * child of fork(), and whoever finds that another process traces into that file, takes the path
 * with the child's number in place of %p, or with ".NUMBER" behind it where it has no %p.  Ends the
 * trace that was on.  path NULL: only that.  flags: those below, or-ed.  0; -1 with the errno of
 * open(), ENAMETOOLONG, or ENOTSUP where the system cannot map files.  For one thread at a time. */
#define VM_TRBINARY 1 /* the binary form: a fifth of the bytes, a tenth of the time */
#define VM_TRALL 2    /* every region, those opened later too */
extern VM_API int vmtracefile(const char *path, int flags);

/*
 * The binary form, in the byte order and word size of the program.  doc/design/trace.md has more.
 *
 *   chunk 0: Vmtrhead_t, zeros | chunk 1: Vmtrchunk_t, records, zeros | chunk 2 ...
 *
 * A record: a byte VM_TR... | VM_TRREGION when it is of another region than the one before, then
 * numbers of 7 bits a byte, lowest first, the top bit set in all but the last.  Differences (D) are
 * to the record before in the chunk, at first to the chunk's header or 0; those of addresses (Z)
 * are signed: n < 0 is stored as -2n-1, else 2n.  All addresses of a chunk are one sequence.
 *
 *   byte | D sequence | D time in ns | [VM_TRREGION: Z region, byte method] | by kind:
 *      VM_TRALLOC     Z new, size                 VM_TRALIGN   Z new, size, align
 *      VM_TRFREE      Z old, size                 VM_TRRESIZE  Z old, Z new, size, moved
 *      VM_TRBUSY      Z new, size                 VM_TRTHREAD  number of the thread from here on
 *      VM_TROPEN, VM_TRCLEAR, VM_TRCLOSE, VM_TRCOMPACT         nothing
 *
 * The sequence orders the records of all chunks.  A block is free from the sequence number of its
 * VM_TRFREE or VM_TRRESIZE on; a VM_TRRESIZE that moved has its new block since sequence + moved.
 */
#define VM_TRALLOC 1
#define VM_TRALIGN 2
#define VM_TRFREE 3
#define VM_TRRESIZE 4
#define VM_TRCOMPACT 5
#define VM_TRBUSY 6
#define VM_TROPEN 7
#define VM_TRCLEAR 8
#define VM_TRCLOSE 9
#define VM_TRTHREAD 10
#define VM_TRREGION 0x10
#define VM_TRKIND 0x0f
#define VM_TRRECORD 96 /* no record is longer */

#define VM_TRCHUNK 65536 /* bytes of a chunk */
#define VM_TRVERSION 1
#define VM_TRORDER 0x01020304
/* As in PNG: shows text that was converted, and a 7-bit channel. */
#define VM_TRMAGIC "\211VMT\r\n\032\n"
#define VM_TRCHUNKMAGIC 0x4b434d56u

typedef struct _vmtrhead_s {
    char magic[8];         /* VM_TRMAGIC */
    unsigned int version;  /* VM_TRVERSION */
    unsigned int order;    /* VM_TRORDER */
    unsigned int word;     /* sizeof(void *) */
    unsigned int chunk;    /* VM_TRCHUNK */
    uint64_t pid;
    uint64_t chunks; /* behind this one that were begun */
    uint64_t lost;   /* records for which there was no room */
    unsigned int ended;        /* 1: the program came to its end, or ended the trace */
    unsigned int threads;      /* numbers given to threads, from 1 on */
} Vmtrhead_t;

typedef struct _vmtrchunk_s {
    unsigned int magic;      /* VM_TRCHUNKMAGIC */
    unsigned int thread;     /* whose records these are, until VM_TRTHREAD */
    unsigned int used;       /* bytes of records; written after them */
    unsigned int unused;     /* 0 */
    uint64_t seq;  /* what the first sequence number is told from */
    uint64_t time; /* nanoseconds since the trace began, the same */
} Vmtrchunk_t;

#ifdef __cplusplus
}
#endif
#endif
