/* SPDX-License-Identifier: MIT */
/*
 * Disciplines: the ready-made ones, and what a discipline may tell beyond memoryf.
 *
 * A discipline of one's own needs nothing of this file: a Vmdisc_t with a memoryf will do.  Each
 * function here makes a discipline for vmopen(); it returns NULL and sets errno on failure.  A
 * discipline that a function made serves one region or several, as stated, and is freed with
 * vmdcfree() after the regions that use it are closed, unless stated otherwise.
 */
#ifndef _VMALLOC_DISCIPLINE_H
#define _VMALLOC_DISCIPLINE_H 1

#include <vmalloc.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What the memory of a discipline is like. */
#define VM_DCZERO 0001   /* new segments come cleared */
#define VM_DCRESERVE 0002 /* untouched memory costs nothing: large segments are welcome */
#define VM_DCDEVICE 0004 /* the CPU cannot address it: no method of this library takes it */
#define VM_DCSHARED 0010 /* other processes may use the region at the same time */
#define VM_DCKEPT 0020   /* the memory outlives the region's handle, with the page map's words for it, but not at
                            its place: images.  vmclose() ends regions in its blocks */

#define VM_DCMORE 0x564d4443UL /* "VMDC": value of Vmdiscmore_t.tag */

/* A discipline may be one of these; Vmdisc_t.size then is at least sizeof(Vmdiscmore_t). */
typedef struct _vmdiscmore_s {
    Vmdisc_t disc;
    unsigned long tag;  /* VM_DCMORE: the members below are valid */
    unsigned int flags; /* VM_DC... */
    size_t align;       /* segments are aligned to this; 0: not said */
    /* Give the pages of [addr, addr+size) back and keep the addresses: whole pages inside may
     * then read as zeros or as before.  1 when they now read as zeros, 0 when that is not sure,
     * -1 when nothing was done.  NULL: cannot.  Called with the region locked. */
    int (*purgef)(Vmalloc_t *vm, Void_t *addr, size_t size, Vmdisc_t *disc);
    const char *name; /* for statistics and /proc/PID/maps; NULL: none */
    Vmdisc_t *under;  /* the discipline that this one passes requests on to, NULL: none */
    Void_t *peer;     /* for the library: this process among those that share the region; NULL */
} Vmdiscmore_t;

/* Memory in a buffer of the user, of at least 4 KiB, at any address: all of it is the one segment.
 * For one region at a time. */
extern VM_API Vmdisc_t *vmdcfixed(Void_t *buffer, size_t size);
/* The same without an allocation: the discipline is made at the start of the buffer itself, and
 * needs no vmdcfree(). */
extern VM_API Vmdisc_t *vmdcfixedin(Void_t *buffer, size_t size);

/* Huge pages.  pagesize: bytes of a page (2 or 1024 MiB as a rule), 0 for the system's default.
 * fallback: VM_HUGEONLY fails when there are none; VM_HUGETHP then asks the system to merge
 * ordinary pages; VM_HUGEANY takes ordinary pages at last.  vmdchugestat() tells what was got. */
#define VM_HUGEONLY 0
#define VM_HUGETHP 1
#define VM_HUGEANY 2
extern VM_API Vmdisc_t *vmdchuge(size_t pagesize, int fallback);
typedef struct _vmhugestat_s {
    size_t huge;  /* bytes got on explicit huge pages */
    size_t thp;   /* bytes got with the system asked to merge pages */
    size_t plain; /* bytes got on ordinary pages */
} Vmhugestat_t;
extern VM_API int vmdchugestat(Vmdisc_t *disc, Vmhugestat_t *st);

/* Memory on NUMA nodes.  mode: VM_NUMABIND (only there), VM_NUMAPREFER (there first),
 * VM_NUMAINTERLEAVE (in turns); nodes: bit i for node i.  On a system without NUMA calls the
 * function fails with ENOSYS. */
#define VM_NUMABIND 0
#define VM_NUMAPREFER 1
#define VM_NUMAINTERLEAVE 2
extern VM_API Vmdisc_t *vmdcnuma(int mode, unsigned long nodes);

/* A quota on discipline under, shared by all regions opened on the result.  Beyond hard bytes
 * requests are refused; when soft bytes are passed warnf is called once, and again after the total
 * has fallen below soft (0: no soft limit; warnf NULL: silence). */
typedef void (*Vmwarn_f)(Vmdisc_t *disc, size_t total, Void_t *arg);
extern VM_API Vmdisc_t *vmdclimit(Vmdisc_t *under, size_t soft, size_t hard, Vmwarn_f warnf,
                                  Void_t *arg);
/* Bytes held through a limit discipline now. */
extern VM_API size_t vmdclimited(Vmdisc_t *disc);

/* Inaccessible pages before and after each segment of the system's memory. */
extern VM_API Vmdisc_t *vmdcguard(void);

/* Let requests to discipline under fail.  nth: the n-th from now on and all later ones (0: none);
 * bytes: once this total would be passed (0: no such limit); perthousand: so many of 1000, chosen
 * by seed.  vmdcfailset() sets them anew and restarts the counts; vmdcfailcount() tells how many
 * requests came since. */
extern VM_API Vmdisc_t *vmdcfail(Vmdisc_t *under, size_t nth, size_t bytes, int perthousand,
                                 unsigned long seed);
extern VM_API int vmdcfailset(Vmdisc_t *disc, size_t nth, size_t bytes, int perthousand,
                              unsigned long seed);
extern VM_API size_t vmdcfailcount(Vmdisc_t *disc);

/* Log each request and event of discipline under as a line on descriptor fd. */
extern VM_API Vmdisc_t *vmdclog(Vmdisc_t *under, int fd);

/* Free a discipline that one of the functions above made.  0; -1 (EINVAL) for others. */
extern VM_API int vmdcfree(Vmdisc_t *disc);

#ifdef __cplusplus
}
#endif
#endif
