/* SPDX-License-Identifier: MIT */
/*
 * profile: who asked for memory, and what became of it.  For the files of this folder and for the
 * malloc interface.  doc/design/profile.md has the why.
 *
 *   block of a Vmprofile region       | as asked for | rest | tail: 16 |
 *   thread --> book --> table by hash of the stack --> site, a record in the store
 *   store      reserved addresses, of which the first part is in use; they are the profile's file,
 *              mapped, or memory that can be written to one
 *
 * Invariants
 *   1. A book is used by one thread at a time (owner), and busy is 1 while it is.  Only that thread
 *      writes the own part of the book's sites; what other threads free is counted in the other
 *      part, under the site's lock.  So counting takes no lock and no atomic read-modify-write.
 *   2. A block whose tail names a site counts there as live, until it is freed, or its region is
 *      cleared or closed.
 *   3. Before a site's figures change after a new high-water mark was set, they are put aside for
 *      that mark (vmpf_aside()); so at any time the figures at the mark are known for all sites.
 *   4. Records in the store never move while the process lives.
 */
#ifndef VM_PROFILE_H
#define VM_PROFILE_H 1

#include "over.h"
#include "region.h"
#include "stack.h"

#include <vmalloc/profile.h>
#include <vmalloc/profile_format.h>

#define VMPF_TAIL 16u
#define VMPF_DEPTHMAX 128u /* entries of a stack that can be kept */
#define VMPF_NEAR 32u      /* from so many on it is worth a look whether they are those of before */
#define VMPF_TICK 64u      /* operations of a thread between looks at the clock */

/* ---- what a block has at its end: see record.c ---- */

typedef struct vmpf_tail {
    uint32_t site;  /* number of the site, 0: none */
    uint32_t birth; /* allocations of the thread before it, low bits */
    uint64_t size;  /* as asked for: 48 bits; above: a check of all of it */
} vmpf_tail_t;

/* ---- a thread's book ---- */

typedef struct vmpf_slot {
    uint64_t key; /* of the site */
    uint32_t site, unused;
} vmpf_slot_t;

typedef struct vmpf_book {
    uintptr_t owner; /* vmos_self() of the thread, 0: nobody */
    uint32_t busy;
    uint32_t number;
    uint64_t calls;         /* allocations: the thread's clock */
    uint64_t told;          /* of these, those that vmpf.calls knows of */
    int64_t bytes, blocks;  /* live ones that vmpf.head does not know of yet */
    int64_t room, floor;    /* bytes until more, and the bytes below which, sums are to be told */
    uint64_t drawn;         /* sampled: bytes from the first draw to the next sample */
    struct vmbe_lane *meter; /* sampled: what the thread asked for beside that is counted there */
    struct vmbe *metered;    /* and that lane's region */
    double sbytes, scalls;  /* sampled: estimates of what the thread has asked for */
    uint64_t random;        /* state of its generator */
    uint32_t ticks;         /* operations until it looks at the clock */
    uint32_t bits;          /* the table has 1 << bits slots */
    uint32_t count;         /* slots in use */
    vmpf_slot_t *table;
    vmsk_again_t *again;    /* stacks that it knows without walking them; NULL: none */
    struct vmbe_lane *lane; /* of the thread in malloc()'s region, once quick.c knows it */
    uint32_t ready;         /* vmpf.state when quick.c last found that all is as usual */
    struct vmpf_book *next; /* all books, newest first */
} __attribute__((aligned(64))) vmpf_book_t;

/* ---- a region's state, behind that of the lower method ---- */

typedef struct vmpf_region {
    uint32_t epoch;    /* that of the recorder when it came to know the region */
    uint32_t serial;   /* no other region of the process has or had it; part of sites' keys */
    uint32_t record;   /* place of its record in the store */
    uint32_t other;    /* the site for those that there is no room for; shared by all threads */
    uint32_t sites;    /* its sites, linked through next */
    uint32_t all;      /* who allocates has drawn already: every block is a sample */
    uint32_t malloc;   /* blocks of malloc(), nearly all there are: not summed up by themselves */
} vmpf_region_t;

VMOS_INLINE vmpf_region_t *vmpf_of(Vmalloc_t *vm) { return vmmt_upper(vm); }

/* ---- the recorder, one in a process ---- */

#define VMPF_PATH 1024

typedef struct vmpf_recorder {
    Vmpfhead_t *head;   /* start of the store; NULL: nothing was recorded yet */
    int off;            /* nothing is recorded: not begun yet, or closed */
    uint32_t state;     /* another number whenever off, epoch or the head's mode has changed */
    uint32_t epoch;     /* 1, then more after each fork that began anew */
    int forked;         /* the file is to be made after a fork, when the child has lived a while */
    long pid;           /* process that it belongs to */
    uint16_t session;   /* part of the check in tails */
    uint32_t active;    /* books that have an owner */
    uint32_t depth;     /* entries of a stack that are kept now */
    uint64_t origin;    /* monotonic clock at time 0, ns */
    size_t used;        /* of the store: what sections take */
    size_t mapped;      /* and what can be used without asking the system */
    size_t limit;
    int fd;             /* of the file; -1: in memory only */
    vmos_lock_t lock;   /* of the store's layout; nothing is called under it but os */
    vmpf_book_t *books;
    uint32_t nbooks, nregions, nplaces, nserials;
    uint32_t modules, stacks, places, sites, times, regions; /* sections that records go into */
    uint32_t freesite, freeregion; /* records to be used again, linked; 0: none */
    uint32_t closed;    /* records for closed regions, linked */
    size_t nmodules;    /* written */
    uint64_t due;       /* when the next record of times is to be written, ns */
    uint64_t span;      /* and how long after the one before, ns */
    uint64_t most;      /* live bytes since then */
    uint64_t calls;     /* allocations, as far as threads have told */
    int unused;         /* bytes never written are counted: see unused.c */
    uint32_t turned;    /* from all blocks to samples: for malloc(), which puts it back to 0 */
    uint64_t nextcopy;  /* when the next copy of the profile is due, ns; 0: never */
    char path[VMPF_PATH]; /* file, as it was asked for; "": none */
    char file[VMPF_PATH]; /* as it is */
} vmpf_recorder_t;

extern vmpf_recorder_t vmpf VMOS_HIDDEN;

/* What vmprofileset() sets before the recorder begins. */
typedef struct vmpf_settings {
    size_t depth, period, nearby, seed, memory, interval, exact, unused;
    int inherit;
} vmpf_settings_t;
extern vmpf_settings_t vmpf_settings VMOS_HIDDEN;

#define VMPF_PERIOD ((size_t)512 << 10) /* of samples, when no other is named */
#define VMPF_EXACT 100000000u           /* allocations of malloc() that are recorded one and all */

/* Samples are taken from the beginning on. */
VMOS_INLINE int vmpf_sampling(void)
{
    return vmpf_settings.period > 0 && vmpf_settings.exact == 0;
}

/* Counters that one thread writes and others read: whole numbers are never seen half written. */
#define VMPF_GET(x) __atomic_load_n(&(x), __ATOMIC_RELAXED)
#define VMPF_SET(x, v) __atomic_store_n(&(x), (v), __ATOMIC_RELAXED)
/* Each store by itself: stored as a pair, as compilers like to have it, counters are waited for
 * where they are read one by one soon after, and the other way round: 5 ns each time. */
#define VMPF_ADD(x, n) VMPF_SET(x, (x) + (n))

/* ---- store.c: memory of records ---- */

#define VMPF_AT(type, where) ((type *)(void *)((char *)vmpf.head + (size_t)(where) * 64))
VMOS_INLINE Vmpfsite_t *vmpf_site(uint32_t where) { return VMPF_AT(Vmpfsite_t, where); }
VMOS_INLINE uint32_t vmpf_where(const void *record)
{
    return (uint32_t)((size_t)((const char *)record - (const char *)vmpf.head) / 64);
}
/* Reserve, and lay the first sections out.  0, -1: no memory. */
int vmpf_store_open(void);
/* size bytes, a multiple of 8, at the end of the section whose place is in *section, or of a new
 * one of that type.  Locked.  NULL: no room. */
void *vmpf_store_add(uint32_t *section, unsigned type, unsigned item, size_t size);
/* A new section with room for size bytes; locked.  0: no room. */
uint32_t vmpf_store_section(unsigned type, unsigned item, size_t size);
/* From now on the store is the file vmpf.path; 0, -1 with errno. */
int vmpf_store_file(void);
/* After a fork: what the process has is memory of its own, empty or (keep) as it was. */
void vmpf_store_forked(int keep);
/* How full it is, of 256. */
unsigned vmpf_store_full(void);

/* ---- note.c: what is written once: stacks, places, modules, the head's texts ---- */
void vmpf_note_start(void);
uint32_t vmpf_note_stack(void *const *pcs, size_t n);
uint32_t vmpf_note_place(const vmr_place_t *place);
void vmpf_note_forked(void);

/* ---- book.c ---- */
/* The book of that number; NULL: there is none. */
vmpf_book_t *vmpf_book(uint32_t number);
extern __thread vmpf_book_t *vmpf_mine VMOS_HIDDEN;
VMOS_INLINE void vmpf_leave(vmpf_book_t *b) { __atomic_store_n(&b->busy, 0, __ATOMIC_RELEASE); }
/* The calling thread's book, for vmpf_leave(); NULL: nothing is recorded now.  A signal handler
 * that came while the book was being changed finds it busy.  The closing of the profile waits for
 * those that did not see `off`. */
vmpf_book_t *vmpf_enter_slow(void);
VMOS_INLINE vmpf_book_t *vmpf_enter(void)
{
    vmpf_book_t *b = vmpf_mine;
    if (VMOS_UNLIKELY(b == NULL || VMPF_GET(b->owner) != vmos_self() || b->busy))
        return vmpf_enter_slow();
    __atomic_store_n(&b->busy, 1, __ATOMIC_RELAXED);
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    if (VMOS_LIKELY(!__atomic_load_n(&vmpf.off, __ATOMIC_RELAXED)))
        return b;
    vmpf_leave(b);
    return NULL;
}
/* The site of the stack in the region, made when there is none. */
uint32_t vmpf_find(vmpf_book_t *b, vmpf_region_t *st, void *const *pcs, size_t n,
                   const vmr_place_t *place);
/* The site with that key, region and stack. */
uint32_t vmpf_find_key(vmpf_book_t *b, vmpf_region_t *st, uint64_t key, const Vmpfsite_t *like);
uint64_t vmpf_key(uint32_t serial, void *const *pcs, size_t n, const vmr_place_t *place);
/* Add what the book has counted to the sums. */
void vmpf_flush(vmpf_book_t *b);
/* The book's room is used up, or its floor passed.  One thread alone knows the sum at each moment,
 * and what is new is when it is higher than before, or than since the last record of times.  Several
 * tell each other when it is worth it: then the high-water mark is right to a thousandth for each
 * thread, or 4 KiB. */
void vmpf_reached(vmpf_book_t *b);
/* The sums, or how many threads there are, have changed otherwise: all look again soon. */
void vmpf_reconsider(void);
void vmpf_thread_ends(uintptr_t self);
void vmpf_thread_jumps(void);
void vmpf_books_forked(int keep);

/* ---- quick.c: for malloc() and free(), where vm is a region of theirs over Vmbest ---- */
/* A block, or NULL with errno.  Not to be called but jumped to by what the program called. */
void *vmpf_quick_alloc(Vmalloc_t *vm, size_t size);
/* Free a block that lies in a slab of the calling thread, which asked for it; when it is no such
 * one, or someone listens, otherwise(p) does it. */
void vmpf_quick_free(Vmalloc_t *vm, void *p, void (*otherwise)(void *p));
/* The same for one that is to have another size, in which otherwise(p, size) does it. */
void *vmpf_quick_resize(Vmalloc_t *vm, void *p, size_t size,
                        void *(*otherwise)(void *p, size_t size));
/* What recorded blocks depend on has changed. */
VMOS_INLINE void vmpf_changed(void)
{
    __atomic_add_fetch(&vmpf.state, 1, __ATOMIC_SEQ_CST);
}

/* ---- record.c ---- */
/* A block of have bytes for size asked for; how it came about when it was resized. */
typedef struct vmpf_birth {
    size_t old;    /* resized: bytes asked for before */
    int resized, moved;
    int zeroed;    /* it is to be looked at for bytes that are not zero: see unused.c */
} vmpf_birth_t;
void vmpf_born(vmpf_region_t *st, char *p, size_t size, size_t have, const vmpf_birth_t *how);
/* The tail of a block of have bytes.  0, or -1: it is damaged or of another process. */
int vmpf_read_tail(const char *p, size_t have, vmpf_tail_t *tail);
void vmpf_died(vmpf_region_t *st, const vmpf_tail_t *tail);
/* All blocks of the site are gone. */
void vmpf_dropped(Vmpfsite_t *site);
void vmpf_site_lock(Vmpfsite_t *site);
void vmpf_site_unlock(Vmpfsite_t *site);

/* The lane of the thread has a meter from now on, which tells the time of samples. */
void vmpf_clock(vmpf_book_t *b, struct vmbe_lane *lane);

/* ---- unused.c: bytes that are never written ---- */
#define VMPF_FILLMOST ((size_t)64 << 10) /* larger blocks are not filled but zeros */
VMOS_INLINE int vmpf_looks(void)
{
    return VMOS_UNLIKELY(vmpf.unused);
}
/* A block of so many bytes begins, which is not zeros. */
void vmpf_fill(char *p, size_t size);
/* Bytes at the end of the block that are as they were at first. */
size_t vmpf_unused(const char *p, const vmpf_tail_t *t);
/* Count them for the block's site. */
void vmpf_unused_add(const vmpf_tail_t *t, size_t n);
/* Whether a block is to be zeros where it is not written, once it is resized. */
int vmpf_unused_zeroed(const vmpf_tail_t *t, size_t size, int type);
/* That it was, to q, from a block of have bytes; type: as was asked for.  kept: with what it held. */
void vmpf_unused_resized(char *q, const vmpf_tail_t *t, size_t size, size_t have, int type, int kept);
/* Count those of all blocks of the region; locked.  atend: nothing else is recorded any more. */
void vmpf_unused_rest(Vmalloc_t *vm, int atend);

/* ---- regions.c ---- */
void vmpf_region_open(Vmalloc_t *vm);
void vmpf_region_clear(Vmalloc_t *vm);
void vmpf_region_close(Vmalloc_t *vm);
/* What statistics tell, into its record. */
void vmpf_region_note(Vmalloc_t *vm);
/* Its live bytes have changed by as much. */
void vmpf_region_count(const vmpf_region_t *st, int64_t bytes);
/* Sum up what the region has now: live blocks and bytes. */
void vmpf_region_live(Vmalloc_t *vm, uint64_t *blocks, uint64_t *bytes);

/* ---- times.c ---- */
uint64_t vmpf_now(void); /* ns since time 0, to some ms */
/* Look at the clock, and write down what is due. */
void vmpf_tick(vmpf_book_t *b);
/* The last record, at the end. */
void vmpf_times_end(void);
void vmpf_times_forked(void);

/* The sums have changed by as much, as far as the book is concerned. */
VMOS_INLINE void vmpf_count(vmpf_book_t *b, int64_t bytes, int64_t blocks)
{
    int64_t room = VMPF_GET(b->room) - bytes, sum = b->bytes + bytes;
    VMPF_SET(b->room, room);
    VMPF_ADD(b->blocks, blocks);
    VMPF_SET(b->bytes, sum);
    if (VMOS_UNLIKELY(room < 0) || VMOS_UNLIKELY(sum < b->floor))
        vmpf_reached(b);
    if (VMOS_UNLIKELY(--b->ticks == 0))
        vmpf_tick(b);
}

/* ---- draw.c: sampling ---- */
/* Bytes that the thread may still ask for before the next sample.  malloc() counts it down too. */
extern __thread int64_t vmpf_left VMOS_HIDDEN;
#define VMPF_UNDRAWN (-((int64_t)1 << 62)) /* it is below: the thread has not drawn yet */
/* A sample was taken: draw the next. */
void vmpf_draw(vmpf_book_t *b);
/* How many blocks of that size come before the next sample. */
int64_t vmpf_draw_blocks(vmpf_book_t *b, size_t size);
/* Bytes of a block that a point may fall on. */
size_t vmpf_bytes(size_t size);
/* Of how many blocks of this size one is sampled, on average. */
double vmpf_weight(size_t size);
/* x rounded up or down at random, so that it is right on average; the same for the same salt. */
uint64_t vmpf_round(double x, uint64_t salt);

/* ---- segments.c, write.c, recorder.c ---- */
/* Records of all segments of all regions, at most room bytes.  How many there are. */
size_t vmpf_segments(char *to, size_t room);
/* Write a copy of the profile to fd; quick: in a signal handler or in the middle of an operation.
 * 0, -1 with errno. */
int vmpf_copy(int fd, unsigned why, int quick);
/* The same into a file beside the profile's own, numbered. */
void vmpf_copy_file(unsigned why);
/* It is time for one. */
void vmpf_copy_due(uint64_t now);
/* Set the checksums of [store, store+size). */
void vmpf_seal(char *store, size_t size, unsigned why);
/* Begin when need be.  0, -1: no memory. */
int vmpf_start(void);
/* Close the profile; nothing is recorded afterwards. */
void vmpf_stop(void);
void vmpf_forked(void);
uint32_t vmpf_crc(uint32_t crc, const void *data, size_t size);

#endif
