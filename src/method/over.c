/* SPDX-License-Identifier: MIT */
/*
 * over: joins an upper and a lower method to one.  The joined methods are few (upper times lower) and
 * stay for good, in a list that grows at its head only, by compare-and-swap: no lock, so none that a
 * fork could find held.  Two threads may make the same one at the same time; both serve.
 */
#include "over.h"

#include <errno.h>

static vmmt_over_t *made;

static int isover(const Vmethod_t *meth)
{
    return meth != NULL && meth->more != NULL &&
           (meth->meth & (VM_MTDEBUG | VM_MTPROFILE)) != 0 &&
           vmmt_overof(meth->more)->magic == VMMT_OVERMAGIC;
}

static vmmt_over_t *find(const vmmt_over_t *upper, const Vmethod_t *under)
{
    vmmt_over_t *o = __atomic_load_n(&made, __ATOMIC_ACQUIRE);
    while (o != NULL && (o->meth.allocf != upper->meth.allocf || o->under != under))
        o = o->next;
    return o;
}

static vmmt_over_t *make(const vmmt_over_t *upper, const Vmethod_t *under)
{
    Vmalloc_t *heap = vmr_heap();
    vmmt_over_t *o = heap != NULL ? (*heap->meth.allocf)(heap, sizeof *o, 0) : NULL;
    if (o == NULL)
        return NULL;
    *o = *upper;
    o->meth.more = &o->more;
    o->under = under;
    o->more.size = VMMT_OVERSIZE(under->more->size, upper->upper);
    o->more.room = VMB_MAX(upper->more.room, under->more->room);
    o->next = __atomic_load_n(&made, __ATOMIC_RELAXED);
    while (!__atomic_compare_exchange_n(&made, &o->next, o, 0, __ATOMIC_RELEASE, __ATOMIC_RELAXED))
        continue;
    return o;
}

int vmmt_over_same(Vmalloc_t *vm, int event)
{
    int bits = vmmt_under(vm)->meth << VMR_UNDERSHIFT;
    if (event == VM_METHOPEN)
        vm->data->mode = (vm->data->mode & ~VMR_UNDER) | bits;
    else if ((vm->data->mode & VMR_UNDER) != bits)
        return errno = EPROTO, -1;
    return 0;
}

const Vmethod_t *vmunder(const Vmethod_t *meth)
{
    return isover(meth) ? vmmt_overof(meth->more)->under : meth;
}

Vmethod_t *vmover(Vmethod_t *upper, Vmethod_t *under)
{
    const vmmt_over_t *up;
    vmmt_over_t *o;
    if (!isover(upper) || under == NULL || under->more == NULL || isover(under)) {
        errno = EINVAL;
        return NULL;
    }
    up = vmmt_overof(upper->more);
    if (up->under == under)
        return upper;
    o = find(up, under);
    if (o == NULL)
        o = make(up, under);
    return o != NULL ? &o->meth : NULL;
}
