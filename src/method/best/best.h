/* SPDX-License-Identifier: MIT */
/*
 * best: the engine of Vmbest.  See doc/design/best.md for the why; this is the what.
 *
 * Memory of a region is cut in areas, each a part of one segment:
 *   small area   up to a few dozen KiB: blocks are runs of 16-byte granules, told by two bitmaps
 *   paged area   4 KiB pages in runs.  A run is free, or a slab (blocks of one size class), or one
 *                large block, or bookkeeping (descriptors, lanes)
 *
 * A run's descriptor (vmbe_run_t) lies out of line, and the page map leads from any page of a slab
 * and from the first page of any other run to it.  The state of a slab's blocks is a bitmap in its
 * descriptor: a bit is 1 when the block is free.  Nothing is ever written into free memory.
 *
 * A lane is what one thread allocates through: for each class a cursor (the word of bits that it
 * takes blocks from) and a list of slabs that have free blocks.  Only the thread that holds a lane
 * touches its cursors, its lists and the words of its slabs.  Other threads free a block by setting
 * its bit in the slab's `remote` words, and the first of them to do so puts the slab on the lane's
 * `pending` list.
 *
 * What is true is in the descriptors; lanes, the tree of free runs and the page map can be
 * rebuilt from them (rebuild.c), which is what happens after fork, attachment and broken locks.
 *
 * Invariants
 *   1. Runs of a paged area tile it; two free runs never touch.
 *   2. A slab with run->lane == L (untagged) is L's cursor or on one of L's two lists of its class;
 *      one with tag BE_FULL is on no list.
 *   3. Free blocks of a slab: bits of word[] or of remote[], never of both.
 *   4. Everything but lanes is guarded by the region's lock.
 */
#ifndef VM_BEST_H
#define VM_BEST_H 1

#include "class.h"
#include "region.h"

#define BE_PAGE VMB_PAGE
#define BE_SHIFT VMB_PAGESHIFT
#define BE_TABBITS 6
#define BE_TAB (1u << BE_TABBITS) /* slots of the table that finds a thread's lane */
/* Doublings from one page to the largest slab of a class. */
#define BE_ORDERMAX(cls) ((cls) < BE_BIGFROM ? 4 : 6)
#define BE_FITS 64        /* free runs of fewer pages are in lists, the others in a tree */
#define BE_BINS 32        /* lists of large blocks, by power of two of pages */
#define BE_ENDS 8         /* places in the list of free runs to be given back: purge.c */
#define BE_PAGEDMIN 16    /* pages below which an area is cut in granules */
#define BE_STASH 32       /* large blocks that a lane keeps after they were freed */
#define BE_DELAY 400      /* milliseconds that free pages stay before they are given back */
#define BE_DIRTYMIN 16384 /* pages that may stay in any case */
/* Pages that a lane keeps in empty slabs, so as not to make them anew; those of large blocks are larger. */
#define BE_KEEPMAX(cls) ((cls) < BE_BIGFROM ? 16u : 64u)
#define BE_MAX (SIZE_MAX / 2 - 64 * BE_PAGE) /* no block is larger */

typedef struct vmbe vmbe_t;
typedef struct vmbe_lane vmbe_lane_t;
typedef struct vmbe_run vmbe_run_t;
typedef struct vmbe_meter vmbe_meter_t;

/* Kinds of runs. */
enum { BE_NONE, BE_FREE, BE_SLAB, BE_LARGE, BE_META, BE_LANE };

/* Tags in run->lane; an untagged pointer is that of a lane which knows of free blocks. */
#define BE_FULL 1u  /* a slab without free blocks, as far as its lane knows */
#define BE_OTHER 2u /* no slab: the pointer is that of the engine */
#define BE_TAGS 3u

/* In run->rsum: the words of remote[] that hold something; and: the slab is, or is about to be, on its
 * lane's pending list, and stays a slab. */
#define BE_NAMES 15u
#define BE_QUEUED 0x80u

/* Descriptor of a run: two cache lines, the second for other threads and slow paths.  Of the first,
 * other threads write rsum and quick, once for all they free until the owner looks. */
struct vmbe_run {
    char *base;      /* first page; large: the block */
    uintptr_t lane;  /* owner and tag */
    uintptr_t quick; /* slab: ceil(2^32 / block size), see class.h; 0 when others have freed in it */
    uint16_t left;   /* slab: frees until something is to be done for it */
    uint16_t unused; /* images have it */
    uint8_t cls;     /* slab: size class */
    uint8_t last;    /* slab: index of its last block */
    uint8_t waits;   /* slab: on the list of those with few free blocks; free: in a list of fit.c */
    uint8_t rsum;    /* slab: bit w: remote[w] is not 0; BE_QUEUED */
    union {
        uint64_t word[4]; /* slab: a bit per block, 1 is free */
        struct {          /* free */
            vmb_node_t node; /* in the tree */
            uint64_t time;     /* when it became dirty, in ms */
            uint32_t dlo, dhi; /* only its pages from dlo up to dhi may have been touched */
        } f;
        struct { /* large */
            char *page;    /* first page */
            uint32_t zero; /* was cleared memory when allocated */
            vmbe_lane_t *keeper; /* free, and in that lane's stash */
        } l;
        struct { /* meta: descriptors; this is the first of them */
            vmbe_run_t *next;
            uint32_t count;
        } m;
    } u;
    uint64_t remote[4];   /* slab: freed by other threads; always 1 for blocks beyond its end */
    vmbe_run_t *pend;     /* slab: on its lane's pending list */
    uint8_t kind;         /* BE_... */
    uint8_t kept;         /* slab: empty, and kept by its lane; free: on the dirty list; large: the block is
                             free, and the run stays as it is in a lane's stash */
    uint8_t tried;        /* free: not given back once, so as not to break a huge page */
    uint32_t npages;
    union {
        struct {
            vmbe_run_t *prev, *next; /* slab: list of its class; large: bin; free: dirty list */
        };
        uint64_t veil; /* current slab: 0, a word that says that no block is free: meter.c */
    };
} __attribute__((aligned(128)));

_Static_assert((sizeof(vmbe_run_t) & (sizeof(vmbe_run_t) - 1)) == 0,
               "descriptors are aligned to their size: vmbe_current()");

/* Where a lane takes blocks of a class: half a cache line. */
typedef struct vmbe_cursor {
    uint64_t *word; /* word of bits in the current slab's descriptor, or in the lane's `none` */
    char *base;     /* address of the block of its bit 0 */
    size_t size;    /* of the class */
    vmbe_run_t *avail; /* slabs with free blocks beside the current one */
} vmbe_cursor_t;

/* Large blocks that a lane keeps after they were freed: stash.c. */
typedef struct vmbe_stash {
    vmbe_run_t *run[BE_STASH];
    uint16_t pages[BE_STASH];
    uint32_t n, held;    /* how many, and their pages */
    uint32_t most;       /* pages that there may be */
    uint32_t seen, aged; /* so many were there when they were last looked at for their age, and when, in ms */
    uint32_t puts;       /* blocks that came */
    uint32_t open;       /* someone is at it */
} vmbe_stash_t;

struct vmbe_lane {
    vmbe_cursor_t cur[BE_CLASSES];
    vmbe_run_t *few[BE_CLASSES];   /* slabs with few free blocks, which wait to have more */
    uint8_t order[BE_CLASSES];     /* how large the next new slab shall be: see slab.c */
    Vmalloc_t *vm;
    vmbe_t *be;
    uintptr_t tid;       /* thread that holds it, 0: none */
    vmbe_lane_t *next;   /* all lanes of the region */
    Vmalloc_t *front;    /* for malloc(): vm when its fast path may serve, else NULL */
    vmbe_lane_t **cache; /* variable of that thread that points here, NULL; reset when it ends */
    uint32_t kept;       /* pages in empty slabs kept on the lists */
    uint32_t busy;       /* its lists are being changed, or were when a longjmp() left */
    uint32_t turns;      /* slabs gone through: now and then pages that are due go back */
    uint32_t seen;       /* of these, when others last looked whether the thread sleeps */
    vmbe_meter_t *meter; /* what counts its blocks; NULL: nothing does */
    uint32_t stays;      /* current slabs that were gone through once more for a few blocks: see slab.c */
    vmbe_run_t none;     /* a slab without blocks: what a cursor that has no slab points into */
    vmbe_run_t *pending __attribute__((aligned(64))); /* slabs that other threads freed into */
    vmbe_stash_t stash __attribute__((aligned(64))); /* last: images from before do not have it */
};

/* Header of a paged area, at its start. */
typedef struct vmbe_area {
    struct vmbe_area *next;
    vmbe_t *be;
    Vmseg_t *seg;
    char *first, *last; /* its pages */
    char *touched;      /* pages from here on were never part of a run in use */
    char *huge;         /* up to here huge pages were asked for where they shall be */
} vmbe_area_t;

/* Header of a small area, at its start, followed by the granules and the two bitmaps. */
typedef struct vmbe_small {
    struct vmbe_small *next;
    Vmseg_t *seg;
    char *base;              /* granule 0 */
    char *end;               /* behind the bitmaps */
    uint64_t *start, *busy;  /* first granule of a block; granule of a block */
    uint32_t n;              /* granules */
    uint32_t bump;           /* from here on all are free */
    uint32_t holes;          /* free ones below bump */
    uint32_t bound;          /* no hole is larger than this */
} vmbe_small_t;

/* What a region needs once it has a paged area; lies in the first one. */
typedef struct vmbe_hub {
    vmbe_lane_t *tab[BE_TAB];   /* lane of a thread, by hash of its number; a cache */
    vmbe_run_t *bin[BE_BINS];   /* large blocks */
    vmbe_run_t *ends[BE_ENDS];  /* the last of the free runs of an age that are to be given back */
    vmb_node_t *fit[BE_FITS];   /* free runs by pages; fits: bit n, that there are some of n */
    uint64_t fits;
} vmbe_hub_t;

/* The engine: method state of a Vmbest region. */
struct vmbe {
    vmbe_lane_t **tab;    /* hub->tab, or one of dummies */
    vmbe_lane_t *first;   /* the lane of the first thread, of a VM_SINGLE region the only one; or the dummy */
    Vmalloc_t *vm;
    vmbe_hub_t *hub;      /* NULL: no paged area yet */
    vmbe_small_t *smalls;
    vmbe_area_t *areas;
    vmbe_lane_t *lanes;
    vmbe_lane_t *visited; /* the last lane that was looked at for what sleeps there */
    vmbe_run_t *metas;    /* all descriptors, page by page */
    vmbe_run_t *spare;    /* unused descriptors, linked through next */
    vmb_node_t *tree;     /* free runs by size, then address */
    vmbe_run_t *dirty, *dirtylast; /* free runs to be given back, oldest first */
    size_t nspare;
    size_t freepages, dirtypages, freeruns, pages; /* pages: of all areas */
    size_t triedpages;       /* of dirtypages, those that were not given back once */
    size_t nlarge, slarge;   /* large blocks and their bytes */
    size_t nsmall, ssmall;   /* blocks in small areas and their bytes */
    size_t slabblocks, slabbytes; /* capacity of all slabs */
    uint32_t nlanes, nidle;
    uint32_t zeroed;      /* the discipline's memory comes cleared */
    uint32_t reserve;     /* untouched memory costs nothing */
    uint32_t jumped;      /* a lane's lists may be off: make them anew when that can be */
    uint32_t gathered;    /* when threads that sleep were last looked for, in ms */
    vmr_log_t *log;       /* of a region that processes share: see shared.c; else NULL */
};

VMOS_INLINE vmbe_t *vmbe_of(Vmalloc_t *vm) { return vmr_state(vm); }

/* [p, p+n) is about to change. */
VMOS_INLINE void vmbe_note(vmbe_t *be, const void *p, size_t n)
{
    if (VMOS_UNLIKELY(be->log != NULL))
        vmr_lognote(be->log, p, n);
}

/* Words that other threads read while their owner writes them. */
#define BE_LOAD(x) __atomic_load_n(&(x), __ATOMIC_RELAXED)
#define BE_STORE(x, v) __atomic_store_n(&(x), (v), __ATOMIC_RELAXED)
/* The hub and what is in it are made under the lock and found without; so are the lanes, through the
 * hub's table and the words of their slabs. */
#define BE_SEE(x) __atomic_load_n(&(x), __ATOMIC_ACQUIRE)
#define BE_SHOW(x, v) __atomic_store_n(&(x), (v), __ATOMIC_RELEASE)
#if defined(__SANITIZE_THREAD__)
#define BE_READ(x) BE_LOAD(x)
#else
#define BE_READ(x) (x) /* as a part of the instruction that compares */
#endif

VMOS_INLINE vmbe_lane_t *vmbe_lane(uintptr_t tagged)
{
    return (vmbe_lane_t *)(tagged & ~(uintptr_t)BE_TAGS);
}
VMOS_INLINE vmbe_t *vmbe_owner(const vmbe_run_t *run)
{
    uintptr_t l = BE_SEE(run->lane);
    return l & BE_OTHER ? (vmbe_t *)(l & ~(uintptr_t)BE_TAGS) : vmbe_lane(l)->be;
}
/* Multiplicative hashing: Knuth, The Art of Computer Programming 3, 6.4. */
VMOS_INLINE size_t vmbe_tabslot(uintptr_t tid)
{
    return (size_t)((uint64_t)tid * UINT64_C(0x9e3779b97f4a7c15) >> (64 - BE_TABBITS));
}
VMOS_INLINE size_t vmbe_runbytes(const vmbe_run_t *run) { return (size_t)run->npages << BE_SHIFT; }
/* Bytes of a large block: up to the end of its pages. */
VMOS_INLINE size_t vmbe_largesize(const vmbe_run_t *run)
{
    return (size_t)(run->u.l.page + vmbe_runbytes(run) - run->base);
}
/* The free run whose node in the tree this is. */
VMOS_INLINE vmbe_run_t *vmbe_run_at(const vmb_node_t *node)
{
    return (vmbe_run_t *)((uintptr_t)node - offsetof(vmbe_run_t, u.f.node));
}
VMOS_INLINE unsigned vmbe_capacity(const vmbe_run_t *run) { return run->last + 1u; }
VMOS_INLINE size_t vmbe_blocksize(const vmbe_run_t *run) { return vmbe_classbytes[run->cls]; }

/* The current slab of a cursor, the lane's `none` when it has none: descriptors are aligned to their
 * size, so the word leads to it. */
VMOS_INLINE vmbe_run_t *vmbe_current(const vmbe_cursor_t *c)
{
    return (vmbe_run_t *)((uintptr_t)c->word & ~(uintptr_t)(sizeof(vmbe_run_t) - 1));
}
/* What a lane has is marked as busy while it changes: its thread may be torn out by a longjmp(). */
VMOS_INLINE uint32_t vmbe_lane_enter(vmbe_lane_t *lane)
{
    uint32_t was = lane->busy;
    lane->busy = 1;
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    return was;
}
VMOS_INLINE void vmbe_lane_leave(vmbe_lane_t *lane, uint32_t was)
{
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    lane->busy = was;
}
VMOS_INLINE void vmbe_leave(vmbe_lane_t *lane, unsigned cls)
{
    lane->cur[cls].word = lane->none.u.word;
}
extern vmbe_lane_t vmbe_nolane;            /* no thread's: every class is exhausted */
extern vmbe_lane_t *vmbe_notab[BE_TAB];    /* full of it */

/* ---- small.c: areas of granules; locked ---- */
vmbe_small_t *vmbe_small_make(vmbe_t *be, Vmseg_t *seg, char *base, char *end);
/* The memory behind the area has become part of it, up to end. */
void vmbe_small_grow(vmbe_t *be, vmbe_small_t *a, char *end);
void *vmbe_small_alloc(vmbe_t *be, size_t size, size_t align);
/* The same, unlocked, in a region without pages, where that is the short way: size rounded up to 16 bytes.
 * NULL: there is another way, or no room. */
void *vmbe_small_get(vmbe_t *be, size_t size);
vmbe_small_t *vmbe_small_find(vmbe_t *be, const void *p);
/* Size of the block that starts at p, 0: none does. */
size_t vmbe_small_size(const vmbe_small_t *a, const void *p);
/* Start of the block that holds p, NULL: none does. */
char *vmbe_small_start(const vmbe_small_t *a, const void *p);
int vmbe_small_free(vmbe_t *be, vmbe_small_t *a, void *p);
/* Counts from the bitmaps, which a longjmp() may have left half written; adds to the engine's. */
void vmbe_small_repair(vmbe_t *be, vmbe_small_t *a);
/* 0, or -1: size cannot be had in place. */
int vmbe_small_resize(vmbe_t *be, vmbe_small_t *a, void *p, size_t size);
int vmbe_small_check(vmbe_t *be, const vmbe_small_t *a);
/* Largest block and largest hole, and the number of holes. */
void vmbe_small_stat(const vmbe_small_t *a, size_t *busy, size_t *hole, size_t *nholes);
int vmbe_small_walk(vmbe_t *be, const vmbe_small_t *a, Vmblock_f f, void *handle);

/* ---- desc.c: descriptors; locked ---- */
void vmbe_desc_add(vmbe_t *be, char *from, char *to, size_t npages);
/* See that n descriptors are at hand; 0, -1: no memory for them. */
int vmbe_desc_want(vmbe_t *be, size_t n);
vmbe_run_t *vmbe_desc_get(vmbe_t *be);
void vmbe_desc_put(vmbe_t *be, vmbe_run_t *run);
/* Pages of which no descriptor is in use become free. */
void vmbe_desc_trim(vmbe_t *be);

/* ---- runs.c: the runs of paged areas; locked ---- */
/* A run of npages of a kind that is aligned to align bytes; NULL: none is free. */
vmbe_run_t *vmbe_run_take(vmbe_t *be, size_t npages, size_t align, int kind);
void vmbe_run_give(vmbe_t *be, vmbe_run_t *run);
/* The npages from page on become free, as `run`, merged with free neighbours.  dirty: of these
 * pages, so many at the start may have been touched. */
void vmbe_run_insert(vmbe_t *be, vmbe_run_t *run, char *page, size_t npages, size_t dirty);
/* Take a free run out of the tree and the lists, and put it there. */
void vmbe_run_delist(vmbe_t *be, vmbe_run_t *run);
void vmbe_run_enlist(vmbe_t *be, vmbe_run_t *run);
/* Cut the end of a busy run off from `keep` pages on, or lengthen it by free pages behind it. */
int vmbe_run_trim(vmbe_t *be, vmbe_run_t *run, size_t keep);
int vmbe_run_extend(vmbe_t *be, vmbe_run_t *run, size_t npages);
/* The free run right behind, or NULL. */
vmbe_run_t *vmbe_run_behind(vmbe_t *be, const vmbe_run_t *run);
vmbe_area_t *vmbe_area_of(vmbe_t *be, const void *p);
/* Whether a run that the page map knows is be's.  It may be that of a region inside a block of be, and
 * of one that was left there without vmclose(): then it holds anything. */
int vmbe_isown(const vmbe_t *be, const vmbe_run_t *run);
/* The run of be that holds p, also when p is deep inside; NULL: none. */
vmbe_run_t *vmbe_run_of(vmbe_t *be, const void *addr);
/* The free run that begins or ends with the page at p in area a; NULL: outside, or no free run. */
vmbe_run_t *vmbe_run_freeat(const vmbe_area_t *a, const char *p);
/* The pages of a large block from `keep` on are about to be free: regions inside are no more. */
void vmbe_run_evict(vmbe_t *be, const vmbe_run_t *run, size_t keep);
/* First page of a run of any kind. */
VMOS_INLINE char *vmbe_run_page(const vmbe_run_t *run)
{
    return run->kind == BE_LARGE ? run->u.l.page : run->base;
}

/* ---- fit.c; locked ---- */
/* The order of the tree. */
int vmbe_run_cmp(const vmb_node_t *a, const vmb_node_t *b);
void vmbe_fit_add(vmbe_t *be, vmbe_run_t *run);
void vmbe_fit_remove(vmbe_t *be, vmbe_run_t *run);
/* The tightest free run with npages whose address is a multiple of align; NULL: none.  *from gets the
 * first of these pages. */
vmbe_run_t *vmbe_fit_find(vmbe_t *be, size_t npages, size_t align, size_t *from);
/* The smallest and the largest free run; NULL: there is none. */
vmbe_run_t *vmbe_fit_least(vmbe_t *be);
vmbe_run_t *vmbe_fit_most(vmbe_t *be);
/* Number of free runs, -1: what holds them is out of order. */
long vmbe_fit_check(vmbe_t *be);
/* Forget all free runs. */
void vmbe_fit_reset(vmbe_t *be);

/* ---- ahead.c; locked ---- */
/* Pages [from, end) of a, never touched before, are about to be used. */
void vmbe_ahead(vmbe_t *be, vmbe_area_t *a, const char *from, const char *end);
/* The first touch of a huge page took ns of processor time. */
void vmbe_ahead_took(uint64_t ns, size_t huge);

/* ---- purge.c: pages go back; locked ---- */
/* A free run with dirty pages, in the order of its time. */
void vmbe_dirty_add(vmbe_t *be, vmbe_run_t *run);
void vmbe_dirty_remove(vmbe_t *be, vmbe_run_t *run);
/* There are none. */
void vmbe_dirty_reset(vmbe_t *be);
/* Give back what is due, or all. */
void vmbe_purge(vmbe_t *be, int all);
int vmbe_compact(Vmalloc_t *vm, int local);

/* ---- grow.c: areas; locked ---- */
/* Room for a run of npages (aligned), or, when npages is 0, for `bytes` in a small area.
 * 1: there may be now, search again; 0: no memory. */
int vmbe_grow(vmbe_t *be, size_t npages, size_t align, size_t bytes, int *again);
/* Make [base, end) of seg an area, paged if it is large enough.  dirty: end of what may have been
 * touched before.  1: paged, 0: small, -1: too small for anything. */
int vmbe_area_add(vmbe_t *be, Vmseg_t *seg, char *base, char *end, char *dirty);

/* ---- slab.c ---- */
void vmbe_slab_init(vmbe_lane_t *lane, vmbe_run_t *run, unsigned cls);
/* A block of class cls when the cursor's word is used up; unlocked.  NULL: no memory. */
void *vmbe_refill(vmbe_lane_t *lane, unsigned cls);
/* Bits of word w that stand for no block. */
VMOS_INLINE uint64_t vmbe_invalid(const vmbe_run_t *run, unsigned w)
{
    return w * 64 > run->last           ? ~(uint64_t)0
           : run->last - w * 64u >= 63u ? 0
                                        : ~(uint64_t)0 << (run->last - w * 64 + 1);
}
VMOS_INLINE unsigned vmbe_words(const vmbe_run_t *run) { return run->last / 64u + 1; }
/* Blocks in use; other threads may be at work meanwhile. */
unsigned vmbe_slab_live(const vmbe_run_t *run);
/* An empty slab goes back; locked. */
void vmbe_slab_give(vmbe_lane_t *lane, vmbe_run_t *run);
/* Block i is freed into the caller's own lane, NULL: it has none; 1: done, 0: the slab is another lane's, -1: the
 * block is not in use. */
int vmbe_slab_free(vmbe_lane_t *lane, vmbe_run_t *run, unsigned i);
/* run->left has come to 0. */
void vmbe_slab_notice(vmbe_lane_t *lane, vmbe_run_t *run);
/* A slab of the lane whose tag says that it is full gets the place that its bits call for. */
void vmbe_slab_place(vmbe_lane_t *lane, vmbe_run_t *run);
/* Take in what other threads freed; true when the slab has free blocks. */
int vmbe_collect(vmbe_run_t *run);
int vmbe_isempty(const vmbe_run_t *run);
int vmbe_isfull(const vmbe_run_t *run);
void vmbe_drain(vmbe_lane_t *lane, int locked);
void vmbe_flush(vmbe_lane_t *lane, int locked);
/* Full slabs of other threads' lanes in which blocks were freed become lane's; with the region locked.
 * asleep: only of threads that went through no slab since this was called last. */
void vmbe_gather(vmbe_lane_t *lane, int asleep);
/* Block i of a slab was freed by a thread that does not hold its lane: 0, -1 double free. */
int vmbe_remote_free(vmbe_run_t *run, unsigned i);

/* ---- stash.c: large blocks that were freed, for the next ones ---- */
/* Who frees a large block: 0; -1: it is free. */
VMOS_INLINE int vmbe_large_claim(vmbe_run_t *run)
{
    uint8_t no = 0;
    return __atomic_compare_exchange_n(&run->kept, &no, 1, 0, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED) ? 0 : -1;
}
/* The large block at p is freed; unlocked.  0: done; 1: not kept, nothing was changed; -1: it is free. */
int vmbe_stash_put(vmbe_t *be, vmbe_run_t *run, const void *p);
/* A block of size bytes that the thread freed, NULL: none is like it; unlocked. */
void *vmbe_stash_take(vmbe_t *be, size_t size);
/* The thread freed a large block of so many pages the long way; locked, as the next two. */
void vmbe_stash_want(vmbe_lane_t *lane, uint32_t npages);
/* What was not used for long goes back; all goes back. */
void vmbe_stash_age(vmbe_lane_t *lane);
void vmbe_stash_flush(vmbe_lane_t *lane);
/* What other threads' lanes did not use for long goes back, or all; but what they are at just now. */
void vmbe_stash_gather(vmbe_t *be, int all);
/* What all lanes keep: it is counted as large blocks, but free. */
void vmbe_stash_sum(const vmbe_t *be, size_t *n, size_t *bytes);
/* 0, or -1: it is not in order. */
int vmbe_stash_check(const vmbe_lane_t *lane);

/* ---- meter.c: how many blocks of each class a lane has given, without a look at each ---- */
struct vmbe_meter {
    uint64_t bytes; /* of the blocks that were counted */
    struct {
        int64_t room;  /* blocks until one is due, at the last look; 0: the next one is */
        uint32_t most; /* those that the current slab can give, as it was looked at last */
    } cls[BE_CLASSES];
};
/* From now on m counts; each class has room for what it says.  By the lane's thread, each that comes to hold it;
 * m stays for good. */
void vmbe_meter_begin(vmbe_lane_t *lane, vmbe_meter_t *m);
/* Count what was given since the last look.  Returns the room that is left. */
int64_t vmbe_meter_look(vmbe_lane_t *lane, unsigned cls);
/* See that the lane comes by before more blocks are given than there is room for. */
void vmbe_meter_arm(vmbe_lane_t *lane, unsigned cls);
/* The current slab's next block when its word is used up or veiled, NULL: vmbe_refill(). */
void *vmbe_meter_next(vmbe_lane_t *lane, unsigned cls);
/* n blocks of the slab have become free otherwise than by the thread's quick way. */
void vmbe_meter_gain(vmbe_lane_t *lane, vmbe_run_t *run, unsigned n);
/* All that the lane has given, in bytes, up to now. */
uint64_t vmbe_meter_bytes(vmbe_lane_t *lane);
/* The cursor shows no blocks, though its slab may have some. */
VMOS_INLINE int vmbe_veiled(const vmbe_cursor_t *c) { return c->word == &vmbe_current(c)->veil; }

/* ---- lane.c ---- */
/* The calling thread's lane, made or adopted when it has none; NULL: no memory.  Unlocked. */
vmbe_lane_t *vmbe_lane_get(vmbe_t *be);
/* A lane that no thread holds, made of free pages if need be, NULL: there are none; locked. */
vmbe_lane_t *vmbe_lane_idle(vmbe_t *be);
/* The calling thread's lane if it has one, else NULL. */
vmbe_lane_t *vmbe_lane_mine(vmbe_t *be);
void vmbe_lane_init(vmbe_t *be, vmbe_lane_t *lane);
void vmbe_lane_exit(vmbe_t *be, uintptr_t tid);

/* ---- rebuild.c; locked ---- */
/* Make everything that can be derived anew; alone: no other thread uses the region. */
void vmbe_rebuild(vmbe_t *be, int alone);
/* The same for the calling thread's lane only. */
void vmbe_lane_rebuild(vmbe_t *be);
/* After a longjmp(), what a lane counted or was about to note may be lost: bring all in order once
 * nobody else is about. */
void vmbe_mend(vmbe_t *be);
/* No lane but the calling thread's is held by a thread. */
int vmbe_alone(vmbe_t *be);

/* ---- move.c; locked, or not open yet ---- */
/* All addresses in what is not made anew at VM_METHATTACH become those of now: 1. */
int vmbe_move(vmbe_t *be, Vmalloc_t *vm, Vmmove_t *m);

/* ---- shared.c: regions that processes share ---- */
/* The handle calls these functions from now on, if the region is one. */
void vmbe_shared_settle(Vmalloc_t *vm);
/* With the region locked: the engine, which other processes use with handles of theirs. */
VMOS_INLINE vmbe_t *vmbe_enter(Vmalloc_t *vm)
{
    vmbe_t *be = vmbe_of(vm);
    if (be->log != NULL)
        be->vm = vm;
    return be;
}
/* A block of any size, and back: 0 or -1. */
void *vmbe_shared_get(vmbe_t *be, size_t size);
int vmbe_shared_give(vmbe_t *be, vmbe_run_t *run, void *p);
/* Slabs without blocks in use go back; true if there were any. */
int vmbe_shared_flush(vmbe_t *be, int stepwise);
/* Notes for the page map, and for putting a free run into the tree or taking it out. */
void vmbe_note_map(vmbe_t *be, const void *page, size_t n);
void vmbe_note_insert(vmbe_t *be, const vmbe_run_t *run);
void vmbe_note_remove(vmbe_t *be, const vmbe_run_t *run);

/* ---- alloc.c: everything behind the fast paths ---- */
/* A block from runs or granules, locked; *again as for vmbe_grow(); NULL: no memory. */
void *vmbe_anywhere(vmbe_t *be, size_t size, size_t align, int *again);
/* A run, from a larger region if need be; locked.  NULL: no memory, and no event was raised. */
vmbe_run_t *vmbe_run_get(vmbe_t *be, size_t npages, size_t align, int kind);
void vmbe_large_link(vmbe_t *be, vmbe_run_t *run);
void vmbe_large_unlink(vmbe_t *be, vmbe_run_t *run);
void *vmbe_alloc(vmbe_t *be, size_t size);             /* any size */
void *vmbe_alloc_aligned(vmbe_t *be, size_t size, size_t align);
/* Whether the block at p, just allocated, is known to be cleared. */
int vmbe_iszero(const void *p);
/* Free p when the fast path could not; 0 or -1 (then nothing was changed). */
int vmbe_free_slow(vmbe_t *be, void *p);
/* Size of the block of be that starts at p, 0: none does. */
size_t vmbe_size(vmbe_t *be, const void *p);
/* Resize in place: 0, or -1: cannot. */
int vmbe_inplace(vmbe_t *be, void *p, size_t old, size_t size);

/* What an address is, for messages. */
enum { BE_FOREIGN, BE_BLOCK, BE_INSIDE, BE_FREED, BE_UNUSED, BE_OWN };
typedef struct vmbe_what {
    int what;      /* FOREIGN: not of this region; BLOCK: a block starts there; INSIDE a block;
                      FREED: a free block starts there; UNUSED: free memory; OWN: bookkeeping */
    char *block;   /* start of the block */
    size_t size;   /* its size */
} vmbe_what_t;
vmbe_what_t vmbe_what(vmbe_t *be, const void *p);

/* ---- stat.c, walk.c, check.c; locked ---- */
int vmbe_stat(Vmalloc_t *vm, Vmstat_t *st);
int vmbe_walk(Vmalloc_t *vm, Vmblock_f f, void *handle);
int vmbe_check(Vmalloc_t *vm);
int vmbe_event(Vmalloc_t *vm, int event, void *arg);

#include "fast.h"

#endif
