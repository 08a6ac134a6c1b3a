/* SPDX-License-Identifier: MIT */
/*
 * private: whether all threads that use a region belong to this process.
 *
 * Only then may a method tell threads apart by vmos_self(), and use vmos_barrier().  A region that
 * other processes can find again needs a VM_OPEN handler; so a discipline without handlers is
 * private, and so is one that says what it is (VM_DC...) and does not say VM_DCSHARED.
 */
#ifndef VM_METHOD_PRIVATE_H
#define VM_METHOD_PRIVATE_H 1

#include "region.h"

VMOS_INLINE int vmm_private(Vmalloc_t *vm)
{
    unsigned int flags = vmr_dcflags(vm);

    return !(flags & VM_DCSHARED) && (flags != 0 || vm->disc->exceptf == NULL);
}

#endif
