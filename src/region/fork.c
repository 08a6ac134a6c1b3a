/* SPDX-License-Identifier: MIT */
/*
 * fork: the process is copied while nobody is inside the library, and threads that end are told of.
 *
 *   before   list lock -> regions in list order -> opening, Vmheap -> index, watch, book of a checker
 *   parent   all of them again, in reverse
 *   child    all locks as new, then VM_METHFORK to each region: the other threads are gone
 *
 * Regions opened with VM_SINGLE have no lock and hear nothing.
 */
#include "parts.h"

static int locked(const Vmalloc_t *vm)
{
    return !vmr_single(vm);
}

/* Call f for all regions but Vmheap. */
static void others(void (*f)(Vmalloc_t *vm))
{
    Vmalloc_t *vm;

    for (vm = VMR_HEAP->next; vm != NULL; vm = vm->next)
        if (vm->data != NULL && locked(vm))
            (*f)(vm);
}

static void prepare(void)
{
    vmos_lock(&vmr_listlock);
    others(vmr_lock);
    vmos_lock(&vmr_heaplock); /* Vmheap is open or not until this is free again */
    if (VMR_HEAP->data != NULL)
        vmr_lock(VMR_HEAP);
    vmos_lock(&vmr_indexlock);
    vmos_lock(&vmr_watchlock);
    vmos_lock(&vmr_toldlock);
}

static void parent(void)
{
    vmos_unlock(&vmr_toldlock);
    vmos_unlock(&vmr_watchlock);
    vmos_unlock(&vmr_indexlock);
    if (VMR_HEAP->data != NULL)
        vmr_unlock(VMR_HEAP);
    vmos_unlock(&vmr_heaplock);
    others(vmr_unlock);
    vmos_unlock(&vmr_listlock);
}

static void renew(vmos_lock_t *lock)
{
    *lock = (vmos_lock_t){0, 0};
}

static void renewregion(Vmalloc_t *vm)
{
    if (vmr_shared(vm))
        vmr_forkshared(vm); /* the lock is the parent's */
    else
        renew(&vm->data->lock);
}

static void tellforked(Vmalloc_t *vm)
{
    if (vmr_shared(vm))
        return; /* other threads have nothing there for themselves */
    vmr_lock(vm);
    vmr_event(vm, VM_METHFORK, NULL);
    vmr_unlock(vm);
}

/* Who waited for a lock is gone, so there is nobody to wake.  All locks are free before the first
 * method hears of it: it may ask for memory of the region below. */
static void child(void)
{
    renew(&vmr_toldlock);
    renew(&vmr_watchlock);
    renew(&vmr_indexlock);
    renew(&vmr_heaplock);
    renew(&vmr_listlock);
    others(renewregion);
    if (VMR_HEAP->data != NULL) {
        renewregion(VMR_HEAP);
        tellforked(VMR_HEAP);
    }
    others(tellforked);
    vmr_tell(NULL, VMR_FORKED);
}

/* In a thread that ends. */
static void threadends(void)
{
    Vmalloc_t *vm;
    int e = errno;

    vmos_lock(&vmr_listlock);
    for (vm = vmr_next(NULL); vm != NULL; vm = vmr_next(vm)) {
        if (!locked(vm) || vmr_shared(vm))
            continue;
        vmr_lock(vm);
        vmr_event(vm, VM_METHEXIT, (Void_t *)vmos_self());
        vmr_unlock(vm);
    }
    vmos_unlock(&vmr_listlock);
    vmr_tell(NULL, VMR_EXITING);
    errno = e;
}

static int watching, forking;

/* The first must be in place before any method has a thread watched.  The second may call
 * malloc(), and so come back here: it is under no lock, and counts as done before. */
static VMOS_COLD void start(void)
{
    int e = errno;

    vmos_lock(&vmr_heaplock);
    if (!watching)
        vmos_onthreadexit(threadends);
    __atomic_store_n(&watching, 1, __ATOMIC_RELEASE);
    vmos_unlock(&vmr_heaplock);
    if (!__atomic_exchange_n(&forking, 1, __ATOMIC_RELAXED))
        vmos_onfork(prepare, parent, child);
    errno = e;
}

void vmr_start(void)
{
    if (VMOS_UNLIKELY(!__atomic_load_n(&watching, __ATOMIC_ACQUIRE)))
        start();
}
