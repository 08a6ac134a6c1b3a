/* SPDX-License-Identifier: MIT */
/*
 * Statistics for other programs: as JSON, and from outside of the process.
 */
#ifndef _VMALLOC_STAT_H
#define _VMALLOC_STAT_H 1

#include <vmalloc.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Write what vmstat() tells of vm (NULL: of all regions, which cannot be opened or closed
 * meanwhile) to fd, as JSON: {"pid": N, "regions": [{"region": "0x...", "name": "...", "method":
 * "...", "discipline": "...", "n_busy": N, ...}, ...]} with the names of Vmstat_t.  0; -1 with
 * the errno of write(), EINVAL for a region that is gone. */
extern VM_API int vmstatjson(Vmalloc_t *vm, int fd);

/*
 * The regions of another process, whose memory readf can read: `vmalloc top` is made of it.  That
 * process spends nothing on it and is not stopped, so that numbers may be some blocks off, and a
 * region that is being closed may be missing.
 */

/* Copy size bytes at addr of the other process to buf.  0, or -1. */
typedef int (*Vmread_f)(const Void_t *addr, Void_t *buf, size_t size, Void_t *handle);

typedef struct _vmpeek_s {
    const Void_t *vm;    /* its handle, there */
    char name[32];       /* vmname(); "Vmheap"; "" when none */
    char method[32];     /* "best", "debug over best" */
    char discipline[32]; /* "" when it has no name */
    int known;           /* 0: a method of the program's own, whose blocks are not known */
    size_t n_busy, s_busy, n_free, s_free, n_seg, extent, m_extent; /* as in Vmstat_t */
    int n_lock, mode;
} Vmpeek_t;

/* Called for each region, then, unless NULL, for each of its segments; what they return is as with
 * vmwalk(). */
typedef int (*Vmpeek_f)(const Vmpeek_t *region, Void_t *handle);
typedef int (*Vmpeekseg_f)(const Vmpeek_t *region, const Void_t *addr, size_t size, Void_t *handle);

/* In each process there is one of these in writable data of the library, at a multiple of 16: it
 * begins with VM_PEEKMAGIC, and its own address follows. */
#define VM_PEEKMAGIC "\177VM\001regions\n\032\n\0"
#define VM_PEEKMAGICSIZE 16

/* Look at the process whose mark is at `mark`.  The last value of the functions; -1 with errno:
 * EFAULT what it should be made of cannot be read, EINVAL there is no mark, ENOTSUP the process
 * has another build of the library. */
extern VM_API int vmpeek(const Void_t *mark, Vmread_f readf, Vmpeek_f regionf, Vmpeekseg_f segf,
                         Void_t *handle);

#ifdef __cplusplus
}
#endif
#endif
