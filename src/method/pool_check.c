/* SPDX-License-Identifier: MIT */
/*
 * pool_check: Vmpool's invariants as code, for vmdbcheck().
 */
#include "pool.h"

typedef struct check {
    Vmalloc_t *vm;
    vmpo_t *st;
    size_t free; /* blocks met that are not the program's */
    int faults;
} check_t;

static void fault(check_t *c, const void *addr, const char *sentence)
{
    c->faults++;
    vmmtfault(c->vm, addr, sentence);
}

/* A block that a seat has. */
static void checkblock(check_t *c, char *p, const unsigned char *live)
{
    const vmpo_part_t *part = vmpo_partof(c->st, p);
    size_t i = part != NULL ? vmpo_index(c->st, part, p) : SIZE_MAX;

    if (i == SIZE_MAX || live != &part->live[i] || *live != 0)
        fault(c, p, "a thread holds what is no free block");
    c->free++;
}

static void checkseats(check_t *c)
{
    const vmpo_table_t *t;
    const vmpo_seat_t *seat;
    uint64_t word;
    size_t i, k;

    for (t = c->st->tables; t != NULL; t = t->older)
        for (i = 0; i <= t->mask; i++) {
            seat = &t->place[i].seat;
            for (k = 0; k < seat->n; k++)
                checkblock(c, seat->stack[k].p, seat->stack[k].live);
            for (word = seat->word; word != 0; word &= word - 1)
                checkblock(c, seat->base + (size_t)vmb_ctz(word) * c->st->stride,
                           seat->live + vmb_ctz(word));
        }
}

/* The number of blocks in a part that are not the program's. */
static size_t checkpart(check_t *c, const vmpo_part_t *part)
{
    size_t n = c->st->stride > 0 ? part->cut / c->st->stride : 0, i, navail = 0, nfree = 0;

    if (part->cut > part->span || part->end > part->seg->end ||
        (part->span > 0 && part->base + part->span > part->end)) {
        fault(c, part, "bounds of a segment are damaged");
        return 0;
    }
    for (i = 0; i < n; i++) {
        nfree += part->live[i] != 1;
        if (part->live[i] > 1)
            fault(c, part->base + i * c->st->stride, "the byte of a block is damaged");
        if (!vmb_bit(part->avail, i))
            continue;
        navail++;
        if (part->live[i] != 0 || i / 64 < part->low)
            fault(c, part->base + i * c->st->stride, "a block is available that is not free");
    }
    if (navail != part->navail)
        fault(c, part, "the number of available blocks is wrong");
    c->free += navail;
    return nfree;
}

int vmpo_check(Vmalloc_t *vm)
{
    vmpo_t *st = vmr_state(vm);
    check_t c = {vm, st, 0, 0};
    size_t nfree = 0, cut = 0, span = 0, navail = 0;
    const vmpo_part_t *part;

    vmpo_holdall(st);
    for (part = st->parts; part != NULL; part = part->next) {
        nfree += checkpart(&c, part);
        cut += part->cut;
        span += part->span;
        navail += part->navail;
    }
    if (cut != st->cut || span != st->span || navail != st->navail)
        fault(&c, NULL, "the sums of sizes are wrong");
    checkseats(&c);
    if (nfree != c.free)
        fault(&c, NULL, "the number of free blocks is wrong");
    vmpo_letall(st);
    return c.faults;
}
