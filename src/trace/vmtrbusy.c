/* SPDX-License-Identifier: MIT */
/*
 * vmtrbusy: a line, or a record, for each allocated block of a region.
 *
 * Written while the region is locked: the list is that of one moment.
 */
#include "trace.h"

#include <errno.h>

static int busy(Vmalloc_t *vm, Void_t *addr, size_t size, int isbusy, Void_t *handle)
{
    vmtr_event_t e = {.kind = VM_TRBUSY, .vm = vm, .new = addr, .size = size};
    (void)handle;
    if (isbusy) {
        e.seq = vmtr_draw();
        vmtr_note(&e);
    }
    return 0;
}

int vmtrbusy(Vmalloc_t *vm)
{
    int r;
    if (vm == NULL || vmtr_form == VMTR_OFF) {
        errno = EINVAL;
        return -1;
    }
    vmr_inside++;
    r = vmblkwalk(vm, busy, NULL);
    vmr_inside--;
    return r < 0 ? -1 : 0;
}
