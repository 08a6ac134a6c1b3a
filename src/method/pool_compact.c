/* SPDX-License-Identifier: MIT */
/*
 * pool_compact: give memory of a pool back, and make its books anew from the bytes of its blocks.
 *
 * Cost: a look at the byte of each block.
 */
#include "pool.h"

static void rebuildpart(vmpo_t *st, vmpo_part_t *part)
{
    size_t n = part->cut / st->stride, i;

    part->navail = 0;
    part->low = 0;
    vmos_own(part->avail, (n + 63) / 64 * 8);
    memset(part->avail, 0, (n + 63) / 64 * 8);
    for (i = 0; i < n; i++)
        if (part->live[i] != 1) {
            part->live[i] = 0;
            part->avail[i / 64] |= (uint64_t)1 << i % 64;
            part->navail++;
        }
}

void vmpo_rebuild(vmpo_t *st)
{
    vmpo_part_t *part;

    st->cut = st->span = st->navail = 0;
    for (part = st->parts; part != NULL; part = part->next) {
        if (part->cut > 0)
            rebuildpart(st, part);
        st->cut += part->cut;
        st->span += part->span;
        st->navail += part->navail;
    }
    st->from = st->parts;
    vmpo_rehint(st);
}

/* A part ends behind the last 64 blocks that have one of the program's. */
static void trim(vmpo_t *st, vmpo_part_t *part)
{
    size_t n;

    if (part->cut == 0)
        return;
    for (n = part->cut / st->stride; n > 0 && part->live[n - 1] != 1;)
        n--;
    n = VMB_UP(n, 64) * st->stride;
    VMPO_SET(part->cut, VMB_MIN(n, part->span));
    if (n == 0)
        vmpo_layout(st, part);
}

/* The part of a segment that is the last with something in it; else its lowest.  Parts of a segment
 * stand in the list highest first. */
static vmpo_part_t *lastused(const vmpo_t *st, const Vmseg_t *seg)
{
    vmpo_part_t *part, *low = NULL;

    for (part = st->parts; part != NULL; part = part->next)
        if (part->seg == seg) {
            low = part;
            if (part->cut > 0 || part->table)
                break;
        }
    return low;
}

/* Take the parts of seg that begin behind `from` out of the list. */
static void unlist(vmpo_t *st, const Vmseg_t *seg, const char *from)
{
    vmpo_part_t **at = &st->parts;

    while (*at != NULL)
        if ((*at)->seg == seg && (char *)*at > from)
            *at = (*at)->next;
        else
            at = &(*at)->next;
}

/* Give a segment's end back, behind what part, the last used one, has cut. */
static void shrink(Vmalloc_t *vm, Vmseg_t *seg, vmpo_part_t *part)
{
    vmpo_t *st = vmr_state(vm);
    char *keep = (char *)part + sizeof *part + 64;

    if (part->table)
        return;
    if (part->cut > 0)
        keep = part->base + part->cut;
    unlist(st, seg, (char *)part);
    vmmtshrink(vm, seg, (size_t)(keep - seg->base));
    part->end = part->wholeend = seg->end;
    if (part->cut == 0)
        vmpo_layout(st, part);
    else if (part->span > (size_t)(part->end - part->base))
        part->span = (size_t)(part->end - part->base) / st->stride * st->stride;
}

/* Release a segment that nothing is in.  -1: it stays. */
static int release(Vmalloc_t *vm, Vmseg_t *seg, const vmpo_part_t *part)
{
    vmpo_t *st = vmr_state(vm);

    if (seg->next == NULL || part->cut > 0 || part->table)
        return -1;
    unlist(st, seg, seg->base - 1);
    if (vmmtrelease(vm, seg) == 0)
        return 0;
    vmpo_newpart(st, seg, seg->base, seg->end);
    return -1;
}

/* Pages of a part that no block was cut from, but were once. */
static void purge(Vmalloc_t *vm, vmpo_part_t *part)
{
    vmr_purge(vm, part->base + part->cut, part->span - part->cut);
}

int vmpo_compact(Vmalloc_t *vm)
{
    vmpo_t *st = vmr_state(vm);
    Vmseg_t *seg, *next;
    vmpo_part_t *part;

    for (part = st->log != NULL ? st->parts : NULL; part != NULL; part = part->next)
        purge(vm, part);
    if (st->log != NULL) /* the one segment that processes share stays as it is */
        return 0;
    vmpo_holdall(st);
    vmpo_wipeall(st);
    st->hints = &st->few; /* a larger table is in the way */
    for (part = st->parts; part != NULL; part = part->next) {
        if (!part->table)
            part->end = part->wholeend;
        trim(st, part);
    }
    for (seg = vmmtsegs(vm); seg != NULL; seg = next) {
        next = seg->next;
        part = lastused(st, seg);
        if (part != NULL && release(vm, seg, part) < 0)
            shrink(vm, seg, lastused(st, seg));
    }
    vmpo_rebuild(st);
    for (part = st->parts; part != NULL; part = part->next)
        purge(vm, part);
    vmpo_letall(st);
    return 0;
}
