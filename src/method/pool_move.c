/* SPDX-License-Identifier: MIT */
/*
 * pool_move: the region lies at other addresses than it was left at (VM_METHMOVE).
 *
 * Parts, and the tables of seats and hints.  What seats held becomes available, as for who attaches: their
 * owners are gone.
 * Cost: a few instructions for each part, and a look at the byte of each block.
 */
#include "pool.h"

static void moveparts(vmpo_t *st, Vmmove_t *m)
{
    vmpo_part_t *part;

    vmr_shift(m, &st->parts);
    for (part = st->parts; part != NULL; part = part->next) {
        vmr_shift(m, &part->next);
        vmr_shift(m, &part->seg);
        vmr_shift(m, &part->base);
        vmr_shift(m, &part->end);
        vmr_shift(m, &part->live);
        vmr_shift(m, &part->avail);
        vmr_shift(m, &part->wholeend);
    }
}

/* The first is st->first. */
static void movetables(vmpo_t *st, Vmmove_t *m)
{
    vmpo_table_t *t;

    vmr_shift(m, &st->tables);
    for (t = st->tables; t != NULL; t = t->older) {
        vmr_shift(m, &t->older);
        vmr_shift(m, &t->place);
    }
}

int vmpo_move(vmpo_t *st, Vmmove_t *m)
{
    if (st->log != NULL)
        return 0;
    moveparts(st, m);
    movetables(st, m);
    vmr_shift(m, &st->table);
    vmr_shift(m, &st->hints);
    st->from = st->tried = NULL; /* made anew, or but a memory, and perhaps of a part that is gone */
    m->wrong |= st->tables == NULL || st->hints == NULL || st->parts == NULL;
    if (!m->wrong)
        vmpo_forget(st);
    return 1;
}
