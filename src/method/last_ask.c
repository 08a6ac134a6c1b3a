/* SPDX-License-Identifier: MIT */
/*
 * last_ask: what Vmlast tells of its blocks.  Who owns the cursor is kept out meanwhile, and comes
 * back after.
 */
#include "last.h"

static long ask(Vmalloc_t *vm, char *p, int local, int whole)
{
    vmla_t *st = vmr_state(vm);
    vmla_part_t *part;
    uintptr_t owner;
    char *start;
    long r = -1;

    if (!local)
        vmr_lock(vm);
    owner = vmla_hold(st);
    part = vmla_partof(vm, p);
    if (part != NULL) {
        start = whole ? p : vmla_startof(part, p);
        if (vmla_isblock(part, start))
            r = vmb_long((size_t)(whole ? vmla_endof(part, p, vmla_fill(st, part)) - p : p - start));
    }
    vmm_give(&st->own, owner);
    vmla_leave(vm, local);
    return r;
}

long vmla_addr(Vmalloc_t *vm, Void_t *p, int local)
{
    return ask(vm, p, local, 0);
}

long vmla_size(Vmalloc_t *vm, Void_t *p, int local)
{
    return ask(vm, p, local, 1);
}

/* ---- what only the library calls, with the region locked ---- */

int vmla_stat(Vmalloc_t *vm, Vmstat_t *out)
{
    vmla_t *st = vmr_state(vm);
    uintptr_t owner = vmla_hold(st);
    Vmseg_t *seg;

    out->n_busy = st->nbusy;
    out->s_busy = st->used + (size_t)(st->next - st->cur->base) - st->hole;
    out->m_busy = VMB_MIN(st->most, out->s_busy);
    out->n_free = st->nhole;
    out->s_free = st->cap - out->s_busy;
    for (seg = vmmtsegs(vm); seg != NULL; seg = seg->next) {
        vmla_part_t *part = seg->own;
        size_t left = part != NULL ? (size_t)(part->lim - vmla_fill(st, part)) : 0;
        out->n_free += left > 0;
        out->m_free = VMB_MAX(out->m_free, left);
    }
    vmm_give(&st->own, owner);
    return 0;
}

static int walkpart(Vmalloc_t *vm, vmla_part_t *part, Vmblock_f f, Void_t *handle, int r)
{
    char *fill = vmla_fill(vmr_state(vm), part), *p, *q;

    for (p = part->base; p < fill && r >= 0; p = q) {
        q = vmla_endof(part, p, fill);
        r = (*f)(vm, p, (size_t)(q - p), (*vmla_code(vmla_mapof(part), p) & VMLA_STARTS) != 0, handle);
    }
    if (r >= 0 && fill < part->lim)
        r = (*f)(vm, fill, (size_t)(part->lim - fill), 0, handle);
    return r;
}

int vmla_walk(Vmalloc_t *vm, Vmblock_f f, Void_t *handle)
{
    vmla_t *st = vmr_state(vm);
    uintptr_t owner = vmla_hold(st);
    Vmseg_t *seg;
    int r = 0;

    for (seg = vmmtsegs(vm); seg != NULL && r >= 0; seg = seg->next)
        if (seg->own != NULL)
            r = walkpart(vm, seg->own, f, handle, r);
    vmm_give(&st->own, owner);
    return r;
}
