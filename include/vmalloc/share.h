/* SPDX-License-Identifier: MIT */
/*
 * Shared images: regions that several processes use at the same time.
 *
 * All of them map the same file, or the same memory, at the same address, and see each other's stores
 * at once.  A process that dies, at whatever instruction, blocks nobody and leaves the bookkeeping of
 * the region whole: the next one in undoes what it had begun.  What is in blocks is the program's to
 * keep in order.  It is no defence against the loss of power, which a committed image is
 * (<vmalloc/image.h>): after one, what is found is made usable if that can be.
 *
 * vmmopen() and its kin, in <vmalloc.h>, are the calls of the original; those here say more.
 */
#ifndef _VMALLOC_SHARE_H
#define _VMALLOC_SHARE_H 1

#include <vmalloc.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Vmshare_t.flags */
#define VM_SHMEMORY 0001  /* name is that of memory, which no file keeps and the next boot forgets */
#define VM_SHFD 0002      /* take descriptor fd, as of memfd_create(2), instead of a name */
#define VM_SHEXIST 0004   /* do not make what is not there */
#define VM_SHNEW 0010     /* make it, and fail when it is there */
#define VM_SHFOREIGN 0020 /* take what neither the user nor root owns: who can write to a shared region
                             can make those who use it do anything */
#define VM_SHONCE 0040    /* remove the name when the region is closed */

/* How vmmshare() opens.  All members 0 is the default. */
typedef struct _vmshare_s {
    unsigned int flags; /* VM_SH... */
    Vmethod_t *meth;    /* Vmbest, Vmlast or Vmpool; NULL: Vmbest.  All use the one it was made with */
    int fd;             /* for VM_SHFD; it is not kept and may be closed */
    int mode;           /* permissions of what is made, 0: 0600 */
    size_t size;        /* what it is likely to hold, in bytes; it grows beyond */
    size_t limit;       /* addresses set aside when it is made: it grows to about this and no further.  0:
                           the more of 16 GiB and 4 * size; less where addresses are scarce */
    Void_t *addr;       /* where to lie when it is made, a multiple of 1 GiB; NULL: chosen */
    char why[160];      /* set by vmmshare(): "", or in a sentence why it failed */
} Vmshare_t;

/* Open the shared region `name`, which is made when it is not there; NULL options: the default.
 * A file may be moved, copied while nobody uses it, and opened by any of its names.  Opened again in
 * the same process it is the same region, and closed when it was closed as often.  The child of a
 * fork() uses it as a process of its own.  Cost does not depend on the size.  NULL with errno:
 *   EADDRINUSE  its addresses are taken in this process
 *   EPROTO      it is something else, or of another version, word size or byte order, or method
 *   EUCLEAN     it was cut or damaged
 *   EPERM       it belongs to another user, see VM_SHFOREIGN
 *   ENOTSUP     processes cannot share a region of this method
 *   EUSERS      as many processes use it as can (256)
 *   and those of open(2). */
extern VM_API Vmalloc_t *vmmshare(const char *name, Vmshare_t *options);

/* Blocks that a process allocated last before it died, up to seven of each process: what it had not
 * linked to anything yet is among them.  Calls f for each block of dead processes that is still
 * allocated, with its size; when f returns other than 0, the block has an owner again, or was freed, and
 * is not told of any more.  f may use the region.  Number of blocks told of; -1 (EINVAL): not a shared
 * region. */
typedef int (*Vmlost_f)(Vmalloc_t *vm, Void_t *addr, size_t size, Void_t *handle);
extern VM_API int vmmlost(Vmalloc_t *vm, Vmlost_f f, Void_t *handle);

/* Who shares a region. */
typedef struct _vmshstat_s {
    unsigned int nproc;       /* processes that use it now */
    unsigned int ndead;       /* processes that died and may have left blocks: see vmmlost() */
    unsigned long died;        /* calls that a process died in, or left by longjmp(), and that were undone */
    Void_t *base;             /* where it lies */
    size_t limit;             /* addresses set aside */
    size_t size;              /* bytes in use of them */
} Vmshstat_t;
extern VM_API int vmmshstat(Vmalloc_t *vm, Vmshstat_t *st);

/* A pointer that is good at any address: the distance to what it points to, from where it is itself; 0
 * is NULL.  Not to be copied as a number; it cannot point to itself.
 *     struct node { vmoff_t next; ... };      VMOFF_SET(n->next, m);  m = VMOFF_GET(struct node, n->next); */
typedef ptrdiff_t vmoff_t;
#define VMOFF_SET(off, p)                                                                        \
    ((void)((off) = (p) ? (vmoff_t)((char *)(p) - (char *)&(off)) : (vmoff_t)0))
#define VMOFF_GET(type, off) ((off) ? (type *)(Void_t *)((char *)&(off) + (off)) : (type *)0)

#ifdef __cplusplus
}
#endif
#endif
