/* SPDX-License-Identifier: MIT */
/*
 * vmset: switch flags of a region.
 */
#include "parts.h"

int vmset(Vmalloc_t *vm, int flags, int on)
{
    int was, now;

    if (vmr_live(vm) == NULL)
        return -1;
    vmr_lock(vm);
    was = vm->data->mode;
    now = on ? was | (flags & VM_SETFLAGS) : was & ~(flags & VM_SETFLAGS);
    __atomic_store_n(&vm->data->mode, now, __ATOMIC_RELAXED); /* vmr_single() reads it unlocked */
    vmr_unlock(vm);
    if (now != was)
        vmr_tell(vm, VMR_MODE);
    return was & ~VMR_SHARED;
}
