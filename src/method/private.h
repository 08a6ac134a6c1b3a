/* SPDX-License-Identifier: MIT */
/*
 * private: what a thread may do alone, without the region's lock.
 *
 * A vmm_own_t guards something that one thread uses all the time and others seldom.  Its owner
 * says by `busy` that it is at work and then looks whether it is the owner still; who else wants
 * the thing holds the region's lock, sets owner to 0 and waits until busy is 0.  Both sides store
 * first and load then; the barrier between, which Dekker's handshake needs, is only on the side
 * that comes seldom (vmos_barrier() puts it into all threads).
 *
 * Invariants
 *   1. owner becomes other than 0, and changes hands, only under the region's lock.
 *   2. busy is 1 only while the owner is inside; so it never waits for the lock there.  A thread
 *      that leaves from inside by longjmp() calls vmclrlock(), and so vmm_left().
 *
 * Cost for the owner: two loads and two stores (Vmlast: one, see vmla_inside()).  For others:
 * microseconds.
 */
#ifndef VM_METHOD_PRIVATE_H
#define VM_METHOD_PRIVATE_H 1

#include "region.h"

#include <errno.h>

typedef struct vmm_own {
    uintptr_t owner; /* vmos_self() or 0 */
    uintptr_t busy;
    uintptr_t was; /* whose it was when it was held last */
} vmm_own_t;

/* Whether all threads that use the region belong to this process, so that vmos_self() tells them
 * apart, and there is the barrier.  A region that other processes can find again needs a VM_OPEN
 * handler; so a discipline without handlers is private, and so is one that says what it is
 * (VM_DC...) and does not say VM_DCSHARED. */
VMOS_INLINE int vmm_private(Vmalloc_t *vm)
{
    unsigned int flags = vmr_dcflags(vm);

    return !(flags & VM_DCSHARED) && (flags != 0 || vm->disc->exceptf == NULL) &&
           vmos_barrier_ready();
}

/* addr, given to a call, is no block: -1. */
VMOS_INLINE int vmm_bad(Vmalloc_t *vm, Void_t *addr, int local)
{
    if (local)
        errno = EINVAL; /* no event under a lock */
    else
        vmmtbadaddr(vm, addr);
    return -1;
}

VMOS_INLINE uintptr_t vmm_owner(const vmm_own_t *o)
{
    return __atomic_load_n(&o->owner, __ATOMIC_RELAXED);
}

/* Whether the calling thread, self, owns it; then it is inside until vmm_done(). */
VMOS_INLINE int vmm_mine(vmm_own_t *o, uintptr_t self)
{
    if (VMOS_UNLIKELY(vmm_owner(o) != self))
        return 0;
    __atomic_store_n(&o->busy, 1, __ATOMIC_RELAXED);
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    if (VMOS_LIKELY(__atomic_load_n(&o->owner, __ATOMIC_ACQUIRE) == self))
        return 1;
    __atomic_store_n(&o->busy, 0, __ATOMIC_RELEASE);
    return 0;
}

VMOS_INLINE void vmm_done(vmm_own_t *o)
{
    __atomic_store_n(&o->busy, 0, __ATOMIC_RELEASE);
}

/* With the region locked: make it the property of owner (0: of nobody). */
VMOS_INLINE void vmm_give(vmm_own_t *o, uintptr_t owner)
{
    __atomic_store_n(&o->owner, owner, __ATOMIC_RELEASE);
}

/* After owner was set to 0, and vmos_barrier(). */
VMOS_INLINE void vmm_wait(const vmm_own_t *o)
{
    while (__atomic_load_n(&o->busy, __ATOMIC_ACQUIRE))
        vmos_yield();
}

/* With the region locked: let no owner in any more, unless it is the calling thread.  Returns whose it
 * was; if that is another thread, it may still be inside. */
VMOS_INLINE uintptr_t vmm_shut(vmm_own_t *o)
{
    uintptr_t owner = vmm_owner(o);

    if (owner == 0 || owner == vmos_self())
        return owner;
    __atomic_store_n(&o->was, owner, __ATOMIC_RELAXED);
    __atomic_store_n(&o->owner, 0, __ATOMIC_RELAXED);
    vmos_barrier();
    return owner;
}

/* The same, and then nobody else is inside.  Returns whose it was, for vmm_give(). */
VMOS_INLINE uintptr_t vmm_hold(vmm_own_t *o)
{
    uintptr_t owner = vmm_shut(o);

    if (owner != 0 && owner != vmos_self())
        vmm_wait(o);
    return owner;
}

/* Whether it is the calling thread's, perhaps held by another one just now. */
VMOS_INLINE int vmm_belongs(const vmm_own_t *o)
{
    uintptr_t owner = vmm_owner(o), self = vmos_self();

    return owner == self || (owner == 0 && __atomic_load_n(&o->was, __ATOMIC_RELAXED) == self);
}

/* The calling thread is about to longjmp(): it is not inside any more.  Whether it was. */
VMOS_INLINE int vmm_left(vmm_own_t *o)
{
    if (!vmm_belongs(o) || !__atomic_load_n(&o->busy, __ATOMIC_RELAXED))
        return 0;
    vmm_done(o);
    return 1;
}

/* After a fork: nobody's, whatever went on. */
VMOS_INLINE void vmm_forget(vmm_own_t *o)
{
    vmm_give(o, 0);
    vmm_done(o);
}

#endif
