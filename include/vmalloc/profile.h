/* SPDX-License-Identifier: MIT */
/*
 * Vmprofile: a method that records who asks for memory, over another method; and what it recorded.
 *
 * A region opened with Vmprofile works over Vmbest, one opened with vmover(Vmprofile, Vmlast) over
 * Vmlast, and so on.  All such regions of a process are in one profile.  "vmalloc report" reads the
 * files that vmprofilefile() and vmprofilewrite() write.
 */
#ifndef _VMALLOC_PROFILE_H
#define _VMALLOC_PROFILE_H 1

#include <vmalloc.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What vmprofileset() sets. */
#define VM_PFDEPTH 1    /* entries kept of a stack, 1 to 128; 32 when every block is recorded, 64
                           when samples are */
#define VM_PFPERIOD 2   /* bytes from one sampled block to the next, on average; 0: record every
                           block, which is what holds at first */
#define VM_PFNEAR 3     /* a block is short-lived when it is freed before the thread has asked for
                           so many more; 16 */
#define VM_PFSEED 4     /* of the sampling; 0, which holds at first: another one in each run */
#define VM_PFMEMORY 5   /* most bytes that the profile may take, 512 MiB; as it fills, stacks are kept
                           less deep, and at last new ones are counted together */
#define VM_PFINTERVAL 6 /* seconds between copies of the profile, written beside its file with the
                           numbers 1, 2, ... behind its name; 0: none */
#define VM_PFINHERIT 7  /* 1: a child of fork() goes on counting from its parent's figures; 0, which
                           is what holds at first: from nothing */
#define VM_PFEXACT 8    /* after so many allocations, all of them recorded, samples are taken, one in
                           VM_PFPERIOD bytes, or in 512 KiB if that is 0; 0, which holds at first:
                           that does not happen.  malloc() under the option profile has 100 million */
#define VM_PFUNUSED 9   /* 1: bytes at the ends of blocks that are never written are counted, where
                           every block is recorded; 0, which is what holds at first: they are not */

/* Set one of the above.  0; -1 (EINVAL) for a value that makes no sense, (EBUSY) once the first
 * region of Vmprofile is open.  From one thread at a time. */
extern VM_API int vmprofileset(int what, size_t value);

/* Keep the profile in a file from now on, whatever way the process ends: it is mapped, not written
 * at the end.  %p in the name stands for the number of the process; a child of fork() gets a file
 * of its own, with its number behind the name if that has no %p; so does a process that finds the
 * file in use by another one.  0; -1 (EBUSY) when there is a file already, or as the system
 * says. */
extern VM_API int vmprofilefile(const char *path);

/* Write a copy of the profile as it is now, with how full segments are, to a descriptor.  0; -1 as
 * the system says, (EINVAL) when nothing was recorded yet. */
extern VM_API int vmprofilewrite(int fd);

#ifdef __cplusplus
}
#endif
#endif
