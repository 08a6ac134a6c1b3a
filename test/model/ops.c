/* SPDX-License-Identifier: MIT */
/* Lists of operations: made from a seed, printed for people. */
#include "model.h"

static size_t size_of(uint64_t *r, const char *sizes, uint64_t seed)
{
    size_t shift;
    if (strcmp(sizes, "tiny") == 0)
        return 1 + rnd_below(r, 100);
    if (strcmp(sizes, "page") == 0)
        return 4096 * (1 + rnd_below(r, 12)) + rnd_below(r, 65) - 32;
    if (strcmp(sizes, "large") == 0)
        return 1 + (rnd_next(r) >> (41 + seed % 2 + rnd_below(r, 12)));
    shift = rnd_below(r, 18); /* mixed: every power of two as likely */
    return 1 + rnd_below(r, (size_t)1 << shift);
}

static size_t align_of(uint64_t *r)
{
    static const size_t odd[] = {3, 13, 24, 48, 100, 1000};
    return rnd_below(r, 4) ? (size_t)1 << rnd_below(r, 15) : odd[rnd_below(r, 6)];
}

/* Phases in which the number of blocks rises and falls; rare operations in between. */
static enum kind kind_of(uint64_t *r, size_t i, const char *method)
{
    size_t k = rnd_below(r, 1000), grow = i / 700 % 2 == 0 ? 55 : 35;
    if (k < 2)
        return CLEAR;
    if (k < 6)
        return COMPACT;
    if (k < 30)
        return CHECK;
    if (k < 34)
        return WALK;
    if (k < 40)
        return BADFREE;
    k = rnd_below(r, 100);
    if (k < grow)
        return rnd_below(r, 12) == 0 && strcmp(method, "pool") != 0 ? ALIGN : ALLOC;
    return k < 75 ? RESIZE : FREE;
}

op_t *ops_make(const setup_t *s)
{
    op_t *ops = (op_t *)calloc(s->nops + 1, sizeof *ops);
    uint64_t r = s->seed * 2654435761u + 17;
    size_t i, slots = strcmp(s->sizes, "large") == 0 ? 24 : strcmp(s->sizes, "page") == 0 ? 100 : SLOTS;
    for (i = 0; i < s->nops; i++) {
        ops[i].kind = (unsigned char)kind_of(&r, i, s->method);
        ops[i].slot = (unsigned short)rnd_below(&r, slots);
        ops[i].size = size_of(&r, s->sizes, s->seed);
        ops[i].align = align_of(&r);
        ops[i].type = (unsigned char)rnd_below(&r, 8);
    }
    return ops;
}

static void op_print(size_t at, const op_t *o)
{
    printf("  %6zu  ", at);
    switch ((enum kind)o->kind) {
    case ALLOC:
        printf("p%d = vmalloc(vm, %zu)\n", o->slot, o->size);
        break;
    case ALIGN:
        printf("p%d = vmalign(vm, %zu, %zu)\n", o->slot, o->size, o->align);
        break;
    case RESIZE:
        printf("p%d = vmresize(vm, p%d, %zu, %d)\n", o->slot, o->slot, o->size, o->type);
        break;
    case FREE:
        printf("vmfree(vm, p%d)\n", o->slot);
        break;
    case BADFREE:
        printf("vmfree(vm, p%d + %d) must fail\n", o->slot, o->type + 1);
        break;
    case CLEAR:
        printf("vmclear(vm)\n");
        break;
    case COMPACT:
        printf("vmcompact(vm)\n");
        break;
    case CHECK:
        printf("vmdbcheck(vm), vmstat(vm)\n");
        break;
    case WALK:
        printf("vmblkwalk(vm)\n");
        break;
    }
}

void ops_print(const setup_t *s, const op_t *ops, const size_t *keep, size_t n, const char *program)
{
    size_t i;
    for (i = 0; i < n && i < 200; i++)
        op_print(keep[i], &ops[keep[i]]);
    printf("again with: %s --method %s --discipline %s --sizes %s --seed %llu --ops %zu%s", program,
           s->method, s->discipline, s->sizes, (unsigned long long)s->seed, s->nops,
           s->single ? " --single" : "");
    if (n < 200 && n < s->nops) {
        printf(" --only ");
        for (i = 0; i < n; i++)
            printf("%s%zu", i ? "," : "", keep[i]);
    }
    printf("\n");
    fflush(stdout);
}
