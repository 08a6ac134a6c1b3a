/* SPDX-License-Identifier: MIT */
/*
 * move: the region lies at other addresses than it was left at (VM_METHMOVE).
 *
 * What is true is in the descriptors, and only they, the headers of areas and what leads to these are gone
 * through.  Lists, the tree and the bins are forgotten: vmbe_rebuild() makes them at VM_METHATTACH.  The
 * page map's words were seen to by who moved the memory.
 * Cost: that of reading all descriptors.
 */
#include "best.h"

static void movetag(Vmmove_t *m, uintptr_t *tagged)
{
    uintptr_t p = *tagged & ~(uintptr_t)BE_TAGS, tag = *tagged & BE_TAGS;
    vmr_shift(m, &p);
    *tagged = p | tag;
}

/* One that is not in use may say what was once behind the region's end. */
static void moverun(vmbe_t *be, Vmmove_t *m, vmbe_run_t *run)
{
    run->prev = run->next = run->pend = NULL;
    if (run->kind == BE_NONE || run->kind == BE_FREE) {
        run->base = NULL;
        run->lane = (uintptr_t)be | BE_OTHER;
        return;
    }
    vmr_shift(m, &run->base);
    movetag(m, &run->lane);
    if (run->kind == BE_LARGE)
        vmr_shift(m, &run->u.l.page);
}

/* What a page of descriptors says of how many there are is not believed when they would end beyond the
 * region. */
static void movemetas(vmbe_t *be, Vmmove_t *m)
{
    vmbe_run_t *meta;
    uint32_t i;
    vmr_shift(m, &be->metas);
    for (meta = be->metas; meta && !m->wrong; meta = meta->u.m.next) {
        size_t room = (size_t)(m->end + m->by - (char *)meta) / sizeof(*meta);
        moverun(be, m, meta);
        vmr_shift(m, &meta->u.m.next);
        m->wrong |= meta->u.m.count > room;
        for (i = 1; i < meta->u.m.count && !m->wrong; i++)
            moverun(be, m, meta + i);
    }
}

static void moveareas(vmbe_t *be, Vmmove_t *m)
{
    vmbe_area_t *a;
    vmr_shift(m, &be->areas);
    for (a = be->areas; a; a = a->next) {
        vmr_shift(m, &a->next);
        vmr_shift(m, &a->be);
        vmr_shift(m, &a->seg);
        vmr_shift(m, &a->first);
        vmr_shift(m, &a->last);
        vmr_shift(m, &a->touched);
        a->huge = a->first; /* this process has not asked for any */
    }
}

static void movesmalls(vmbe_t *be, Vmmove_t *m)
{
    vmbe_small_t *s;
    vmr_shift(m, &be->smalls);
    for (s = be->smalls; s; s = s->next) {
        vmr_shift(m, &s->next);
        vmr_shift(m, &s->seg);
        vmr_shift(m, &s->base);
        vmr_shift(m, &s->end);
        vmr_shift(m, &s->start);
        vmr_shift(m, &s->busy);
    }
}

/* Of no thread any more, and without slabs. */
static void movelanes(vmbe_t *be, Vmalloc_t *vm, Vmmove_t *m)
{
    vmbe_lane_t *lane;
    unsigned c;
    vmr_shift(m, &be->lanes);
    for (lane = be->lanes; lane; lane = lane->next) {
        vmr_shift(m, &lane->next);
        lane->be = be;
        lane->vm = vm;
        lane->front = NULL;
        lane->cache = NULL;
        lane->pending = NULL;
        lane->tid = 0;
        for (c = 0; c < BE_CLASSES; c++) {
            vmbe_leave(lane, c);
            lane->cur[c].base = NULL;
            lane->cur[c].avail = lane->few[c] = NULL;
        }
    }
}

int vmbe_move(vmbe_t *be, Vmalloc_t *vm, Vmmove_t *m)
{
    size_t i;
    if (be->log != NULL)
        return 0; /* other processes would have to be told */
    be->vm = vm;
    vmr_shift(m, &be->hub);
    for (i = 0; be->hub && i < BE_TAB; i++)
        be->hub->tab[i] = &vmbe_nolane;
    be->tab = be->hub ? be->hub->tab : vmbe_notab;
    be->first = &vmbe_nolane;
    be->visited = NULL;
    be->spare = NULL;
    movesmalls(be, m);
    moveareas(be, m);
    movelanes(be, vm, m);
    movemetas(be, m);
    vmbe_fit_reset(be);
    vmbe_dirty_reset(be);
    be->jumped = 1; /* so that all the rest is made anew */
    return 1;
}
