/* SPDX-License-Identifier: MIT */
/*
 * move: a region that lies at other addresses than it was left at.
 *
 *   public state: segments, areas of vmuserdata()  ->  method: VM_METHMOVE
 *
 * Its memory is where it is to be, and nobody uses it; what it says of itself still has the addresses of
 * before.  Each of these is looked at before anything is read where it leads: one that is not in the region is
 * an error, and so is one that was moved already, so that lists which lead in circles end.
 * Cost: that of the bookkeeping; blocks are not looked at.
 */
#include "parts.h"

static void movesegs(Vmdata_t *data, Vmmove_t *m)
{
    Vmseg_t *seg;

    vmr_shift(m, &data->segs);
    for (seg = data->segs; seg != NULL; seg = seg->next) {
        vmr_shift(m, &seg->next);
        vmr_shift(m, &seg->addr);
        vmr_shift(m, &seg->base);
        vmr_shift(m, &seg->end);
    }
}

static void moveuser(Vmdata_t *data, Vmmove_t *m)
{
    vmr_user_t *u;

    vmr_shift(m, &data->user);
    for (u = data->user; u != NULL; u = u->next)
        vmr_shift(m, &u->next);
}

int vmr_move(Vmalloc_t *vm, Vmmove_t *m)
{
    int r;

    if (vm->data->magic != VMR_MAGIC || vm->data->mode & (VM_MEMORYF | VMR_SHARED) || vm->data->log != NULL) {
        errno = EUCLEAN;
        return -1;
    }
    movesegs(vm->data, m);
    moveuser(vm->data, m);
    r = m->wrong ? 0 : vmr_event(vm, VM_METHMOVE, m);
    if (m->wrong) {
        errno = EUCLEAN;
        return -1;
    }
    if (r == 0)
        errno = ENOTSUP;
    return r > 0 ? 0 : -1;
}
