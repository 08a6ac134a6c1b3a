/* SPDX-License-Identifier: MIT */
/*
 * debug: Vmdebug, the method that finds errors in the use of blocks, over any other method.
 *
 *   block of the lower method   | lead: fence | size bytes asked for | fence, to the end |
 *                                             p, what the program gets
 *
 *   granules (index.c)    p / 32 --> number of a descriptor; the only way from an address to a block
 *   descriptors (desc.c)  32 bytes each, in mappings of their own: nothing in the region is trusted
 *   quarantine            freed blocks stay unreleased, in order of age, filled with a pattern
 *
 * Every address is looked up before anything is read at it.  Who finds an error fills a
 * vmdg_error_t and calls vmdg_report(); no lock of ours is held meanwhile.
 */
#ifndef VM_DEBUG_H
#define VM_DEBUG_H 1

#include "region.h"
#include "stack.h"
#include <vmalloc/debug.h>

/* ---- what is known of a block ---- */

/* Whose block it is by the call that made it; those of one kind, see give.c, belong together. */
typedef enum vmdg_family {
    VMDG_VM,        /* vmalloc() and its like, on a region */
    VMDG_MALLOC,    /* malloc, calloc, realloc, strdup */
    VMDG_MEMALIGN,  /* memalign, and the next four: with an alignment, freed by free */
    VMDG_ALIGNED,   /* aligned_alloc */
    VMDG_POSIX,     /* posix_memalign */
    VMDG_VALLOC,    /* valloc */
    VMDG_PVALLOC,   /* pvalloc */
    VMDG_NEW,       /* operator new */
    VMDG_NEWALIGN,  /* operator new with an alignment */
    VMDG_ARRAY,     /* operator new[] */
    VMDG_ARRAYALIGN /* operator new[] with an alignment */
} vmdg_family_t;

typedef enum vmdg_state {
    VMDG_NONE,    /* no block */
    VMDG_LIVE,
    VMDG_FREED,   /* in quarantine: its memory is not in use again */
    VMDG_CLEARED, /* went with all others in vmclear() */
    VMDG_CLOSED   /* went with its region in vmclose(); vm is only a number then */
} vmdg_state_t;

/* A copy of what the books say of a block.  Stacks are numbers for vmdg_stack(), threads for
 * vmdg_thread(); operations are counted over the whole process, from 1. */
typedef struct vmdg_block {
    char *addr;             /* as the program knows it; NULL: no block */
    size_t size;            /* as asked for */
    Vmalloc_t *vm;          /* its region */
    uint32_t region;        /* number of the region, for vmdg_region() */
    uint32_t id;            /* number of the descriptor */
    vmdg_state_t state;
    vmdg_family_t family;
    int guarded;            /* 1: an inaccessible page is behind it, 2: before it, 0: none; 3: it is in itself */
    uint32_t alloc, freed;  /* stacks; 0: unknown */
    uint32_t allocthread, freethread;
    uint64_t allocop, freeop; /* freeop 0: unknown */
} vmdg_block_t;

/* The block at exactly addr, whatever its state; 0, or -1 when there is none. */
int vmdg_at(const void *addr, vmdg_block_t *b);
/* The block that contains addr, fences included; live ones go before others.  0 or -1. */
int vmdg_around(const void *addr, vmdg_block_t *b);
/* The block whose bytes are nearest to addr within `reach` bytes, of any state. */
int vmdg_nearest(const void *addr, size_t reach, vmdg_block_t *b);
/* f for every block that is not VMDG_NONE, in no order, until f returns non-zero, which is
 * returned; freeop is not filled in.  Blocks come and go meanwhile unless all threads are stopped; takes no lock. */
int vmdg_each(int (*f)(const vmdg_block_t *b, void *arg), void *arg);
/* How many descriptor numbers are in use or were: ids are less than this. */
uint32_t vmdg_ids(void);
/* The block with that descriptor number.  0, or -1 when it is none. */
int vmdg_byid(uint32_t id, vmdg_block_t *b);

/* The fences: VMDG_FRONT bytes before addr, and from addr + size to vmdg_end().  The byte that
 * belongs at address a of a fence of the block (anything for an a that is in none). */
#define VMDG_FRONT 16
unsigned char vmdg_fencebyte(const vmdg_block_t *b, const void *a);
const char *vmdg_end(const vmdg_block_t *b);
/* What new and freed memory is filled with. */
#define VMDG_NEWBYTE 0xb5
#define VMDG_FREEDBYTE 0xd9

/* Copy n bytes from addr, which may be inaccessible: how many could be read. */
size_t vmdg_peek(const void *addr, void *to, size_t n);

/* ---- stacks, threads, regions ---- */

/* The place that VMFL noted, when file is not NULL, and the stack: entries as vmsk_lookup() gives. */
typedef struct vmdg_place {
    const char *file;
    int line;
} vmdg_place_t;
void *const *vmdg_stack(uint32_t stack, size_t *n, vmdg_place_t *place);

/* A thread that used the library: 0 the first one.  name "" when it has none. */
typedef struct vmdg_thread {
    long tid; /* as the system numbers it */
    char name[16];
} vmdg_thread_t;
void vmdg_thread(uint32_t thread, vmdg_thread_t *t);
uint32_t vmdg_thisthread(void);

typedef struct vmdg_region {
    Vmalloc_t *vm;  /* only a number when open is 0 */
    char name[32];  /* vmname() when last asked, "malloc" for that of malloc */
    int open;
    uint32_t opened, cleared, closed; /* stacks of the calls; cleared: the last; 0: unknown */
} vmdg_region_t;
/* 0, or -1 when there is no such number. */
int vmdg_region(uint32_t region, vmdg_region_t *r);

/* ---- errors ---- */

typedef enum vmdg_kind {
    VMDG_PAST,         /* access behind the end of a block */
    VMDG_BEFORE,       /* access before the start */
    VMDG_AFTERFREE,    /* access to a freed block */
    VMDG_WILD,         /* access to memory that is not there, and no block near */
    VMDG_NULLUSED,     /* NULL that fail= gave was used as memory */
    VMDG_UNINIT,       /* a value that was never written was used as an address, or printed */
    VMDG_OVERLAPCOPY,  /* memcpy() and its like with ranges that overlap */
    VMDG_DOUBLEFREE,   /* given back, and was before */
    VMDG_INSIDE,       /* given back: an address inside a block */
    VMDG_NOBLOCK,      /* given back: never was a block; see what */
    VMDG_FAMILY,       /* given back by a call of another family */
    VMDG_REGION,       /* given back to a region that it is not of */
    VMDG_GONE,         /* given back or used: a block of a region that was cleared or closed */
    VMDG_SIZE,         /* the size given back is not the block's */
    VMDG_ALIGN,        /* the alignment given back is not the block's */
    VMDG_OVERFLOW,     /* the size of an allocation overflowed, or cannot be meant */
    VMDG_BADALIGN,     /* an alignment that is none */
    VMDG_NOMEMORY,     /* no memory was to be had (told only where asked for) */
    VMDG_CLOSEDTWICE,  /* vmclose(), vmclear() or other calls on a region that is closed */
    VMDG_OVERLAP,      /* the discipline gave memory that was given before */
    VMDG_CANNOTFREE,   /* Vmlast cannot free this block */
    VMDG_POOLSIZE,     /* Vmpool has blocks of another size */
    VMDG_WATCH,        /* alert: what happened to a watched address, see detail */
    VMDG_LEAK,         /* for the leak scan */
    VMDG_STRUCTURE     /* the lower method's own check found damage */
} vmdg_kind_t;

typedef enum vmdg_when {
    VMDG_ATACCESS,    /* the access itself: guard page, watchpoint, checked function */
    VMDG_ATFREE,      /* in the call named by `call` */
    VMDG_ATRESIZE,
    VMDG_ATALLOC,
    VMDG_ATPERIOD,    /* in the check that runs along */
    VMDG_ATDEMAND,    /* vmdbcheck() */
    VMDG_ATEVICT,     /* when it left quarantine */
    VMDG_ATEXIT,
    VMDG_ATREGION     /* vmopen(), vmclear(), vmclose() */
} vmdg_when_t;

typedef enum vmdg_access { VMDG_UNKNOWN, VMDG_READ, VMDG_WRITE, VMDG_JUMP } vmdg_access_t;

#define VMDG_FAULTBYTES 64

typedef struct vmdg_error {
    vmdg_kind_t kind;
    vmdg_when_t when;
    const char *call;      /* name of the function that was called, or NULL: "free", "memcpy" */
    const void *addr;      /* accessed, or given to the call; of fences the first bad byte */
    vmdg_access_t access;
    size_t length;         /* bytes accessed, or found damaged; 0: unknown */
    vmdg_block_t block;    /* the block concerned, or the nearest; addr NULL: none */
    long offset;           /* addr less block.addr */
    vmdg_block_t other;    /* the second one: OVERLAP, OVERLAPCOPY; addr NULL: none */
    uint32_t region;       /* number of the region that the call named */
    const char *what;      /* NOBLOCK: what the address is: "stack of this thread", "static data"; of what
                            * was printed: not NULL, and given its number in the format, or 0 */
    char object[160];      /* and which: path of module or mapping, or "" */
    const char *detail;    /* WATCH: "being freed"; else a clause to add, or NULL */
    size_t given, wanted;  /* SIZE, ALIGN, OVERFLOW, BADALIGN, POOLSIZE: given and right ones */
    vmdg_family_t family;  /* FAMILY: that of the call */
    uint32_t stack;        /* of the access or call; 0: unknown */
    uint32_t thread;       /* who did it, or found it */
    uint64_t sound, found; /* fences: operations between which it broke; 0: unknown */
    unsigned char bytes[VMDG_FAULTBYTES]; /* fences: what is there now, from addr on */
    size_t nbytes;
    const void *context;   /* ucontext_t of a signal, else NULL */
    int fatal;             /* the process ends after this report (a fault that cannot be left) */
} vmdg_error_t;

/* Tell of an error.  Called with no lock of ours held; may be called in a signal handler.  errno is
 * kept.  Returns 1 when it was told, 0 when not, being told before or beyond the limit, -1 when it was
 * suppressed and does not count. */
int vmdg_report(const vmdg_error_t *e);
/* How many errors were found so far, those not told included; watched addresses are none. */
uint64_t vmdg_errors(void);

/* ---- options ---- */

typedef struct vmdg_options {
    int level;            /* VMDG_FENCE ... */
    int below;            /* guards: 0 above, 1 below, 2 by site */
    unsigned long sample; /* guard one block in so many; 0: off */
    size_t failnth, failevery; /* which allocation is to fail; 0: none */
    unsigned failpart;    /* so many of a million, by failseed; 0: none */
    uint64_t failseed;
    uintptr_t failsite;   /* those with this address in their stack; 0: none */
    int structure;        /* at the end the lower method's structure is checked, too */
    int abort;            /* after a report */
    int exitcode;         /* status of a process with errors; -1: as the program says */
    int force;            /* exitcode even when the program's own status is not 0 */
    int leaks;            /* scan at the end: 0 no, 1 lost ones, or VMDG_LEAKS...; -1: lost ones, unless stripped */
    int format;           /* VMDG_READABLE ... */
    unsigned limit;       /* of reports, 0: none */
    unsigned depth;       /* entries of stacks */
    size_t quarantine;    /* bytes */
    size_t age;           /* blocks in quarantine at most */
    size_t period;        /* operations for a full round of checks; 0: none */
    uint64_t start;       /* operations before the first check */
    char suppress[256];   /* file of suppressions; "" none */
    const void *watch[4]; /* addresses for watchpoints */
    uint64_t watchalloc;  /* number of the allocation to watch; 0: none */
    int watchfront;       /* watch the bytes before the newest blocks */
} vmdg_options_t;
#define VMDG_FENCE 0
#define VMDG_GUARD 1
#define VMDG_SAMPLE 2
#define VMDG_LEAKSPERHAPS 2 /* and those that only pointers into the middle lead to */
#define VMDG_LEAKSALL 3     /* and those that are reachable */
#define VMDG_READABLE 0
#define VMDG_JSON 1
#define VMDG_ORIGINAL 2
extern vmdg_options_t vmdg_options VMOS_HIDDEN;

/* The process ends: last checks, and the scan for leaks. */
void vmdg_atend(void);

#endif
