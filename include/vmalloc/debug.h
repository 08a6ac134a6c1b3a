/* SPDX-License-Identifier: MIT */
/*
 * vmalloc/debug.h: Vmdebug, beyond what vmalloc.h has of it (Vmdebug, vmdebug(), vmdbcheck(),
 * vmdbwatch()): leaks, and a function for the debugger.  All are no-ops in their effect on the program:
 * errno is kept, blocks are not changed.
 */
#ifndef VMALLOC_DEBUG_H
#define VMALLOC_DEBUG_H 1

#include <vmalloc.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Tell of the blocks of vm, a region of Vmdebug (NULL: of all of them), that no pointer leads to any more:
 * neither in registers, stacks, static and thread-local data, mapped memory, nor in a live block that is
 * reached itself.  All other threads stand still for that time, by a signal; system calls that they wait
 * in may return with EINTR.  Returns how many blocks are lost; -1 when vm is no such region (EINVAL) or the
 * scan cannot be made (EAGAIN, as without memory or a descriptor for it; ENOTSUP: the system does not tell
 * what memory there is).  From any thread, and from a signal handler that did not interrupt a report. */
extern VM_API long vmdbleaks(Vmalloc_t *vm);

/* Write the sums of vm's blocks to where reports go, in the original's lines.  0, or -1 when there is no
 * such region (EINVAL).  From any thread. */
extern VM_API int vmdbstat(Vmalloc_t *vm);

/* Does nothing, and is called after each report: for a debugger's breakpoint.  From any thread. */
extern VM_API void vmdbwarn(void);

#ifdef __cplusplus
}
#endif

#endif
