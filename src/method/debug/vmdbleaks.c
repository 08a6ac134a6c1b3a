/* SPDX-License-Identifier: MIT */
/*
 * vmdbleaks: the scan for leaks on demand, and at the end.
 */
#include "books.h"
#include "leaks.h"

#include <errno.h>

/* Its frame lies below that of the caller, in which all registers that calls keep have been saved. */
static VMOS_NOINLINE long scan(uint32_t region, vmdg_when_t when)
{
    uintptr_t sp = (uintptr_t)__builtin_frame_address(0);
    return vmdg_leaks(region, when, when == VMDG_ATEXIT ? vmdg_leaks_stackend(sp) : sp);
}

long vmdbleaks(Vmalloc_t *vm)
{
    int keep = errno;
    long lost;
    if (vm != NULL && (vm->data == NULL || (vm->meth.meth & ~VMR_TRACED) != VM_MTDEBUG)) {
        errno = EINVAL;
        return -1;
    }
    if (!vmdg_leaks_known())
        return -1;
    __builtin_unwind_init();
    lost = scan(vm != NULL ? vmdg_of(vm)->region : 0, VMDG_ATDEMAND);
    errno = lost < 0 ? EAGAIN : keep;
    return lost;
}

void vmdg_leaks_atend(void)
{
    if (!vmdg_leaks_known()) {
        vmb_fault("leaks: not looked for: %s",
                  errno == EAGAIN ? "no descriptor is left to ask what memory there is"
                                  : "the system does not tell what memory there is");
        return;
    }
    __builtin_unwind_init();
    scan(0, VMDG_ATEXIT);
}
