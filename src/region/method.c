/* SPDX-License-Identifier: MIT */
/*
 * method: what else the library offers to methods, and what it knows of disciplines for them.
 */
#include "parts.h"

void vmmtlock(Vmalloc_t *vm)
{
    vmr_lock(vm);
}

void vmmtunlock(Vmalloc_t *vm)
{
    vmr_unlock(vm);
}

Vmseg_t *vmmtsegs(Vmalloc_t *vm)
{
    return vm->data->segs;
}

Void_t *vmmtstate(Vmalloc_t *vm)
{
    return vmr_state(vm);
}

void vmmtbadaddr(Vmalloc_t *vm, Void_t *addr)
{
    VMOS_PROBE2(badaddr, vm, addr);
    vmr_raise(vm, VM_BADADDR, addr);
    errno = EINVAL;
}

void vmmtfault(Vmalloc_t *vm, const Void_t *addr, const char *sentence)
{
    char name[40];
    vmb_out_t o;

    vmb_out_init(&o, name, sizeof name);
    if (vm == VMR_HEAP && vm->data->name[0] == '\0')
        vmb_printf(&o, "Vmheap");
    else if (vm->data->name[0] != '\0')
        vmb_printf(&o, "%s", vm->data->name);
    else
        vmb_printf(&o, "%p", (void *)vm);
    if (addr != NULL)
        vmb_fault("region %s: %s at %p", name, sentence, (void *)(uintptr_t)addr);
    else
        vmb_fault("region %s: %s", name, sentence);
}

static const vmr_traits_t *traitsof(const Vmdisc_t *disc)
{
    const vmr_traits_t *t = vmr_traits;

    while (t->memoryf != NULL && t->memoryf != disc->memoryf)
        t++;
    return t; /* the last one has no flags and no purgef */
}

unsigned int vmr_dcflags(Vmalloc_t *vm)
{
    const Vmdiscmore_t *more = vmr_discmore(vm->disc);

    return more != NULL ? more->flags : traitsof(vm->disc)->flags;
}

const char *vmr_dcname(Vmalloc_t *vm)
{
    const Vmdiscmore_t *more = vmr_discmore(vm->disc);

    return more != NULL ? more->name : traitsof(vm->disc)->name;
}

int vmr_purge(Vmalloc_t *vm, void *addr, size_t size)
{
    const Vmdiscmore_t *more = vmr_discmore(vm->disc);
    int (*purgef)(Vmalloc_t *, Void_t *, size_t, Vmdisc_t *);

    purgef = more != NULL ? more->purgef : traitsof(vm->disc)->purgef;
    return purgef != NULL ? (*purgef)(vm, addr, size, vm->disc) : -1;
}
