/* SPDX-License-Identifier: MIT */
/*
 * region: what a region is, whatever its discipline and method.  Knows base and os.
 *
 *      first segment                                     further segments
 *   addr | Vmseg_t | Vmdata_t + method's state | [handle] | base ... end |      addr | Vmseg_t | base ... end |
 *
 * Invariants
 *   - data->segs lists the segments newest first; extent is the sum of theirs and a multiple of
 *     incr; every segment is a node of the process-wide segment index, keyed by address.
 *   - The list of regions is Vmheap, then the others newest first.
 *   - A region that several processes use at the same time (VMR_SHARED) has one segment, which grows in
 *     place, its lock is one between processes, and every change of its bookkeeping is noted in its
 *     log before it is made: see shared.c.
 *   - Order of locks: list, then a region, then the region its memory comes from (opened before
 *     it), then index, then page map.  No event handler runs under any of them.
 */
#ifndef VM_REGION_H
#define VM_REGION_H 1

#include "base.h"
#include "os_checker.h"
#include <vmalloc.h>
#include <vmalloc/discipline.h>
#include <vmalloc/method.h>

typedef struct vmr_user { /* vmuserdata(): in blocks of the region */
    struct vmr_user *next;
    unsigned int key;
    /* the area follows, aligned to VM_ALIGN */
} vmr_user_t;

struct vmr_log;

struct _vmdata_s {
    vmos_lock_t lock; /* first, as in the original */
    int mode;         /* second, as in the original: VM_... flags and VM_MT... */
    unsigned int magic; /* VMR_MAGIC while the region stands */
    size_t incr;        /* segment sizes are multiples of this: lcm(round or page, VM_ALIGN) */
    size_t nseg, extent, maxextent;
    size_t withheld; /* VM_NOMEM was not raised, because a region inside was locked */
    Vmseg_t *segs;
    vmr_user_t *user;
    uintptr_t thread; /* that opened it: VM_SINGLE */
    Vmalloc_t *vm; /* the handle: found again through this at VM_METHATTACH, vmregion() */
    struct vmr_log *log; /* of a VMR_SHARED region; else NULL */
    char name[32];
};
#define VMR_MAGIC 0x564d5247u
#define VMR_SHARED 0x10000 /* in mode: processes use the region at the same time */
#define VMR_UNDERSHIFT 14  /* in mode: where the VM_MT... bits of a method below another one are */
#define VMR_UNDER (VM_METHODS << VMR_UNDERSHIFT)
#define VMR_PRIVATE (VMR_SHARED | VMR_UNDER) /* of no meaning outside */
#define VMR_STATEOFF VMB_UP(sizeof(struct _vmdata_s), VM_ALIGN)

/* The method's state: vmmtstate() as an inline function. */
VMOS_INLINE void *vmr_state(Vmalloc_t *vm) { return (char *)vm->data + VMR_STATEOFF; }

/* Whether one thread uses the region.  That never changes, but vmset() may write other flags of the
 * same word meanwhile. */
VMOS_INLINE int vmr_single(const Vmalloc_t *vm)
{
    return (__atomic_load_n(&vm->data->mode, __ATOMIC_RELAXED) & VM_SINGLE) != 0;
}

VMOS_INLINE int vmr_shared(const Vmalloc_t *vm)
{
    return (__atomic_load_n(&vm->data->mode, __ATOMIC_RELAXED) & VMR_SHARED) != 0;
}

/* ---- regions that processes share (shared.c) ---- */

/* This process among those that share a region.  The discipline makes it, and lets
 * Vmdiscmore_t.peer point to it, before VM_OPEN is done. */
typedef struct vmr_peer {
    uint32_t me;   /* number of the process in the lock: its slot, and how often that was taken */
    uint32_t slot; /* below VMR_SLOTS */
    vmos_alive_f alivef; /* called with the peer: whether process `who` lives */
    int (*forkedf)(struct vmr_peer *peer); /* in the child of a fork: become another one; -1: cannot */
    void (*failedf)(struct vmr_peer *peer); /* vmopen() failed after VM_OPEN: leave */
    const char *lo, *hi; /* all that the region's bookkeeping may lie in */
    uintptr_t holder; /* the thread of this process that holds the region's lock, or 0 */
    unsigned depth;   /* and how often */
} vmr_peer_t;

#define VMR_SLOTS 256    /* processes that may share a region */
#define VMR_RECENT 7     /* blocks that are remembered of each */
#define VMR_LOGSIZE 24576

/* In the region. */
typedef struct vmr_log {
    uint32_t used;   /* bytes of entry[]; 0: no call is on its way */
    uint32_t lost;   /* and it changed what entry[] had no room for */
    uint32_t again;  /* event of the method that was begun and has to be done again, or 0 */
    uint32_t nslots; /* no slot from here on has blocks in recent[] */
    uint64_t died;   /* processes that died in a call */
    char entry[VMR_LOGSIZE];
    struct vmr_recent {
        uint32_t n; /* of all that were noted */
        void *block[VMR_RECENT];
    } __attribute__((aligned(64))) recent[VMR_SLOTS];
} vmr_log_t;

/* vm was opened once more: one vmclose() of it does not close it. */
void vmr_again(Vmalloc_t *vm);
/* Its peer, NULL: it is of this process alone. */
vmr_peer_t *vmr_peer(Vmalloc_t *vm);
/* Whether data is that of a region in [lo, hi) that can be gone on with. */
int vmr_sane(const Vmdata_t *data, const vmr_peer_t *peer);
void vmr_lockshared(Vmalloc_t *vm);
void vmr_unlockshared(Vmalloc_t *vm);
/* [p, p+n) is about to change; in a VMR_SHARED region, locked. */
void vmr_lognote(vmr_log_t *log, const void *p, size_t n);
VMOS_INLINE void vmr_note(Vmalloc_t *vm, const void *p, size_t n)
{
    if (VMOS_UNLIKELY(vm->data->log != NULL))
        vmr_lognote(vm->data->log, p, n);
}
/* All is in order at this moment of a long call: what it did so far stays, whatever comes. */
void vmr_step(Vmalloc_t *vm);
/* The method gave block p to the program, or gets it back.  Locked. */
void vmr_gave(Vmalloc_t *vm, void *p);
void vmr_took(Vmalloc_t *vm, const void *p);
/* No block of before is one any more: of none it is remembered who got it. */
void vmr_forgive(Vmalloc_t *vm);
/* Some may be told of no more: look at as few slots as there are blocks in. */
void vmr_fewer(Vmalloc_t *vm);
/* Tests look at each step: NULL, or called with what is about to happen (VMR_ON...). */
enum { VMR_ONLOCK, VMR_ONNOTE, VMR_ONNOTED, VMR_ONDONE, VMR_ONUNDO };
extern void (*vmr_onstep)(int step, const void *p, size_t n);

VMOS_INLINE void vmr_lock(Vmalloc_t *vm)
{
    int mode = __atomic_load_n(&vm->data->mode, __ATOMIC_RELAXED) & (VM_SINGLE | VMR_SHARED);

    if (VMOS_LIKELY(mode == 0))
        vmos_lock(&vm->data->lock);
    else if (mode & VMR_SHARED)
        vmr_lockshared(vm);
}
VMOS_INLINE void vmr_unlock(Vmalloc_t *vm)
{
    int mode = __atomic_load_n(&vm->data->mode, __ATOMIC_RELAXED) & (VM_SINGLE | VMR_SHARED);

    if (VMOS_LIKELY(mode == 0))
        vmos_unlock(&vm->data->lock);
    else if (mode & VMR_SHARED)
        vmr_unlockshared(vm);
}

/* Old programs may leave a discipline's size unset: it must be a likely one before what it speaks of is
 * read. */
#define VMR_DCSIZEMAX 65536u
VMOS_INLINE int vmr_likelysize(const Vmdisc_t *disc, size_t least)
{
    return disc->size >= least && disc->size <= VMR_DCSIZEMAX;
}
/* What a discipline tells beyond memoryf, NULL: nothing. */
VMOS_INLINE const Vmdiscmore_t *vmr_discmore(const Vmdisc_t *disc)
{
    const Vmdiscmore_t *more = (const Vmdiscmore_t *)disc;

    return vmr_likelysize(disc, sizeof *more) && more->tag == VM_DCMORE ? more : NULL;
}

/* What is known of a region's memory. */
unsigned int vmr_dcflags(Vmalloc_t *vm); /* VM_DC... of its discipline */
const char *vmr_dcname(Vmalloc_t *vm);   /* its name, NULL: it has none */
/* Give pages back through the discipline, keep addresses: 1 they now read as zeros, 0 perhaps,
 * -1 cannot.  Locked. */
int vmr_purge(Vmalloc_t *vm, void *addr, size_t size);

/* Standard disciplines tell by this table what a plain Vmdisc_t cannot; it is found by memoryf, so
 * that copies of a discipline keep what their memoryf can do.  names.c defines it. */
typedef struct vmr_traits {
    Vmemory_f memoryf;
    unsigned int flags;
    int (*purgef)(Vmalloc_t *vm, Void_t *addr, size_t size, Vmdisc_t *disc);
    const char *name;
} vmr_traits_t;
extern const vmr_traits_t vmr_traits[]; /* ends with memoryf NULL */

/* Whether segments of other regions lie in blocks of this one, or did. */
int vmr_guests(Vmalloc_t *vm);
/* Memory [addr, end) of vm comes or goes: what the index still knows of others in it is stale, and
 * their handles become dead.  vm NULL: of no region yet. */
void vmr_sweep(Vmalloc_t *vm, const char *addr, const char *end);

/* The innermost segment of any region that holds addr, NULL: none.  *vm gets its region. */
Vmseg_t *vmr_segof(const void *addr, Vmalloc_t **vm);

/* Vmheap is opened by the first use; every entry that may come first calls this.  NULL with errno
 * when there is no memory at all. */
Vmalloc_t *vmr_heap(void);
/* names.c: the discipline, method and flags that Vmheap is opened with. */
extern Vmdisc_t *const vmr_heapdisc;
extern Vmethod_t *const vmr_heapmeth;

/* The place that the running call of this thread was made from (VMFL), taken and cleared. */
typedef struct vmr_place {
    const char *file, *func;
    int line;
} vmr_place_t;
vmr_place_t vmr_takeplace(void);
/* The same, left for who takes it. */
vmr_place_t vmr_seeplace(void);

/* Above 0 while the library works for the calling thread: its calls on regions are then not the
 * program's.  vmclrlock() sets it to 0. */
extern __thread int vmr_inside VMOS_HIDDEN;

/* Who watches what becomes of regions; NULL: nobody.  Called without locks, vm NULL in the last
 * three. */
enum {
    VMR_OPENED,  /* before VM_ENDOPEN */
    VMR_MODE,    /* vmset() has changed flags */
    VMR_CLEARING,
    VMR_CLOSING,
    VMR_FORKED,  /* in the child */
    VMR_EXITING, /* in a thread that ends */
    VMR_JUMPED   /* vmclrlock() */
};
extern void (*vmr_watch)(Vmalloc_t *vm, int what);
VMOS_INLINE void vmr_tell(Vmalloc_t *vm, int what)
{
    void (*f)(Vmalloc_t *, int) = __atomic_load_n(&vmr_watch, __ATOMIC_ACQUIRE);
    if (VMOS_UNLIKELY(f != NULL))
        (*f)(vm, what);
}
/* f for each segment of each region until it returns non-zero, which is returned.  Takes no lock: for who
 * has made all other threads stand still. */
int vmr_spans(int (*f)(Vmalloc_t *vm, const char *from, const char *end, void *arg), void *arg);
/* Call f for all live regions; none opens or closes meanwhile. */
void vmr_each(void (*f)(Vmalloc_t *vm));

/* Where other processes begin to look: see vmalloc/stat.h. */
typedef struct vmr_mark {
    char magic[16];
    const void *self;
    const Vmalloc_t *heap;
    const vmr_traits_t *traits;
    const unsigned int *layout; /* of the methods' states, names.c tells it */
} vmr_mark_t;
extern vmr_mark_t vmr_mark;
extern const unsigned int vmr_layout;

/* In meth.meth of a handle whose functions are not the method's own: traced, told to a checker. */
#define VMR_TRACED 0x8000u
#define VMR_TOLD 0x4000u

/* ---- memory checkers: Valgrind, AddressSanitizer ---- */

/* What the room does that tells them; names.c says which it is.  Without locks unless said. */
typedef struct vmr_checker {
    void (*openedf)(Vmalloc_t *vm);
    void (*clearedf)(Vmalloc_t *vm); /* before the method hears of it */
    void (*closedf)(Vmalloc_t *vm, int whole); /* not whole: without its segments; perhaps locked */
    void (*gotf)(Vmalloc_t *vm, const char *addr); /* of the discipline, locked */
    void (*releasedf)(Vmalloc_t *vm); /* after vmrelease() */
    /* Whether p, that the method says is a block of *size bytes, is one, and what size was asked for. */
    int (*busyf)(Vmalloc_t *vm, const void *p, size_t *size);
} vmr_checker_t;
extern const vmr_checker_t *const vmr_checker;
extern const int vmr_checkheap; /* whether it may have Vmheap */
extern int vmr_told;            /* not 0: some region was told of */
extern vmos_lock_t vmr_toldlock;

VMOS_INLINE int vmr_istold(void)
{
    return VMOS_UNLIKELY(__atomic_load_n(&vmr_told, __ATOMIC_RELAXED) != 0);
}

/* What the calling thread does from here on is not to be reported: the library looks at memory that is
 * free.  Calls nest.  A handler or function of the program is called between vmr_loud() and
 * vmr_hushagain(); a longjmp() out of it leaves all as it is outside of calls. */
extern __thread int vmr_hushed VMOS_HIDDEN;
VMOS_INLINE void vmr_hush(void)
{
    if (vmr_istold() && vmr_hushed++ == 0)
        vmos_checker_hush(1);
}
VMOS_INLINE void vmr_unhush(void)
{
    if (vmr_istold() && vmr_hushed > 0 &&
        --vmr_hushed == 0)
        vmos_checker_hush(0);
}
VMOS_INLINE int vmr_loud(void)
{
    int n = vmr_istold() ? vmr_hushed : 0;

    if (VMOS_UNLIKELY(n > 0)) {
        vmr_hushed = 0;
        vmos_checker_hush(0);
    }
    return n;
}
VMOS_INLINE void vmr_hushagain(int n)
{
    if (VMOS_UNLIKELY(n > 0)) {
        vmr_hushed = n;
        vmos_checker_hush(1);
    }
}

/* The method hears of an event. */
VMOS_INLINE int vmr_event(Vmalloc_t *vm, int event, Void_t *arg)
{
    int r;

    vmr_hush();
    r = (*vm->meth.more->eventf)(vm, event, arg);
    vmr_unhush();
    return r;
}

/* Let swapf() put another state of the region into its memory, one that was saved while the region's lock
 * was held: it is as if the region were closed and then attached to, with the same handle.  No other
 * thread uses the region.  What swapf() returns; -1 with errno also when no region is there. */
int vmr_swap(Vmalloc_t *vm, int (*swapf)(void *arg), void *arg);

/* The address in the word at field, unless NULL, becomes that of now; one that cannot be becomes NULL, which
 * m->wrong says.  (m->some: it may have been moved already.) */
VMOS_INLINE void vmr_shift(Vmmove_t *m, void *field)
{
    uintptr_t p, size = (uintptr_t)m->end - (uintptr_t)m->from;

    __builtin_memcpy(&p, field, sizeof p);
    if (p == 0 || (m->some && p - ((uintptr_t)m->from + (uintptr_t)m->by) <= size))
        return;
    if (p - (uintptr_t)m->from > size) {
        m->wrong = 1;
        p = 0;
    } else {
        p += (uintptr_t)m->by;
    }
    __builtin_memcpy(field, &p, sizeof p);
}

/* All addresses in the region of vm, which lies where it shall but is not open, become those of now; vm may be
 * no more than disc, meth and data.  -1 with errno: EUCLEAN, it is damaged; ENOTSUP, its method cannot do that. */
int vmr_move(Vmalloc_t *vm, Vmmove_t *m);

/* Areas of vmuserdata() in [from, end) are no more: the method has freed what they lie in.  Locked. */
void vmr_forget(Vmalloc_t *vm, const void *from, const void *end);

/* Watched addresses. */
int vmr_watched(const void *addr);
extern unsigned int vmr_nwatch VMOS_HIDDEN; /* how many such addresses there are */

#endif
