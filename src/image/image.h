/* SPDX-License-Identifier: MIT */
/*
 * image: what makes a region outlive its process.  Knows region, base and os; the discipline that
 * hands its memory out is discipline/file.c.
 *
 * Invariants
 *   1. What the pages say in their places, with the journal's newest version of each page over it, is
 *      the last commit: at every moment, whatever is on its way to the disk.
 *   2. Memory is the last commit but for pages that are marked in `dirty`, or that the system will tell.
 *   3. hash[p] is that of page p of the last commit, or 0: not known.
 *   4. where[p] is the place of p's newest version in the journal, when its bit in `logged` is set.
 *   5. The file has the sum of p, but where `unsaved` has a bit: then it is hash[p], or that of zeros when
 *      where[p] says so or hash[p] is 0.
 *   6. A page with a twin (twin.c) is what that says, whatever hash[p] and where[p] are; it is in `logged`.
 *   7. Order of locks: image, region list, region.  memoryf and purgef, which run with the region
 *      locked, touch only what a commit touches under both.
 */
#ifndef VM_IMAGE_H
#define VM_IMAGE_H 1

#include "format.h"
#include "io.h"
#include "region.h"
#include <vmalloc/image.h>

#define VMI_PATH 1024 /* longest path */
#define VMI_TWINCHUNKS 24
#define VMI_HOT 1024 /* pages that change with each commit */
#define VMI_TWINMOST ((size_t)64 << 20) /* bytes of twins that a writer makes */

typedef struct vmi {
    Vmdiscmore_t more; /* first: the discipline of the region */
    struct vmi *next;  /* all images of the process */
    vmos_lock_t lock;
    Vmalloc_t *vm;
    long pid, entered; /* processes that opened it, and that entered it last */
    size_t bytes;      /* of this structure with its tables */

    int fd, uffd, pagemap;
    int lockfd;            /* who writes has VMI_WRITER by this opening, which is not mapped; -1: by fd */
    int tier;              /* VM_IMG... */
    unsigned int flags;    /* VM_IMG... */
    int safety;
    uint64_t group, lastsync; /* ms */
    int unsynced;          /* commits that no sync has followed; 2: the last of them is this process's */
    int turn;              /* this process may write */
    int failed;            /* errno of what it failed with */
    uint64_t dev, ino;
    char path[VMI_PATH];

    vmi_super_t super;     /* as in the file, or about to be */
    char *base, *low;      /* the region; all of it, with leaves and meta pages */
    size_t total;          /* bytes from low on */
    size_t limit;          /* bytes that the region may grow to in this process */
    size_t psize, meta, leaf, span; /* a page; pages in meta, in a leaf, in a span, */
    size_t sums;           /* and of sums before each leaf */
    size_t units;
    vmi_meta_t *head;      /* page 0 in memory */
    uint64_t home;         /* address of the region in the last commit */
    Vmdata_t *data;        /* where head->data leads from there, NULL: not made yet (vmi_found()) */

    uint64_t npages, gen;  /* of the last commit */
    uint64_t mapped;       /* pages that are private views of the file, or were */
    int cuts;              /* stretches of them that are cleared memory now */
    uint64_t jpos, jseq;   /* where the last record ends, from super.journal; number of the next */
    uint64_t writer;       /* what records have of this opening */
    uint64_t lastsum;      /* of the record before that, 0: none */
    uint64_t lastrec;      /* where the last record of this process is */
    int stale;             /* places behind the last page may hold something: the next commit that
                            * reaches them makes zeros of them */
    uint64_t jfilled;      /* the file has blocks for the journal up to here */
    char *window;          /* a mapping of the journal from here in the file on, NULL: none (window.c) */
    uint64_t winat;
    int settled;           /* storing there needs no room: 1, -1: it may; 0: not asked yet */
    uint64_t threshold;    /* of jpos, for a checkpoint; 0: chosen by size */

    size_t maxpages;
    uint64_t *hash, *where;          /* by page */
    uint64_t *dirty, *copied, *logged, *unsaved; /* bits by page; copied: known to be a private copy */
    uint32_t *twin;        /* by page: which slot, from 1; 0: none */
    size_t tablebytes;
    char *twins[VMI_TWINCHUNKS];
    size_t ntwins;         /* slots in use */
    uint64_t hot[VMI_HOT], recent[VMI_HOT]; /* pages whose writes are not noted; those of the last commit */
    uint64_t *ishot, *wasin; /* the same as bits by page */
    unsigned char idle[VMI_HOT]; /* commits that a hot page has not changed in */
    int nhot, nrecent, rests; /* commits until more than a few may be hot again */
    uint64_t *told;        /* bits by page: the program tells of its stores there (vmtell()) */
    int telling;           /* it has bits */
    int counted, calm;     /* the system counts faults; the last look found nothing but hot and told pages */
    uint64_t faults;       /* of the process before that look, 0: not asked for */
    uint64_t asks, looks;  /* how often each was done, */
    uint64_t lookcost;     /* ns of the shortest look that was timed, 0: none was */
    int slow, dear;        /* times in a row that asking took longer; commits until it is tried again */
    char *rec;             /* header, pages, lines and list of a record; recbytes, grown as need be */
    size_t recbytes;

    uint64_t doubt[2];     /* the last record is part of this commit of several, and not decided here */
    uint64_t sought[2];    /* a commit of several that is looked for, */
    int found;             /* and was decided here */

    uint64_t changed, checkpoints, replayed;
} vmi_t;

#define VMI_CHUNK ((size_t)1 << 20) /* of pages on their way */

/* ---- pages and places (place.c) ---- */
uint64_t vmi_pageof(const vmi_t *img, const void *addr);
char *vmi_addrof(const vmi_t *img, uint64_t page);
/* From page on, how many are one behind the other in memory too. */
uint64_t vmi_run(const vmi_t *img, uint64_t page);
/* Where in the file a page is, where the first n end, where the sum of one is; which page is at, or
 * next behind, a place. */
uint64_t vmi_offset(const vmi_t *img, uint64_t page);
uint64_t vmi_end(const vmi_t *img, uint64_t n);
uint64_t vmi_sumplace(const vmi_t *img, uint64_t page);
uint64_t vmi_pageat(const vmi_t *img, uint64_t off);
/* No page from here on has anything. */
uint64_t vmi_bound(const vmi_t *img);
/* Fill in what follows from base, limit and page size. */
void vmi_measure(vmi_t *img, uint64_t base, uint64_t limit);
/* Find addresses for a new image, or reserve those of an old one.  -1: EADDRINUSE, ENOMEM. */
int vmi_place(vmi_t *img, void *wish, size_t limit);
int vmi_replace(vmi_t *img, size_t limit);
/* The same for an old one that may lie anywhere: at wish unless NULL, at home, or where there is room. */
int vmi_anyplace(vmi_t *img, void *wish, size_t limit);
/* Have memory be the pages in the file, cleared memory behind, and the map's leaves lead there. */
int vmi_view(vmi_t *img);
void vmi_unview(vmi_t *img);

/* ---- superblocks (super.c) ---- */
/* Read the one that holds.  -1 with errno and a reason. */
int vmi_super_read(vmi_t *img, const char **why);
/* Write it anew as img->super says, with the next number, and sync.  -1: the one before holds, or the
 * image has failed. */
int vmi_super_write(vmi_t *img);
int vmi_super_make(vmi_t *img, size_t limit, void *wish);

/* ---- journal (journal.c) ---- */
/* Read the records from img->jpos on; changed gets a bit for each page in them.  Their number; -1: a read
 * failed, or all must be read from the start (ESTALE). */
int64_t vmi_journal_read(vmi_t *img, uint64_t *changed);
/* Whether there is, in the next `most` bytes, a record that says that those before it were on the disk: then the one
 * behind the last was not torn, but damaged later.  1, 0, -1. */
int vmi_journal_behind(vmi_t *img, uint64_t most);
/* Make sure that no record can be taken for one behind the last. */
int vmi_journal_end(vmi_t *img);
/* Take the last record, at `at`, out of the file. */
int vmi_journal_undo(vmi_t *img, uint64_t at);
/* Room for a list of n entries, lines and a chunk; -1. */
int vmi_journal_room(vmi_t *img, size_t n);
/* A commit of several images is decided here: remember that. */
void vmi_decided(vmi_t *img, const uint64_t joint[2]);
VMOS_INLINE int vmi_iszero(const char *p, size_t n)
{
    return p[0] == 0 && __builtin_memcmp(p, p + 1, n - 1) == 0;
}
/* The committed contents of a page. */
int vmi_journal_page(vmi_t *img, uint64_t page, void *buf);

/* ---- twins (twin.c) ---- */
/* What the last commit has of a page, psize bytes; NULL: it has none. */
char *vmi_twin(const vmi_t *img, uint64_t page);
/* The same, made when there is none.  NULL: no memory, or it cannot be read. */
char *vmi_twin_make(vmi_t *img, uint64_t page);
void vmi_twin_close(vmi_t *img);
/* Which lines differ, as bits. */
uint64_t vmi_lines_differ(const void *a, const void *b, size_t psize);
/* Copy those of mask out of a page, one behind the other, or back into one.  How many bytes that were. */
size_t vmi_lines_take(void *to, const void *page, uint64_t mask, size_t psize);
size_t vmi_lines_put(void *page, const void *from, uint64_t mask, size_t psize);
/* The same for the words that differ in lines of mask: taking wants room for a page and 64 bytes.  How many bytes
 * there are in `left`; 0: less than they say. */
size_t vmi_words_take(void *to, const void *page, const void *twin, uint64_t mask, size_t psize);
size_t vmi_words_put(void *page, const void *from, uint64_t mask, size_t psize);
size_t vmi_words_size(const void *from, size_t left, uint64_t mask, size_t psize);

/* ---- a window into the journal (window.c) ---- */
/* Store a record instead of writing it: 1; 0: it must be written. */
int vmi_window_store(vmi_t *img, const void *record, size_t n, uint64_t at);
void vmi_window_drop(vmi_t *img);

/* ---- checkpoint.c ---- */
/* Zeros over [from, to) of the file, which take no room where the file system can do that; buf: size bytes
 * to write them from, where it cannot. */
int vmi_zeros(vmi_t *img, uint64_t from, uint64_t to, char *buf, size_t size);
/* Move the journal's pages to their places and start it anew, at or behind `end`.  -1: EBUSY when
 * readers are there. */
int vmi_checkpoint(vmi_t *img, uint64_t end);

/* ---- sums of pages in their places (sums.c) ---- */
/* Write those of pages [from, to) that the file has not; buf: 64 KiB to work in. */
int vmi_sums_save(vmi_t *img, uint64_t from, uint64_t to, void *buf);
/* What n pages from p on, in one run, should have. */
int vmi_sums_read(const vmi_t *img, uint64_t p, size_t n, uint64_t *sums);

/* ---- changed pages (track.c) ---- */
void vmi_track_open(vmi_t *img);
void vmi_track_close(vmi_t *img);
/* Mark pages that changed in img->dirty. */
int vmi_track_collect(vmi_t *img);
/* The program tells (on 1) of its stores into these pages from now on, or no more (0). */
void vmi_track_tell(vmi_t *img, char *addr, const char *end, int on);
/* It tells of no stores at all: all pages that it told of may have changed. */
void vmi_track_untell(vmi_t *img);
/* It stored there. */
void vmi_track_stored(vmi_t *img, const char *addr, const char *end);
/* Pages from addr on are to be cleared: 1. */
int vmi_clear(vmi_t *img, char *addr, size_t size);

/* ---- looks that are left out (calm.c) ---- */
/* Whether no page was written for the first time since the last look but one. */
int vmi_calm(vmi_t *img);
/* A look begins: what vmi_calm_looked() wants when it has ended. */
uint64_t vmi_calm_look(vmi_t *img);
void vmi_calm_looked(vmi_t *img, uint64_t began);

/* ---- hot pages (hot.c) ---- */
/* A commit had these n pages. */
void vmi_hot_learn(vmi_t *img, const vmi_entry_t *list, uint64_t n);
/* None is hot any more; if many were, many will not be soon. */
void vmi_hot_none(vmi_t *img);

/* ---- commit.c ---- */
/* Both locks are held. */
int vmi_commit(vmi_t *img, const uint64_t joint[2], unsigned flags);
/* A record that says that the commit of several images counts. */
int vmi_decide(vmi_t *img, const uint64_t joint[2]);
int vmi_sync(vmi_t *img);
/* Whether an errno says that there is no room for what was to be written. */
int vmi_isfull(int e);
/* No more commits: errno said why. */
int vmi_fail(vmi_t *img);
/* Every page that this process holds a copy of may have changed. */
int vmi_suspect(vmi_t *img);

/* ---- back.c ---- */
/* Put memory back to the last commit; nobody uses the region. */
int vmi_back(vmi_t *img);
/* Read the journal from its start, after the superblock. */
int vmi_load(vmi_t *img);
/* Put the journal's pages over those that are mapped. */
int vmi_overlay(vmi_t *img);

/* ---- move.c ---- */
/* Find out where the last commit says that the region lies, when the journal has been read. */
int vmi_home(vmi_t *img);
/* Set img->data, of a region that may not be moved yet.  -1: it is not in the region. */
int vmi_found(vmi_t *img);
/* Memory is what a commit for `from` has (some: some of it): all addresses in it become those of now.  vm: the
 * region, or its disc and meth, and the rest is filled in.  -1 with errno as vmr_move(). */
int vmi_move(vmi_t *img, Vmalloc_t *vm, int some);
/* Roots that lead into the region (roots.c). */
void vmi_roots_move(vmi_t *img, Vmmove_t *m);

/* ---- joint.c ---- */
/* Whether the last record, which is in doubt, counts: 1, 0; -1 when that cannot be found out. */
int vmi_resolve(vmi_t *img);

/* ---- open.c ---- */
/* Whether the image of this id at path has decided a commit of several: 1, 0; -1: it is not there. */
int vmi_ask(const char *path, const uint64_t id[2], const uint64_t joint[2]);
/* Open without addresses, to read the last commit from the file; to be given to vmi_unpeek(). */
vmi_t *vmi_peek(const char *path, char *why);
void vmi_unpeek(vmi_t *img);
/* Open; NULL with errno and a reason in why (160 bytes). */
vmi_t *vmi_open(const char *path, const Vmimgopt_t *opt, char *why);
void vmi_close(vmi_t *img);
/* Take (2), share (1) or give up (0) the right to write; -1: EBUSY, unless it waits. */
int vmi_lockwriter(const vmi_t *img, int mode, int wait);
void vmi_refuse(char *why, const char *format, ...) VMOS_PRINTS(2, 3);
/* Whether a region of at most limit bytes can lie at base (super.c). */
int vmi_canbe(uint64_t base, uint64_t limit);
#define VMI_DAMAGED "%s: commit %lu is damaged in the journal, and there are later ones"
/* What an errno means where an image is opened or read. */
const char *vmi_reason(int e);
/* The image of vm, locked, or NULL with EINVAL; with EPERM in a child of the process that opened it. */
vmi_t *vmi_enter(Vmalloc_t *vm);
vmi_t *vmi_find(const Vmalloc_t *vm); /* the same, not locked, in any process */
vmi_t *vmi_enterown(Vmalloc_t *vm);
void vmi_leave(vmi_t *img);

#endif
