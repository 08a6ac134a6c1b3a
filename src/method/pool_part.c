/* SPDX-License-Identifier: MIT */
/*
 * pool_part: the memory that Vmpool cuts its blocks from.
 *
 * A region asks for more the more it has, so parts are few, and one of the newest two has most
 * blocks: finding that of an address goes through the list.
 */
#include "pool.h"

#define HEAD VMB_UP(sizeof(vmpo_part_t), VM_ALIGN)
#define WANTMAX ((size_t)64 << 20)
#define CUTMAX 4096u /* blocks cut at a time in a region without tables */

vmpo_part_t *vmpo_partof(const vmpo_t *st, const char *p)
{
    vmpo_part_t *part = __atomic_load_n(&st->parts, __ATOMIC_ACQUIRE);

    while (part != NULL && !vmpo_inpart(part, p))
        part = part->next;
    return part;
}

/* ---- layout ---- */

/* Cut a part's room for the size that is fixed. */
static void layout(vmpo_t *st, vmpo_part_t *part)
{
    size_t room = (size_t)(part->end - (char *)part) - HEAD, n;

    VMPO_SET(part->cut, 0);
    part->span = 0;
    if (st->size == 0)
        return;
    n = room / (st->stride + 1);
    part->live = (unsigned char *)part + HEAD;
    part->base = (char *)VMB_UP(part->live + n, VM_ALIGN);
    while (n > 0 && n * st->stride > (size_t)(part->end - part->base))
        n--; /* for what aligning took */
    part->span = n * st->stride;
    st->span += part->span;
}

vmpo_part_t *vmpo_newpart(vmpo_t *st, Vmseg_t *seg, char *at, char *end)
{
    vmpo_part_t *part = (vmpo_part_t *)(void *)VMB_UP(at, VM_ALIGN);

    if ((size_t)(end - at) < HEAD + 2 * VM_ALIGN)
        return NULL;
    memset(part, 0, sizeof *part);
    part->seg = seg;
    part->end = end;
    part->base = (char *)part;
    part->next = st->parts;
    layout(st, part);
    __atomic_store_n(&st->parts, part, __ATOMIC_RELEASE);
    return part;
}

void vmpo_fix(vmpo_t *st, size_t size)
{
    vmpo_part_t *part;

    st->stride = VMB_UP(size, VM_ALIGN);
    st->recip = size > 0 ? UINT64_MAX / st->stride + 1 : 0;
    st->batch = size > 0 ? VMB_MIN(VMPO_BATCH, VMPO_BATCHBYTES / st->stride) : 1;
    st->batch = VMB_MAX(st->batch, 1);
    st->chains = st->loose = NULL;
    st->nchains = st->nloose = st->cut = st->span = 0;
    __atomic_store_n(&st->size, size, __ATOMIC_RELEASE);
    st->cutting = st->parts;
    for (part = st->parts; part != NULL; part = part->next)
        layout(st, part);
}

/* Take size bytes off the end of a part where nothing is yet, for a table; NULL: no room. */
void *vmpo_reserve(vmpo_t *st, size_t size)
{
    vmpo_part_t *part;
    size_t span;
    char *at;

    for (part = st->parts; part != NULL; part = part->next) {
        if (part->span < size || part->span - part->cut < size + 64)
            continue;
        at = (char *)VMB_DOWN(part->end - size, 64);
        span = (size_t)(at - part->base) / st->stride * st->stride;
        if (at < part->base || span < part->cut)
            continue;
        part->end = at;
        part->table = 1;
        st->span -= part->span - VMB_MIN(span, part->span);
        part->span = VMB_MIN(span, part->span);
        return at;
    }
    return NULL;
}

/* ---- filling a seat ---- */

/* Blocks that were free before. */
static int recycled(vmpo_t *st, vmpo_seat_t *seat)
{
    vmpo_link_t *p = seat->full;
    size_t n = st->batch;

    if (p != NULL) {
        VMPO_SET(seat->full, NULL);
    } else if ((p = st->chains) != NULL) {
        st->chains = (vmpo_link_t *)(void *)p->live;
        st->nchains--;
        p->live = vmpo_liveof(st, vmpo_partof(st, (char *)p), (char *)p);
    } else if ((p = st->loose) != NULL) {
        vmpo_link_t *end = p;
        for (n = 1; n < st->batch && end->next != NULL; n++)
            end = end->next;
        st->loose = end->next;
        st->nloose -= n;
        end->next = NULL;
    } else {
        return 0;
    }
    VMPO_SET(seat->head, p);
    VMPO_SET(seat->n, n);
    return 1;
}

/* Blocks that were never touched. */
static int cut(vmpo_t *st, vmpo_seat_t *seat)
{
    size_t n = st->table != NULL ? st->batch : CUTMAX;
    vmpo_part_t *part = st->cutting;

    if (part == NULL || part->cut == part->span)
        for (part = st->parts; part != NULL && part->cut == part->span;)
            part = part->next;
    st->cutting = part;
    if (part == NULL)
        return 0;
    n = VMB_MIN(n, (part->span - part->cut) / st->stride);
    seat->freshlive = vmpo_liveof(st, part, part->base + part->cut);
    memset(seat->freshlive, 0, n);
    seat->fresh = part->base + part->cut;
    seat->freshend = seat->fresh + n * st->stride;
    VMPO_SET(part->cut, part->cut + n * st->stride);
    VMPO_SET(st->cut, st->cut + n * st->stride);
    return 1;
}

/* Usable bytes of a segment that has one block. */
static size_t needed(const vmpo_t *st)
{
    return st->stride > SIZE_MAX / 2 ? 0 : st->stride + HEAD + 4 * VM_ALIGN;
}

/* Untouched memory costs little: the more there is, the more is asked for. */
static size_t wanted(Vmalloc_t *vm, size_t need)
{
    size_t more = vm->data->extent;

    if (!(vmr_dcflags(vm) & VM_DCRESERVE))
        more /= 4;
    return need + VMB_MIN(more, WANTMAX);
}

static int extend(Vmalloc_t *vm, int *again)
{
    vmpo_t *st = vmr_state(vm);
    size_t need = needed(st);
    Vmseg_t *seg = NULL;
    char *oldend = NULL;
    int r;

    if (need == 0) {
        errno = ENOMEM;
        return VM_EXTFAIL;
    }
    r = vmmtextend(vm, need, wanted(vm, need), &seg, &oldend, again);
    if (r == VM_EXTNEW)
        vmpo_newpart(st, seg, seg->base, seg->end);
    else if (r == VM_EXTGROWN)
        vmpo_newpart(st, seg, oldend, seg->end);
    return r;
}

/* Other threads are asked before the discipline is, unless what they have is next to nothing. */
static int worthwhile(const vmpo_t *st)
{
    size_t nseats;

    return st->table != NULL && vmpo_cached(st, &nseats) >= st->batch;
}

int vmpo_fill(Vmalloc_t *vm, vmpo_seat_t **seat)
{
    vmpo_t *st = vmr_state(vm);
    size_t size = st->size;
    int again = 0, r;

    for (;;) {
        if (recycled(st, *seat) || cut(st, *seat))
            return 0;
        if (worthwhile(st) && vmpo_gather(st))
            continue;
        r = extend(vm, &again);
        *seat = vmpo_seat(st); /* the lock may have been free */
        if (st->size != size) { /* and the region cleared */
            errno = EINVAL;
            return -1;
        }
        if (r == VM_EXTFAIL && !vmpo_gather(st))
            return -1;
        if ((*seat)->head != NULL)
            return 0; /* freed meanwhile */
    }
}

/* ---- lists anew ---- */

/* A part ends behind its last block. */
static void trim(vmpo_t *st, vmpo_part_t *part)
{
    while (part->cut > 0 && part->live[part->cut / st->stride - 1] != 1)
        VMPO_SET(part->cut, part->cut - st->stride);
}

void vmpo_rebuild(vmpo_t *st)
{
    vmpo_part_t *part;
    size_t i;

    st->chains = st->loose = NULL;
    st->nchains = st->nloose = st->cut = st->span = 0;
    for (part = st->parts; part != NULL; part = part->next) {
        for (i = part->cut / (st->stride | !st->stride); i-- > 0;)
            if (part->live[i] != 1) {
                vmpo_link_t *p = (vmpo_link_t *)(void *)(part->base + i * st->stride);
                part->live[i] = 0;
                p->live = &part->live[i];
                p->next = st->loose;
                st->loose = p;
                st->nloose++;
            }
        st->cut += part->cut;
        st->span += part->span;
    }
    st->cutting = st->parts;
}

/* ---- compaction ---- */

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

/* Take the parts of seg out of the list that begin behind `from`. */
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
    char *keep = (char *)part + HEAD + 2 * VM_ALIGN;

    if (part->table)
        return;
    if (part->cut > 0)
        keep = part->base + part->cut;
    unlist(st, seg, (char *)part);
    part->end = seg->end;
    if (vmmtshrink(vm, seg, (size_t)(keep - seg->base)) == 0)
        part->end = seg->end;
    if (part->cut == 0)
        layout(st, part);
    else if (part->span > (size_t)(part->end - part->base))
        part->span = (size_t)(part->end - part->base) / st->stride * st->stride;
}

/* Release a segment that nothing is in.  -1: it stays. */
static int release(Vmalloc_t *vm, Vmseg_t *seg, vmpo_part_t *part)
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

int vmpo_compact(Vmalloc_t *vm)
{
    vmpo_t *st = vmr_state(vm);
    Vmseg_t *seg, *next;
    vmpo_part_t *part;

    vmpo_holdall(st);
    vmpo_each(st, vmpo_wipe);
    for (part = st->parts; part != NULL; part = part->next)
        trim(st, part);
    for (seg = vmmtsegs(vm); seg != NULL; seg = next) {
        next = seg->next;
        part = lastused(st, seg);
        if (part != NULL && release(vm, seg, part) < 0)
            shrink(vm, seg, lastused(st, seg));
    }
    vmpo_rebuild(st);
    vmpo_letall(st);
    return 0;
}
