/* SPDX-License-Identifier: MIT */
/*
 * list: all regions of the process, Vmheap first, then the others newest first.
 *
 *   Vmheap <-> newest <-> ... <-> oldest        next in Vmalloc_t, prev in vmr_handle_t
 *
 * Vmheap is the head even before it is open, so that entering a region needs no memory.  A region
 * whose memory comes from another one stands before that one, as it was opened later: who takes
 * several locks takes them in this order, Vmheap's last.
 */
#include "parts.h"
#include <vmalloc/stat.h>

vmos_lock_t vmr_listlock;
void (*vmr_watch)(Vmalloc_t *vm, int what);

/* In writable data, which is what is searched, and with the list that it leads to. */
vmr_mark_t vmr_mark __attribute__((aligned(16))) = {VM_PEEKMAGIC, &vmr_mark, VMR_HEAP, vmr_traits,
                                                     &vmr_layout};

void vmr_link(Vmalloc_t *vm)
{
    Vmalloc_t *next = VMR_HEAP->next;

    vm->next = next;
    vmr_handle(vm)->prev = VMR_HEAP;
    if (next != NULL)
        vmr_handle(next)->prev = vm;
    VMR_HEAP->next = vm;
}

void vmr_unlink(Vmalloc_t *vm)
{
    Vmalloc_t *prev = vmr_handle(vm)->prev;

    if (prev == NULL)
        return;
    prev->next = vm->next;
    if (vm->next != NULL)
        vmr_handle(vm->next)->prev = prev;
    vmr_handle(vm)->prev = NULL;
    vm->next = NULL;
}

Vmalloc_t *vmr_next(Vmalloc_t *vm)
{
    vm = vm == NULL ? VMR_HEAP : vm->next;
    while (vm != NULL && __atomic_load_n(&vm->data, __ATOMIC_ACQUIRE) == NULL)
        vm = vm->next;
    return vm;
}

void vmr_each(void (*f)(Vmalloc_t *vm))
{
    Vmalloc_t *vm;

    vmos_lock(&vmr_listlock);
    for (vm = vmr_next(NULL); vm != NULL; vm = vmr_next(vm))
        (*f)(vm);
    vmos_unlock(&vmr_listlock);
}

#define MANY 10000000u /* a list that was being changed ends somewhere */

int vmr_spans(int (*f)(Vmalloc_t *vm, const char *from, const char *end, void *arg), void *arg)
{
    Vmalloc_t *vm;
    unsigned n = 0;
    int r = 0;

    for (vm = VMR_HEAP; vm != NULL && n < MANY; vm = vm->next) {
        const Vmseg_t *seg = vm->data != NULL ? vm->data->segs : NULL;
        for (; seg != NULL && r == 0 && n++ < MANY; seg = seg->next)
            r = f(vm, seg->addr, (const char *)seg->addr + seg->extent, arg);
    }
    return r;
}
