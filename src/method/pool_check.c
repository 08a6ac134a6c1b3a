/* SPDX-License-Identifier: MIT */
/*
 * pool_check: Vmpool's invariants as code, for vmdbcheck().
 */
#include "pool.h"

typedef struct check {
    Vmalloc_t *vm;
    const vmpo_t *st;
    size_t free; /* free blocks met in lists */
    int faults;
} check_t;

static void fault(check_t *c, const void *addr, const char *sentence)
{
    c->faults++;
    vmmtfault(c->vm, addr, sentence);
}

/* A list of n free blocks; chain: its first block leads to the next chain. */
static vmpo_link_t *checklist(check_t *c, vmpo_link_t *p, size_t n, int chain)
{
    vmpo_link_t *first = p;
    size_t i;

    for (i = 0; i < n && p != NULL; i++, p = p->next) {
        const vmpo_part_t *part = vmpo_partof(c->st, (char *)p);
        const unsigned char *live = part != NULL ? vmpo_liveof(c->st, part, (char *)p) : NULL;
        if (live == NULL || *live == 1 || (p->live != live && !(chain && p == first))) {
            fault(c, p, "a list of free blocks is damaged");
            return NULL;
        }
    }
    c->free += i;
    if (i < n || p != NULL)
        fault(c, first, "a list of free blocks has not the length it should have");
    return chain && first != NULL ? (vmpo_link_t *)(void *)first->live : NULL;
}

static void checkseat(check_t *c, const vmpo_seat_t *seat)
{
    checklist(c, seat->head, seat->n, 0);
    if (seat->full != NULL)
        checklist(c, seat->full, c->st->batch, 0);
    if (c->st->stride != 0)
        c->free += (size_t)(seat->freshend - seat->fresh) / c->st->stride;
}

static void checkseats(check_t *c)
{
    const vmpo_table_t *t;
    size_t i;

    checkseat(c, &c->st->one);
    for (t = c->st->table; t != NULL; t = t->older)
        for (i = 0; i <= t->mask; i++)
            checkseat(c, &t->place[i].seat);
}

static void checklists(check_t *c)
{
    vmpo_link_t *p = c->st->chains;
    size_t i;

    for (i = 0; i < c->st->nchains && p != NULL; i++)
        p = checklist(c, p, c->st->batch, 1);
    if (i < c->st->nchains || p != NULL)
        fault(c, p, "the list of chains has not the length it should have");
    checklist(c, c->st->loose, c->st->nloose, 0);
}

/* The number of blocks that are not the program's. */
static size_t checkparts(check_t *c)
{
    const vmpo_part_t *part;
    size_t n = 0, cut = 0, span = 0, i;

    for (part = c->st->parts; part != NULL; part = part->next) {
        if (part->cut > part->span || part->end > part->seg->end ||
            (part->span > 0 && part->base + part->span > part->end)) {
            fault(c, part, "bounds of a segment are damaged");
            continue;
        }
        for (i = 0; i * c->st->stride < part->cut; i++)
            n += part->live[i] != 1;
        cut += part->cut;
        span += part->span;
    }
    if (cut != c->st->cut || span != c->st->span)
        fault(c, NULL, "the sums of sizes are wrong");
    return n;
}

int vmpo_check(Vmalloc_t *vm)
{
    vmpo_t *st = vmr_state(vm);
    check_t c = {vm, st, 0, 0};
    size_t n;

    vmpo_holdall(st);
    n = checkparts(&c);
    checkseats(&c);
    checklists(&c);
    if (c.faults == 0 && n != c.free)
        fault(&c, NULL, "the number of free blocks is wrong");
    vmpo_letall(st);
    return c.faults;
}
