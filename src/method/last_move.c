/* SPDX-License-Identifier: MIT */
/*
 * last_move: the region lies at other addresses than it was left at (VM_METHMOVE).
 *
 * Parts, marks, and the list through all that is BIG.  The map of a part has no addresses, and is where it was
 * in the part, for regions move by multiples of much more than 16.
 * Cost: a few instructions for each part, mark and big block.
 */
#include "last.h"

/* In the part, whose own members are moved. */
static void movebigs(const vmla_part_t *part, Vmmove_t *m)
{
    uintptr_t map = vmla_mapof(part);
    const char *big = part->big;

    while (big != NULL && !m->wrong) {
        vmla_big_t *b = vmla_bigof(map, big);
        if (big < part->base || (char *)(b + 1) > part->seg->end)
            m->wrong = 1;
        else
            vmr_shift(m, &b->prev);
        big = b->prev;
    }
}

/* The current one's fill is st->next; what the part has is of earlier, and may be behind the end by now. */
static void movepart(const vmla_t *st, Vmseg_t *seg, Vmmove_t *m)
{
    vmla_part_t *part;

    vmr_shift(m, &seg->own);
    part = seg->own;
    if (part == NULL)
        return;
    vmr_shift(m, &part->below);
    vmr_shift(m, &part->base);
    vmr_shift(m, &part->lim);
    if (part == st->cur)
        part->fill = st->next;
    else
        vmr_shift(m, &part->fill);
    vmr_shift(m, &part->big);
    part->seg = seg;
    movebigs(part, m);
}

static void movemarks(vmla_t *st, Vmmove_t *m)
{
    vmla_mark_t *mark;

    vmr_shift(m, &st->mark);
    for (mark = st->mark; mark != NULL; mark = mark->prev) {
        vmr_shift(m, &mark->prev);
        vmr_shift(m, &mark->part);
        vmr_shift(m, &mark->top);
        vmr_shift(m, &mark->again);
        vmr_shift(m, &mark->againfill);
    }
}

int vmla_move(Vmalloc_t *vm, Vmmove_t *m)
{
    vmla_t *st = vmr_state(vm);
    Vmseg_t *seg;

    if (st->log != NULL || (uintptr_t)m->by % 4096 != 0)
        return 0;
    vmm_forget(&st->own);
    vmr_shift(m, &st->next);
    vmr_shift(m, &st->end);
    vmr_shift(m, &st->last);
    vmr_shift(m, &st->cur);
    for (seg = vmmtsegs(vm); seg != NULL; seg = seg->next)
        movepart(st, seg, m);
    vmr_shift(m, &st->top);
    vmr_shift(m, &st->spare);
    vmr_shift(m, &st->idle);
    movemarks(st, m);
    m->wrong |= st->cur == NULL;
    if (!m->wrong)
        st->map = vmla_mapof(st->cur);
    return 1;
}
