/* SPDX-License-Identifier: MIT */
/*
 * traced: the malloc family in traces, see doc/design/trace.md.
 *
 * While Vmheap is traced no thread has a lane, so that every call comes to slow.c, which goes through
 * the handle; this file takes the lanes away.  A thread that is in malloc() meanwhile ends that call
 * with the lane it has, which remains its own in the region.
 */
#include "traced.h"
#include "malloc.h"
#include "options.h"
#include "trace.h"

#include <string.h>

static void takelanes(void)
{
    vmbe_t *be = vmbe_of(Vmheap);
    vmbe_lane_t *lane;
    vmr_lock(Vmheap);
    for (lane = be->lanes; lane != NULL; lane = lane->next)
        if (lane->cache != NULL)
            BE_STORE(*lane->cache, &vmbe_nolane);
    vmr_unlock(Vmheap);
}

/* The value of the option, made a string.  0, -1: too long. */
static int path(char to[], size_t size)
{
    size_t n = vmma_options.tracelen;
    if (n >= size)
        return -1;
    memcpy(to, vmma_options.trace, n);
    to[n] = '\0';
    return 0;
}

/* Without a word about the form the name tells it. */
static int isbinary(const char *file)
{
    size_t n = strlen(file);
    if (vmma_options.traceform != 0)
        return vmma_options.traceform > 0;
    return n > 4 && strcmp(file + n - 4, ".vmt") == 0;
}

static int tofile(void)
{
    char file[VMTR_PATH];
    if (path(file, sizeof file) != 0)
        return -1;
    return vmtracefile(file, VM_TRALL | (isbinary(file) ? VM_TRBINARY : 0));
}

void vmma_traced_begin(void)
{
    int r = 0;
    vmtr_onheap = takelanes;
    if (vmma_options.tracefd >= 0) {
        vmset(Vmregion, VM_TRACE, 1);
        vmtrace(vmma_options.tracefd);
    } else if (vmma_options.tracelen > 0) {
        r = tofile();
    }
    if (r != 0)
        vmb_fault("trace=%.*s: cannot be written", (int)VMB_MIN(vmma_options.tracelen, 200),
                  vmma_options.trace);
}
