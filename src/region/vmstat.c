/* SPDX-License-Identifier: MIT */
/*
 * vmstat: counts and sizes of a region.  The method keeps its numbers as it goes: none is walked.
 */
#include "parts.h"

#include <string.h>

static unsigned percent(size_t part, size_t whole)
{
    if (whole == 0)
        return 0;
    return (unsigned)(part > SIZE_MAX / 100 ? part / (whole / 100) : part * 100 / whole);
}

static void summarize(Vmalloc_t *vm, Vmstat_t *st)
{
    const char *name = st->name[0] != '\0' ? st->name : vm == VMR_HEAP ? "Vmheap" : "-";
    vmb_out_t o;

    vmb_out_init(&o, st->mesg, sizeof st->mesg);
    vmb_printf(&o, "region %s at %p: extent %zu, segments %zu, busy %u%% (%zu in %zu)", name,
               (void *)vm, st->extent, st->n_seg, percent(st->s_busy, st->extent), st->s_busy,
               st->n_busy);
    vmb_printf(&o, ", free %zu, cached %zu in %zu", st->s_free, st->s_cache, st->n_cache);
}

static void fill(Vmalloc_t *vm, Vmstat_t *st)
{
    const Vmdata_t *data = vm->data;
    unsigned int wait = __atomic_load_n(&data->lock.wait, __ATOMIC_RELAXED); /* others add to it */

    vmr_hush();
    if (vm->meth.more->statf != NULL)
        (*vm->meth.more->statf)(vm, st);
    vmr_unhush();
    st->n_seg = data->nseg;
    st->extent = data->extent;
    st->m_extent = data->maxextent;
    st->n_region = 1;
    st->n_lock = st->n_probe = (int)(wait & 0x7fffffff);
    st->mode = data->mode & ~VMR_PRIVATE;
    memcpy(st->name, data->name, sizeof st->name);
    summarize(vm, st);
}

int vmstat(Vmalloc_t *vm, Vmstat_t *st)
{
    Vmdata_t *data;

    if (vm == NULL)
        vm = Vmregion;
    if (st == NULL) { /* may be asked in a signal handler: nothing is opened, nobody waits */
        data = vm != NULL ? vm->data : NULL;
        return data != NULL && vmos_locked(&data->lock);
    }
    if (vmr_live(vm) == NULL)
        return -1;
    memset(st, 0, sizeof *st);
    vmr_lock(vm);
    fill(vm, st);
    vmr_unlock(vm);
    return 0;
}
