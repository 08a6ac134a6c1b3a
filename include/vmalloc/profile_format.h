/* SPDX-License-Identifier: MIT */
/*
 * What stands in a profile: the records of the file that Vmprofile writes and "vmalloc report"
 * reads.  doc/design/profile-format.md draws the file and says how to read one.
 *
 * All numbers are in the byte order of the machine that wrote them.  Records may become longer in
 * later versions: their length is in the section's head.  Members named zero are 0.
 */
#ifndef _VMALLOC_PROFILE_FORMAT_H
#define _VMALLOC_PROFILE_FORMAT_H 1

#include <stdint.h>

#define VMPF_MAGIC "VMPROFIL"     /* Vmpfhead_t.magic, without an end mark */
#define VMPF_ORDER 0x01020304u    /* Vmpfhead_t.order in the reader's byte order */
#define VMPF_VERSION 1u
#define VMPF_UNIT 4096u           /* sizes of the head and of sections are multiples of this */
#define VMPF_SECTION 0x53504d56u  /* "VMPS": Vmpfsection_t.magic */

/* State of the head and of a section. */
#define VMPF_OPEN 0u   /* being written: no checksum; what is there can be used */
#define VMPF_SEALED 1u /* complete, with a checksum */

/* Vmpfhead_t.mode */
#define VMPF_FULL 0u    /* every block counts, as 1 */
#define VMPF_SAMPLED 1u /* some blocks count, each for as many as it stands for */

/* Vmpfhead_t.why: what the profile was written at */
#define VMPF_RUNNING 0u  /* nothing: the program runs, or ended without notice */
#define VMPF_EXIT 1u     /* the end of the program */
#define VMPF_CALL 2u     /* a call of the program */
#define VMPF_SIGNAL 3u   /* the signal that asks for one */
#define VMPF_INTERVAL 4u /* time */

/* The first VMPF_UNIT bytes of the file. */
typedef struct _vmpfhead_s {
    char magic[8];
    uint32_t order, version;
    uint32_t size;         /* of this head: VMPF_UNIT */
    uint32_t word;         /* bytes of a pointer of the program */
    uint32_t state, check; /* CRC-32C of the head with check 0; once sealed */
    uint64_t pid, parent;
    uint64_t started;      /* nanoseconds since 1970: time 0 of the profile */
    uint64_t now;          /* nanoseconds since started: last time that something was noted */
    uint32_t mode, why;
    uint64_t period;       /* sampled: bytes from one sample to the next, on average */
    uint32_t depth, nearby; /* most entries of a stack, now; shortlived: freed before so many more */
    uint64_t live, blocks; /* live bytes and blocks now, as they were asked for; may lack the last
                              few operations */
    uint64_t peak;         /* the high-water mark: most live bytes */
    uint64_t peakblocks;   /* blocks then */
    uint64_t peaktime;     /* nanoseconds since started, to some ms */
    uint32_t mark;         /* number of the high-water mark: see Vmpfsite_t */
    uint32_t epoch;        /* forks since the profile began */
    uint64_t missed;       /* calls that came while they could not be recorded */
    uint64_t damaged;      /* freed blocks whose note at the end had been overwritten */
    uint64_t unplaced;     /* allocations counted for site 0 for want of memory for sites */
    uint64_t length;       /* sealed: bytes of the file */
    uint64_t exact;        /* sampled: allocations before that, which count as 1 each */
    uint64_t unused;       /* bytes never written are told: 1 of blocks that are gone, 2 of all */
    uint64_t zero[9];
    char command[1024];    /* arguments of the program, each ended by 0, then another 0 */
    char exe[1024];        /* path of the program */
} Vmpfhead_t;

/* What begins a section; its content follows.  Sections follow one another. */
typedef struct _vmpfsection_s {
    uint32_t magic;
    uint16_t type;         /* VMPF_MODULES, ... */
    uint16_t item;         /* bytes of a record; 0: they tell it themselves */
    uint64_t size;         /* of the section, this head included: a multiple of VMPF_UNIT */
    uint64_t used;         /* bytes of the content that are in use */
    uint32_t state, check; /* CRC-32C of this head with check 0, then of the used bytes */
    uint64_t zero[4];
} Vmpfsection_t;

#define VMPF_MODULES 1
#define VMPF_STACKS 2
#define VMPF_PLACES 3
#define VMPF_REGIONS 4
#define VMPF_SITES 5
#define VMPF_TIMES 6
#define VMPF_SEGMENTS 7

/* A program or library in memory.  `length` bytes in all: this, then the path, ended by 0. */
typedef struct _vmpfmodule_s {
    uint32_t length;       /* a multiple of 8 */
    uint32_t nid;          /* bytes of build-id, 0: it has none */
    uint64_t bias;         /* address in memory less address in the file's symbols */
    uint64_t low, high;    /* addresses of all of it, [low, high) */
    uint64_t text, etext;  /* addresses of its code */
    unsigned char id[32];
} Vmpfmodule_t;

/* A stack.  Followed by n addresses of 64 bits, innermost first.  Each less one lies in the
 * instruction that was being carried out. */
typedef struct _vmpfstack_s {
    uint32_t number;       /* never 0 */
    uint32_t n;
} Vmpfstack_t;

/* A place in the source that VMFL told of.  Followed by the names of the file and of the function,
 * each ended by 0; `length` bytes in all. */
typedef struct _vmpfplace_s {
    uint32_t length;       /* a multiple of 8 */
    uint32_t number;       /* never 0 */
    uint32_t line, zero;
} Vmpfplace_t;

/* A region; or all that were opened at one place and have been closed (VMPF_CLOSED). */
typedef struct _vmpfregion_s {
    uint32_t number;       /* never 0 */
    uint32_t flags;        /* VMPF_CLOSED, ... */
    uint32_t stack;        /* where it was opened, 0: unknown */
    uint32_t next;         /* for the writer */
    uint64_t handle;       /* address of the handle */
    uint64_t opened;       /* nanoseconds since started */
    uint64_t closed;       /* VMPF_CLOSED: the last one was closed */
    uint64_t times;        /* regions that this stands for */
    uint64_t extent, busy, free_, cached, segments; /* as vmstat() says, when it was written */
    uint64_t most;         /* largest extent so far */
    char method[16];       /* what cuts the blocks: "best" */
    char discipline[16];   /* "" unknown */
    char name[32];         /* vmname(), "" none; "malloc": that of malloc() */
    uint64_t live, peak;   /* live bytes now, and at most; 0 with VMPF_MALLOC: as in the head */
    uint64_t zero[10];
} Vmpfregion_t;
#define VMPF_CLOSED 1u
#define VMPF_MALLOC 2u /* blocks of malloc() */

/*
 * Blocks of one region, asked for by one stack at one place in one thread.  A block counts where it
 * was asked for, whoever frees it.
 *
 *   live blocks   calls - frees - rfrees       live bytes   bytes - freed - rfreed
 *
 *   at the high-water mark: own part less the other threads', where
 *     own part      mark == head.mark ? highcalls, highbytes : calls - frees, bytes - freed
 *     the others'   rmark == head.mark ? rhighcalls, rhighbytes : rfrees, rfreed
 */
#define VMPF_NSIZES 16
#define VMPF_NLIVES 14
typedef struct _vmpfsite_s {
    uint64_t calls, bytes;         /* blocks asked for, and their bytes as asked for */
    uint64_t frees, freed;         /* of these, freed by the same thread */
    uint64_t peak;                 /* most live bytes of this record */
    uint64_t highcalls, highbytes; /* own part at high-water mark number `mark` */
    uint32_t mark;
    uint32_t thread;               /* number of the thread in this profile */
    uint64_t slack;                /* bytes that the blocks had beyond what was asked for */
    uint64_t shortlived;           /* freed by the same thread before head.nearby more calls */
    uint64_t resizes;              /* of calls: those that resized a block */
    uint64_t growth;               /* bytes by which they made blocks larger */
    uint64_t copied;               /* bytes that were copied as they moved blocks */
    uint64_t samples, sfrees;      /* sampled: blocks looked at, and those freed since */
    uint32_t region, stack;        /* region 0: the record is not in use */
    uint32_t lock, rmark;          /* lock: for the writer */
    uint64_t rfrees, rfreed;       /* freed by other threads, or dropped with the region */
    uint64_t rshort;               /* of these, shortlived */
    uint64_t rhighcalls, rhighbytes;
    uint64_t rsfrees;
    uint64_t unused;               /* head.unused: bytes at the ends of blocks, never written */
    uint32_t sizes[VMPF_NSIZES];   /* blocks of up to 16, 32, ... 256 Ki, and of more bytes */
    uint32_t lives[VMPF_NLIVES];   /* calls of the thread from allocation to freeing: none, less
                                      than 4, 16, ... 16 Mi, and more */
    uint32_t place, next;          /* next: for the writer */
    uint32_t rlives[VMPF_NLIVES];  /* of rfrees */
    uint64_t key;                  /* for the writer */
} Vmpfsite_t;

/* The heap at a time. */
typedef struct _vmpftime_s {
    uint64_t time;         /* nanoseconds since started */
    uint64_t live, blocks; /* live bytes and blocks */
    uint64_t most;         /* most live bytes since the record before */
    uint64_t resident;     /* resident bytes of the whole process */
} Vmpftime_t;

/* A segment of a region.  Followed by ncells bytes: cell i tells of the bytes from
 * addr + i * extent / ncells on how many of 255 are in blocks. */
typedef struct _vmpfsegment_s {
    uint32_t length;       /* with the cells: a multiple of 8 */
    uint32_t region;       /* number of its record, 0: of a region without a profile */
    uint32_t ncells, zero;
    uint64_t addr, extent;
    uint64_t busy;         /* bytes in blocks */
    char name[32];         /* vmname() of the region */
} Vmpfsegment_t;

#endif
