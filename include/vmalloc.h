/* SPDX-License-Identifier: MIT */
/*
 * vmalloc: memory in regions.
 *
 * A region joins a discipline (where raw memory comes from) with a method (how blocks are cut
 * from it).  vmopen() opens one, vmclose() drops it whole.  The idea and the names are those of
 * Kiem-Phong Vo, "Vmalloc: A General and Efficient Memory Allocator", Software - Practice and
 * Experience 26(3), 1996; sources written for that library compile with this header.
 *
 * Unless said otherwise below:
 *   - sizes are bytes; blocks are aligned to VM_ALIGN and are not cleared;
 *   - a function that returns a pointer returns NULL on failure and sets errno (ENOMEM when
 *     memory ran out or a size overflowed, EINVAL for an argument that makes no sense); one that
 *     returns int returns -1 and sets errno; errno is left alone on success;
 *   - every function may be called from every thread on every region, except on regions opened
 *     with VM_SINGLE, which one thread at a time may use.
 */
#ifndef _VMALLOC_H
#define _VMALLOC_H 1

#include <stddef.h>
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Compares as the original's: sources test it to learn which calls exist. */
#define VMALLOC_VERSION 20261122L

#ifndef Void_t
#define Void_t void
#endif

/* Alignment of every block: that of the strictest basic type. */
#define VM_ALIGN 16

/* The 2013 tags beside those of all other years: one structure serves both. */
#define Vmalloc_s _vmalloc_s
#define Vmdisc_s _vmdisc_s
#define Vmethod_s _vmethod_s
#define Vmstat_s _vmstat_s
#define Vmdata_s _vmdata_s

typedef struct _vmalloc_s Vmalloc_t;
typedef struct _vmdisc_s Vmdisc_t;
typedef struct _vmethod_s Vmethod_t;
typedef struct _vmstat_s Vmstat_t;
typedef struct _vmdata_s Vmdata_t;

/*
 * The discipline's one function.  Called with the region locked; must not use the region.
 *   addr NULL, csize 0, nsize > 0   give a new segment of nsize bytes (any alignment)
 *   csize > 0, nsize > csize        grow the segment in place and return addr; or return a new
 *                                   segment of nsize - csize bytes; or NULL to refuse
 *   csize > 0, 0 < nsize < csize    shrink in place and return addr, or NULL to refuse
 *   csize > 0, nsize 0              take the segment back and return addr, or NULL to refuse
 * Sizes are multiples of the region's increment (see Vmdisc_t.round).  For the first segment vm
 * is a temporary: do not keep the pointer.
 */
typedef Void_t *(*Vmemory_f)(Vmalloc_t *vm, Void_t *addr, size_t csize, size_t nsize,
                             Vmdisc_t *disc);

/* The discipline hears of events; see VM_OPEN and those after it.  Called without locks. */
typedef int (*Vmexcept_f)(Vmalloc_t *vm, int type, Void_t *obj, Vmdisc_t *disc);

/* Where memory comes from.  Embed it first in a structure of your own to carry state. */
struct _vmdisc_s {
    Vmemory_f memoryf;  /* required */
    Vmexcept_f exceptf; /* NULL: no interest in events */
    size_t round;       /* segment sizes are multiples of this and of VM_ALIGN; 0: page size */
    size_t size;        /* size of the structure that this one begins; 0: not said.  A larger
                           structure that says what <vmalloc/discipline.h> offers may follow */
};

/* How blocks are cut.  The first eight members are the original's; <vmalloc/method.h> explains
 * the others, which are for those who write a method. */
struct _vmethod_s {
    Void_t *(*allocf)(Vmalloc_t *vm, size_t size, int local);
    Void_t *(*resizef)(Vmalloc_t *vm, Void_t *addr, size_t size, int type, int local);
    int (*freef)(Vmalloc_t *vm, Void_t *addr, int local);
    long (*addrf)(Vmalloc_t *vm, Void_t *addr, int local);
    long (*sizef)(Vmalloc_t *vm, Void_t *addr, int local);
    int (*compactf)(Vmalloc_t *vm, int local);
    Void_t *(*alignf)(Vmalloc_t *vm, size_t size, size_t align, int local);
    unsigned short meth; /* VM_MTBEST, ... */
    const struct _vmethodx_s *more;
};

/* Handle of a region.  Made by vmopen(), never by the program. */
struct _vmalloc_s {
    Vmethod_t meth;  /* copy of the method: the calls below go through it */
    char *file;      /* where the call stands in the program, see VMFL; else NULL */
    int line;        /* same */
    char *func;      /* same */
    Vmdisc_t *disc;  /* current discipline */
    Vmdata_t *data;  /* state of the region, in memory of the discipline */
    Vmalloc_t *next; /* list of all regions; Vmheap is first */
};

/* What vmstat() tells.  Counts are of blocks, sizes in bytes as the method rounds them. */
struct _vmstat_s {
    size_t n_busy;  /* allocated blocks */
    size_t s_busy;  /* their bytes */
    size_t n_free;  /* free pieces */
    size_t s_free;  /* their bytes */
    size_t m_busy;  /* largest allocated block */
    size_t m_free;  /* largest free piece */
    size_t n_seg;   /* segments */
    size_t extent;  /* their bytes */
    size_t n_cache; /* free blocks held in caches of threads; part of n_free */
    size_t s_cache; /* their bytes */
    size_t n_pack;  /* caches of threads in the region */
    size_t m_extent;  /* largest extent so far */
    size_t s_huge;    /* bytes of extent that lie on huge pages, where the discipline knows */
    int n_region;   /* regions summed up */
    int n_open;     /* regions opened by the malloc interface on its own: 0 */
    int n_lock;     /* times a thread had to wait for the region's lock */
    int n_probe;    /* same as n_lock */
    int mode;       /* flags and method bits */
    char name[32];  /* vmname(), "" when none */
    char mesg[160]; /* the same in a line of text */
};

/* Flags of vmopen() and vmset().  Bits not known are ignored, as programs rely on. */
#define VM_TRUST 0000    /* obsolete */
#define VM_TRACE 0001    /* trace lines for this region */
#define VM_DBCHECK 0002  /* Vmdebug: vmdbcheck() at each operation */
#define VM_DBABORT 0004  /* Vmdebug: abort() after a warning */
#define VM_SHARE 0010    /* obsolete: every region may be shared by threads */
#define VM_MEMORYF 0020  /* the handle lies in the discipline's memory; vmopen() only */
#define VM_SINGLE 0040   /* one thread at a time uses the region: no locks; vmopen() only */
#define VM_FLAGS (VM_TRACE | VM_DBCHECK | VM_DBABORT | VM_SHARE)
#define VM_OPENFLAGS (VM_FLAGS | VM_MEMORYF | VM_SINGLE)
#define VM_SETFLAGS VM_FLAGS

/* Method bits in Vmstat_t.mode and in what vmset() returns. */
#define VM_MTBEST 00100
#define VM_MTPOOL 00200
#define VM_MTLAST 00400
#define VM_MTDEBUG 01000
#define VM_MTPROFILE 02000
#define VM_METHODS 03700

/* Types of vmresize(), to be or-ed.  Without RSCOPY and RSMOVE: in place or not at all. */
#define VM_RSCOPY 1 /* may move, and copies the contents */
#define VM_RSMOVE 2 /* may move; alone, contents are lost when moved */
#define VM_RSZERO 4 /* bytes beyond the old size are cleared */

/*
 * Events, in the order of a region's life.  Arguments of exceptf and meaning of its value:
 *   VM_OPEN      obj: Void_t**, pointing to NULL.  < 0: vmopen() fails.  0: go on; *obj set
 *                non-NULL asks for VM_MEMORYF.  > 0: attach to the region whose vm->data *obj is.
 *   VM_ENDOPEN   the region is ready; value ignored.
 *   VM_NOMEM     obj: (Void_t*)size refused by memoryf.  > 0: ask again; 0: search what was freed
 *                meanwhile once more, then fail; < 0: fail.  No lock is held.
 *   VM_BADADDR   obj: an address given to vmfree() or vmresize() that is no block; ignored.
 *   VM_DISC      obj: the discipline that is to replace this one.  Not 0: refused.
 *   VM_CLOSE     obj: (Void_t*)1.  < 0: vmclose() fails; > 0: the segments are kept.
 *   VM_ENDCLOSE  all is released, the discipline may free itself; value ignored.
 */
#define VM_OPEN 1
#define VM_ENDOPEN 2
#define VM_CLOSE 3
#define VM_ENDCLOSE 4
#define VM_DISC 5
#define VM_NOMEM 6
#define VM_BADADDR (-1)

#ifndef VM_API
#if defined(__GNUC__) && !defined(_WIN32)
#define VM_API __attribute__((visibility("default")))
#elif defined(_WIN32) && defined(VM_LIBVMALLOC) /* the library is being built */
#define VM_API __declspec(dllexport)
#else
#define VM_API
#endif
#endif

/* Methods. */
extern VM_API Vmethod_t *Vmbest; /* general purpose: best fit behind size classes and caches */
extern VM_API Vmethod_t *Vmlast; /* build and drop whole: only the last block can be freed */
extern VM_API Vmethod_t *Vmpool; /* one size, that of the first block */
extern VM_API Vmethod_t *Vmdebug; /* Vmbest, and finds errors; over others: vmover() */
extern VM_API Vmethod_t *Vmprofile; /* Vmbest, and records who asks; over others: vmover() */

/* Disciplines.  Writable: `Vmdcheap->round = n` and handlers set in them are honoured. */
extern VM_API Vmdisc_t *Vmdcsystem; /* memory of the system, returned to it */
extern VM_API Vmdisc_t *Vmdcsbrk;   /* the same object under its old name */
extern VM_API Vmdisc_t *Vmdcheap;   /* memory of Vmheap */

/* Vmheap: Vmbest on Vmdcsystem, never closed.  Vmregion: the region that malloc() uses, Vmheap
 * at first; assign it to redirect malloc() (blocks allocated before can still be freed). */
extern VM_API Vmalloc_t *Vmheap;
extern VM_API Vmalloc_t *Vmregion;
#define _Vmheap (*Vmheap)

/* Open a region.  NULL with errno EINVAL when disc, meth or disc->memoryf is NULL, ECANCELED when
 * the VM_OPEN handler refused, ENOMEM.  One segment is obtained at once. */
extern VM_API Vmalloc_t *vmopen(Vmdisc_t *disc, Vmethod_t *meth, int flags);

/* Release all memory of a region, and its handle.  0; -1 for NULL and Vmheap (EINVAL) and when
 * the VM_CLOSE handler refuses (ECANCELED).  Cost does not depend on the number of blocks. */
extern VM_API int vmclose(Vmalloc_t *vm);

/* Free every block of a region and keep its segments.  0, or -1 for NULL (EINVAL). */
extern VM_API int vmclear(Vmalloc_t *vm);

/* Switch flags of VM_SETFLAGS on or off; returns the mode before (flags and method bits).
 * flags 0 and on 0 only asks. */
extern VM_API int vmset(Vmalloc_t *vm, int flags, int on);

/* Replace the discipline; returns the one before, or NULL (ECANCELED) when its VM_DISC handler
 * refused.  disc NULL: returns the current one. */
extern VM_API Vmdisc_t *vmdisc(Vmalloc_t *vm, Vmdisc_t *disc);

/* A block of at least size bytes.  size 0: a distinct block, except NULL (EINVAL) for Vmpool. */
extern VM_API Void_t *vmalloc(Vmalloc_t *vm, size_t size);

/* A block whose address is a multiple of align (any number, not only powers of two) and of
 * VM_ALIGN.  size 0 or align 0: NULL (EINVAL); always NULL for Vmpool. */
extern VM_API Void_t *vmalign(Vmalloc_t *vm, size_t size, size_t align);

/* Resize a block: in place if that can be, else as type allows.  addr NULL: as vmalloc(), cleared
 * with VM_RSZERO.  size 0: as vmfree(), returns NULL.  Shrinking keeps the address (Vmlast: of the
 * last block; others move or stay as type says).  On failure NULL, and the block is as before. */
extern VM_API Void_t *vmresize(Vmalloc_t *vm, Void_t *addr, size_t size, int type);

/* Free a block.  0, also for NULL; -1 (EINVAL, after event VM_BADADDR) when addr is no block of
 * the region that can be freed; then nothing was changed. */
extern VM_API int vmfree(Vmalloc_t *vm, Void_t *addr);

/* Offset of addr in the block that contains it, -1 when none does. */
extern VM_API long vmaddr(Vmalloc_t *vm, Void_t *addr);

/* Size of the block that starts at addr, -1 when none does.  LONG_MAX stands for that and all above. */
extern VM_API long vmsize(Vmalloc_t *vm, Void_t *addr);

/* Give free memory back to the discipline, and the pages of what must stay.  0. */
extern VM_API int vmcompact(Vmalloc_t *vm);

/* The region whose memory holds addr, the innermost where one lies in another; else NULL.
 * Any address may be asked. */
extern VM_API Vmalloc_t *vmregion(Void_t *addr);

/* Start of the segment of vm that holds addr, or NULL. */
extern VM_API Void_t *vmsegment(Vmalloc_t *vm, Void_t *addr);
extern VM_API Void_t *vmsegfind(Vmalloc_t *vm, Void_t *addr);

/* Call f for each segment of vm, or of every region when vm is NULL, Vmheap first.  A negative
 * value of f ends the walk and is returned; else the last value, 0 when there was none.  The
 * region is locked meanwhile: f must not use it. */
typedef int (*Vmwalk_f)(Vmalloc_t *vm, Void_t *addr, size_t size, Vmdisc_t *disc, Void_t *handle);
typedef Vmwalk_f Vmseg_f;
extern VM_API int vmwalk(Vmalloc_t *vm, Vmwalk_f f, Void_t *handle);
extern VM_API int vmsegwalk(Vmalloc_t *vm, Vmwalk_f f, Void_t *handle);

/* Call f for each block of vm: address, size, and whether it is allocated (1) or free (0); rules
 * as for vmwalk(). */
typedef int (*Vmblock_f)(Vmalloc_t *vm, Void_t *addr, size_t size, int busy, Void_t *handle);
extern VM_API int vmblkwalk(Vmalloc_t *vm, Vmblock_f f, Void_t *handle);

/* Fill *st; costs no walk.  0.  vm NULL: Vmregion.  st NULL: 1 if the region is locked at this
 * moment, else 0, without waiting (may be called from a signal handler). */
extern VM_API int vmstat(Vmalloc_t *vm, Vmstat_t *st);

/* Memory as in realloc() with one function: vm NULL opens a region (Vmdcheap, Vmbest) and returns
 * it; addr NULL and size 0 closes vm and returns NULL; else vmresize() with RSMOVE, RSCOPY and
 * RSZERO. */
extern VM_API Void_t *vmgetmem(Vmalloc_t *vm, Void_t *addr, size_t size);

/* Copy of a string, or NULL; s NULL: NULL. */
extern VM_API char *vmstrdup(Vmalloc_t *vm, const char *s);

/* Name a region, for statistics and messages; the first 31 bytes are copied.  name NULL only
 * asks.  Returns the name in force, "" when there is none. */
extern VM_API const char *vmname(Vmalloc_t *vm, const char *name);

/* Vmlast only: vmmark() notes how far the region is filled, vmrelease() frees all blocks that came
 * after (0; -1 EINVAL for a mark that is not of this region or no longer stands).  NULL
 * (ENOTSUP) with other methods.  A mark is a block of the region: clearing frees it too. */
extern VM_API Void_t *vmmark(Vmalloc_t *vm);
extern VM_API int vmrelease(Vmalloc_t *vm, Void_t *mark);

/* Area of size bytes for key in the region, made and cleared when it is not there yet; one that
 * exists is returned whatever the size.  size <= 0: only looks, NULL when absent. */
extern VM_API Void_t *vmuserdata(Vmalloc_t *vm, unsigned int key, ssize_t size);

/* Release locks that the calling thread holds (all 0), or all locks, in every region: for use
 * after a longjmp() out of an allocation. */
extern VM_API void vmclrlock(int all);

/* A discipline that takes its segments from region vm, in multiples of round (0: a page).  It
 * lives in Vmheap (heap not 0) or in vm, goes with the region that uses it, and refuses
 * vmdisc().  NULL on failure. */
extern VM_API Vmdisc_t *vmdcderive(Vmalloc_t *vm, ssize_t round, int heap);

/* Descriptor that warnings go to, at first 2; -1: none.  Returns the one before. */
extern VM_API int vmdebug(int fd);

/* Check the structure of a region.  The number of damaged places found, each told in one line on
 * the descriptor of vmdebug(); 0 when it is sound. */
extern VM_API int vmdbcheck(Vmalloc_t *vm);

/* A region in a file that several processes use at once, and that is there again when it is opened the
 * next time.  project < 0: in the file; else in memory of which file and project are the name.  size: what
 * it is likely to hold; it grows beyond.  Vmbest.  NULL with errno when it cannot be opened: see
 * <vmalloc/share.h>, which has more ways to do so. */
extern VM_API Vmalloc_t *vmmopen(const char *file, int project, ssize_t size);

/* Values that such a region keeps by numbers.  VM_MMGET: the value, NULL when there is none;
 * VM_MMSET: set it to val; VM_MMADD: add (long)val to it, which began at 0.  All return the value that
 * it has then.  NULL (errno EINVAL, ENOMEM) for another op or region, or without memory. */
#define VM_MMGET 0
#define VM_MMSET 1
#define VM_MMADD 2
extern VM_API Void_t *vmmvalue(Vmalloc_t *vm, int key, Void_t *val, int op);

/* type > 0: the file or the memory goes when the region is closed; else it stays. */
extern VM_API void vmmrelease(Vmalloc_t *vm, int type);

/* An address where size bytes can be mapped, another one at each call; NULL: none. */
extern VM_API Void_t *vmmaddress(size_t size);

/* The discipline of vmmopen(), for one region, which frees it when it is closed.  type < 0: the file or the
 * memory goes then.  NULL: EINVAL, ENOMEM. */
extern VM_API Vmdisc_t *vmdcshare(const char *name, int project, ssize_t size, int type);

/* Put addr on the list of 32 watched addresses.  NULL, or the address that fell off the list.
 * addr NULL empties the list.  Vmdebug regions tell of operations on watched blocks. */
extern VM_API Void_t *vmdbwatch(Void_t *addr);

/* Write a line to fd for each call on a region with VM_TRACE that makes, moves or frees a block, one
 * write() each; -1 at first, and to end it.  Returns the descriptor before.  <vmalloc/trace.h> tells
 * the lines, and of traces into files. */
extern VM_API int vmtrace(int fd);

/* Write such a line for each allocated block of vm, with u for the method.  0; -1 (EINVAL) when
 * nothing is traced or vm is NULL, (ENOTSUP) when the method does not know its blocks. */
extern VM_API int vmtrbusy(Vmalloc_t *vm);

/* Write what the Vmprofile region vm, NULL: all of them, recorded so far to fd, in lines of the
 * original's form: by region, and by file and line as VMFL tells.  0; -1 (EBADF) when fd < 0, (EINVAL)
 * when vm is no such region.  <vmalloc/profile.h> has what tells more. */
extern VM_API int vmprofile(Vmalloc_t *vm, int fd);

/* The malloc interface opens no regions on its own: the limit is accepted and has no effect. */
#define setregmax(n) (n)

#define _VM_(vm) ((Vmalloc_t *)(vm))
#define vmdata(vm) ((Void_t *)(_VM_(vm)->data))
#define vmlocked(vm) vmstat(_VM_(vm), (Vmstat_t *)0)

/* Arrays with x extra bytes: cleared, and not.  n * sizeof(type) + x is checked for overflow. */
#define vmnewof(vm, p, type, n, x)                                                               \
    ((type *)vmresize((vm), (Void_t *)(p), _vmsizeof(sizeof(type), (n), (x)),                    \
                      VM_RSMOVE | VM_RSCOPY | VM_RSZERO))
#define vmoldof(vm, p, type, n, x)                                                               \
    ((type *)vmresize((vm), (Void_t *)(p), _vmsizeof(sizeof(type), (n), (x)), VM_RSMOVE))
/* size * n + x, or the largest size_t when that overflows. */
extern VM_API size_t _vmsizeof(size_t size, size_t n, size_t x);

/* With VMFL defined, calls carry the place in the source to methods that want it.  Safe with
 * threads: the place travels with the call. */
extern VM_API Void_t *_vmflalloc(Vmalloc_t *, size_t, const char *, int, const char *);
extern VM_API Void_t *_vmflalign(Vmalloc_t *, size_t, size_t, const char *, int, const char *);
extern VM_API Void_t *_vmflresize(Vmalloc_t *, Void_t *, size_t, int, const char *, int,
                                  const char *);
extern VM_API int _vmflfree(Vmalloc_t *, Void_t *, const char *, int, const char *);
extern VM_API char *_vmflstrdup(Vmalloc_t *, const char *, const char *, int, const char *);
/* For the malloc family: note the place for this thread's next call. */
extern VM_API int _vmflhere(const char *, int, const char *);

#if defined(__STDC_VERSION__) && __STDC_VERSION__ >= 199901L
#define _VMFUNC_ __func__
#else
#define _VMFUNC_ ((const char *)0)
#endif

#ifdef VMFL
#define vmalloc(vm, sz) _vmflalloc(_VM_(vm), (sz), __FILE__, __LINE__, _VMFUNC_)
#define vmalign(vm, sz, al) _vmflalign(_VM_(vm), (sz), (al), __FILE__, __LINE__, _VMFUNC_)
#define vmresize(vm, p, sz, t)                                                                   \
    _vmflresize(_VM_(vm), (Void_t *)(p), (sz), (t), __FILE__, __LINE__, _VMFUNC_)
#define vmfree(vm, p) _vmflfree(_VM_(vm), (Void_t *)(p), __FILE__, __LINE__, _VMFUNC_)
#define vmstrdup(vm, s) _vmflstrdup(_VM_(vm), (s), __FILE__, __LINE__, _VMFUNC_)
#if !defined(_std_malloc) && !defined(__cplusplus)
#include <stdlib.h>
#include <string.h>
#undef malloc
#undef realloc
#undef calloc
#undef free
#undef strdup
#define malloc(n) (_vmflhere(__FILE__, __LINE__, _VMFUNC_), malloc)(n)
#define realloc(p, n) (_vmflhere(__FILE__, __LINE__, _VMFUNC_), realloc)((p), (n))
#define calloc(n, s) (_vmflhere(__FILE__, __LINE__, _VMFUNC_), calloc)((n), (s))
#define free(p) (_vmflhere(__FILE__, __LINE__, _VMFUNC_), free)(p)
#define memalign(a, n) (_vmflhere(__FILE__, __LINE__, _VMFUNC_), memalign)((a), (n))
#define valloc(n) (_vmflhere(__FILE__, __LINE__, _VMFUNC_), valloc)(n)
#define cfree(p) (_vmflhere(__FILE__, __LINE__, _VMFUNC_), free)(p)
#if defined(_POSIX_C_SOURCE) || defined(_DEFAULT_SOURCE) || defined(_GNU_SOURCE)
#define strdup(s) (_vmflhere(__FILE__, __LINE__, _VMFUNC_), strdup)(s)
#endif
#endif
#else
#define vmalloc(vm, sz) ((*(_VM_(vm)->meth.allocf))(_VM_(vm), (sz), 0))
#define vmalign(vm, sz, al) ((*(_VM_(vm)->meth.alignf))(_VM_(vm), (sz), (al), 0))
#define vmresize(vm, p, sz, t)                                                                   \
    ((*(_VM_(vm)->meth.resizef))(_VM_(vm), (Void_t *)(p), (sz), (t), 0))
#define vmfree(vm, p) ((*(_VM_(vm)->meth.freef))(_VM_(vm), (Void_t *)(p), 0))
#endif
#define vmaddr(vm, p) ((*(_VM_(vm)->meth.addrf))(_VM_(vm), (Void_t *)(p), 0))
#define vmsize(vm, p) ((*(_VM_(vm)->meth.sizef))(_VM_(vm), (Void_t *)(p), 0))
#define vmcompact(vm) ((*(_VM_(vm)->meth.compactf))(_VM_(vm), 0))

#ifdef __cplusplus
}
#endif
#endif
