/* SPDX-License-Identifier: MIT */
/*
 * segments: how full which part of each segment is.
 *
 *   record   | Vmpfsegment_t | cell | cell | ... |      a byte each: of 255, how much is in blocks
 *
 * Two walks of each region, under its lock: segments, then blocks.  Sums of cells are kept in
 * memory of the system meanwhile.  Cost: a visit of each block.
 */
#include "profile.h"

#include <string.h>

#define SEGMENTS 1024 /* of one region; more are left out */
#define CELLS 2048    /* of one segment, at most */

typedef struct part {
    Vmpfsegment_t *record;
    uint64_t *sums; /* bytes in blocks, a cell each */
} part_t;

static struct walk {
    char *at, *end;   /* where the next record goes */
    uint64_t *sums, *nosums;
    size_t n, last;   /* parts of this region, and the one that the last block was in */
    part_t part[SEGMENTS];
} *walk;

static void add_segment(Vmalloc_t *vm, const Vmseg_t *seg)
{
    size_t n = VMB_MIN(VMB_MAX(seg->extent / 4096, 16u), (size_t)CELLS);
    size_t length = VMB_UP(sizeof(Vmpfsegment_t) + n, 8);
    Vmpfsegment_t *r = (Vmpfsegment_t *)(void *)walk->at;
    if (walk->n == SEGMENTS || length > (size_t)(walk->end - walk->at) ||
        n > (size_t)(walk->nosums - walk->sums))
        return;
    memset(r, 0, length);
    r->length = (uint32_t)length;
    r->ncells = (uint32_t)n;
    r->addr = (uintptr_t)seg->addr;
    r->extent = seg->extent;
    memcpy(r->name, vm->data->name, sizeof r->name);
    if (vm == Vmheap && r->name[0] == '\0')
        memcpy(r->name, "Vmheap", 7);
    if (vm->meth.meth & VM_MTPROFILE && vmpf_of(vm)->record != 0)
        r->region = VMPF_AT(Vmpfregion_t, vmpf_of(vm)->record)->number;
    walk->part[walk->n++] = (part_t){r, walk->sums};
    walk->sums += n;
    walk->at += length;
}

static part_t *part_of(uint64_t addr)
{
    for (size_t i = 0; i < walk->n; i++) {
        part_t *p = &walk->part[(walk->last + i) % walk->n];
        if (addr - p->record->addr < p->record->extent) {
            walk->last = (walk->last + i) % walk->n;
            return p;
        }
    }
    return NULL;
}

/* Each cell gets its share of the block. */
static int add_block(Vmalloc_t *vm, Void_t *addr, size_t size, int busy, Void_t *handle)
{
    uint64_t from = (uintptr_t)addr, to = from + size, step, cell;
    part_t *p = busy ? part_of(from) : NULL;
    (void)vm, (void)handle;
    if (p == NULL)
        return 0;
    p->record->busy += size;
    step = p->record->extent / p->record->ncells;
    cell = (from - p->record->addr) / step;
    while (from < to && cell < p->record->ncells) {
        uint64_t end = p->record->addr + (cell + 1) * step;
        uint64_t n = VMB_MIN(to, end) - from;
        p->sums[cell++] += n;
        from += n;
    }
    return 0;
}

static void finish(const part_t *p)
{
    unsigned char *cells = (unsigned char *)(p->record + 1);
    uint64_t step = p->record->extent / p->record->ncells;
    for (uint32_t i = 0; i < p->record->ncells; i++)
        cells[i] = (unsigned char)VMB_MIN(p->sums[i] * 255 / step, 255u);
}

static void add_region(Vmalloc_t *vm)
{
    uint64_t *sums = walk->sums;
    if (vmr_single(vm)) /* another thread may be at work in it */
        return;
    vmr_lock(vm);
    walk->n = walk->last = 0;
    for (const Vmseg_t *seg = vmmtsegs(vm); seg != NULL; seg = seg->next)
        add_segment(vm, seg);
    if (walk->n > 0 && vm->meth.more->walkf != NULL)
        (*vm->meth.more->walkf)(vm, add_block, NULL);
    vmr_unlock(vm);
    for (size_t i = 0; i < walk->n; i++)
        finish(&walk->part[i]);
    memset(sums, 0, (size_t)((char *)walk->sums - (char *)sums));
    walk->sums = sums;
}

/* One caller at a time: others get none. */
size_t vmpf_segments(char *to, size_t room)
{
    static vmos_lock_t lock;
    size_t size = VMB_UP(sizeof *walk + 8 * room, vmos_pagesize());
    size_t n = 0;
    if (vmos_trylock(&lock) != 0)
        return 0;
    walk = vmos_map(NULL, size, VMOS_RESERVE);
    if (walk != NULL) {
        walk->at = to;
        walk->end = to + room;
        walk->sums = (uint64_t *)(void *)(walk + 1);
        walk->nosums = walk->sums + room / 2;
        vmr_each(add_region);
        n = (size_t)(walk->at - to);
        vmos_unmap(walk, size);
    }
    vmos_unlock(&lock);
    return n;
}
