/* SPDX-License-Identifier: MIT */
/*
 * Writing a method.
 *
 * A method is a Vmethod_t whose member `more` points to a Vmethodx_t.  Its region state is a
 * structure that begins with Vmdata_t's public part below and lies in the first segment.  Its
 * functions lock the region themselves with vmmtlock()/vmmtunlock(), unless `local` is not 0: then
 * the caller holds the lock.
 */
#ifndef _VMALLOC_METHOD_H
#define _VMALLOC_METHOD_H 1

#include <vmalloc.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A segment as a method sees it; its header lies at the start of the segment. */
typedef struct _vmseg_s {
    struct _vmseg_s *next; /* newest first; the first segment of the region is last */
    char *addr;            /* what memoryf returned */
    size_t extent;         /* its size now */
    char *base;            /* first usable byte, aligned to VM_ALIGN */
    char *end;             /* end of what is usable, aligned to VM_ALIGN */
    Void_t *own;           /* for the method; NULL in a new segment */
    Void_t *index[6];      /* for the library */
} Vmseg_t;

/* Events for eventf.  The region is locked in all but VM_METHJUMP. */
#define VM_METHOPEN 1   /* the region is new: data beyond the public part is cleared, arg is the
                           first Vmseg_t; 0, or -1 to fail vmopen() */
#define VM_METHATTACH 2 /* the region was found again (VM_OPEN > 0): make what is process-local */
#define VM_METHCLEAR 3  /* all blocks go, all segments stay */
#define VM_METHCLOSE 4  /* the segments are about to be released; arg not NULL: they are kept, and
                           so are regions in their blocks */
#define VM_METHFORK 5   /* in the child of a fork: other threads are gone */
#define VM_METHTORN 6   /* a lock was broken by vmclrlock(), or there is none and the thread may
                           have left a call by longjmp(): bring the structure in order */
#define VM_METHEXIT 7   /* arg: thread handle of a thread that is ending */
#define VM_METHJUMP 8   /* a thread may have left a call by longjmp(), without a lock: what it counted
                           may be off by a block.  Not locked; may come in a signal handler */
#define VM_METHDEAD 9   /* to methods with VM_MTDEBUG: vmclose() was called though the region is gone,
                           and vm->data is NULL; 0: let it be, else it fails with EINVAL */
#define VM_METHMOVE 10  /* the region, which is not open, lies at other addresses than it was left at: arg
                           is a Vmmove_t.  1: all addresses in what the method keeps in the region are
                           those of now; 0: it cannot do that.  VM_METHATTACH follows */

/* What lay in [from, end] lies `by` bytes further on. */
typedef struct _vmmove_s {
    char *from, *end;
    ptrdiff_t by;
    int wrong; /* set by the method: an address is none of these, and not NULL */
    int some;  /* for the library */
} Vmmove_t;

typedef struct _vmethodx_s {
    const char *name; /* "best" */
    size_t size;      /* of the method's state, see vmmtstate() */
    size_t room;      /* usable bytes that the first segment must have beside it */
    int (*eventf)(Vmalloc_t *vm, int event, Void_t *arg); /* required */
    /* Fill the members of *st about blocks; all are 0 before.  Locked. */
    int (*statf)(Vmalloc_t *vm, Vmstat_t *st);
    /* vmblkwalk(); locked.  NULL: the method knows no blocks. */
    int (*walkf)(Vmalloc_t *vm, Vmblock_f f, Void_t *handle);
    /* vmdbcheck(): number of faults, each told with vmmtfault(); locked.  NULL: nothing to check. */
    int (*checkf)(Vmalloc_t *vm);
} Vmethodx_t;

extern VM_API void vmmtlock(Vmalloc_t *vm);
extern VM_API void vmmtunlock(Vmalloc_t *vm);

/* First segment of the region; follow next. */
extern VM_API Vmseg_t *vmmtsegs(Vmalloc_t *vm);

/* Where the method's state begins behind Vmdata_t's own; cleared at VM_METHOPEN. */
extern VM_API Void_t *vmmtstate(Vmalloc_t *vm);

/* More memory, with the region locked: at least need usable bytes in one piece, want if they can be
 * had (want >= need).  Asks memoryf, and on refusal the discipline's VM_NOMEM handler with the
 * lock released, as often as it says.
 * VM_EXTNEW: *seg is a new segment.  VM_EXTGROWN: *seg is the newest segment, grown in place from
 * *oldend.  VM_EXTRETRY: the handler may have freed memory, search again, then call again with
 * *again as it is.  VM_EXTFAIL: no memory (errno ENOMEM). */
#define VM_EXTFAIL 0
#define VM_EXTNEW 1
#define VM_EXTGROWN 2
#define VM_EXTRETRY 3
extern VM_API int vmmtextend(Vmalloc_t *vm, size_t need, size_t want, Vmseg_t **seg, char **oldend,
                             int *again);

/* Grow seg in place so that [seg->base, seg->end) has at least `usable` bytes.  0 or -1; no event
 * is raised. */
extern VM_API int vmmtgrow(Vmalloc_t *vm, Vmseg_t *seg, size_t usable);

/* Release seg (0, or -1 when the discipline refuses), or its end from `keep` usable bytes on (as
 * much of it as `round` allows; refused: -1, nothing changed). */
extern VM_API int vmmtrelease(Vmalloc_t *vm, Vmseg_t *seg);
extern VM_API int vmmtshrink(Vmalloc_t *vm, Vmseg_t *seg, size_t keep);

/* Report a bad address given to vmfree() or vmresize(): raises VM_BADADDR and sets errno to EINVAL.
 * Without the lock. */
extern VM_API void vmmtbadaddr(Vmalloc_t *vm, Void_t *addr);

/* The method `upper` (Vmdebug, Vmprofile) working over method `under` instead of Vmbest, for
 * vmopen(): vmover(Vmdebug, Vmpool) is a pool that finds memory errors.  The same arguments give the
 * same method as a rule; it stays for good.  NULL: EINVAL when upper is no such method or under is
 * one, ENOMEM.  From every thread. */
extern VM_API Vmethod_t *vmover(Vmethod_t *upper, Vmethod_t *under);

/* The method that cuts the blocks: the one that meth works over (Vmbest for Vmdebug itself), meth when
 * it works over none.  &vm->meth may be asked: whether a region frees single blocks is
 * (vmunder(&vm->meth)->meth & VM_MTLAST) == 0.  NULL for NULL.  From every thread. */
extern VM_API const Vmethod_t *vmunder(const Vmethod_t *meth);

/* Tell one fault that checkf found: a line "vmalloc(PID): region R: sentence" for vmdebug()'s
 * descriptor; addr is printed unless NULL. */
extern VM_API void vmmtfault(Vmalloc_t *vm, const Void_t *addr, const char *sentence);

#ifdef __cplusplus
}
#endif
#endif
