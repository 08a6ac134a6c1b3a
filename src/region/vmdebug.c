/* SPDX-License-Identifier: MIT */
/*
 * vmdebug: where messages go, checks of a region's structure, and watched addresses.
 *
 *   watch[]  oldest at watch[first], then round the ring; slots are read without the lock
 */
#include "parts.h"

#define NWATCH 32

vmos_lock_t vmr_watchlock;
static const void *watch[NWATCH];
static unsigned int first;
unsigned int vmr_nwatch;

int vmdebug(int fd)
{
    return __atomic_exchange_n(&vmb_faultfd, fd, __ATOMIC_RELAXED);
}

int vmdbcheck(Vmalloc_t *vm)
{
    int e = errno, faults = 0;

    if (vmr_live(vm) == NULL)
        return -1;
    vmr_lock(vm);
    vmr_hush();
    if (vm->meth.more->checkf != NULL)
        faults = (*vm->meth.more->checkf)(vm);
    vmr_unhush();
    vmr_unlock(vm);
    errno = e;
    return faults;
}

int vmr_watched(const void *addr)
{
    unsigned int i;

    if (addr == NULL || __atomic_load_n(&vmr_nwatch, __ATOMIC_RELAXED) == 0)
        return 0;
    for (i = 0; i < NWATCH; i++)
        if (__atomic_load_n(&watch[i], __ATOMIC_RELAXED) == addr)
            return 1;
    return 0;
}

static void forget(void)
{
    unsigned int i;

    for (i = 0; i < NWATCH; i++)
        __atomic_store_n(&watch[i], NULL, __ATOMIC_RELAXED);
    __atomic_store_n(&vmr_nwatch, 0, __ATOMIC_RELAXED);
}

/* Put addr in; the address that had to go. */
static const void *remember(const void *addr)
{
    unsigned int slot = (first + vmr_nwatch) % NWATCH;
    const void *gone = watch[slot];

    __atomic_store_n(&watch[slot], addr, __ATOMIC_RELAXED);
    if (vmr_nwatch < NWATCH)
        __atomic_store_n(&vmr_nwatch, vmr_nwatch + 1, __ATOMIC_RELAXED);
    else
        first = (first + 1) % NWATCH;
    return gone;
}

Void_t *vmdbwatch(Void_t *addr)
{
    const void *gone = NULL;

    vmos_lock(&vmr_watchlock);
    if (addr == NULL)
        forget();
    else if (!vmr_watched(addr))
        gone = remember(addr);
    vmos_unlock(&vmr_watchlock);
    return (Void_t *)(uintptr_t)gone;
}
