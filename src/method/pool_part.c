/* SPDX-License-Identifier: MIT */
/*
 * pool_part: the memory that Vmpool cuts its blocks from.
 *
 * A region asks for more the more it has, so parts are few.  That of a block is found by a small
 * table of bits of its address, so that no branch of vmfree() depends on chance: one that is
 * mispredicted keeps the processor from fetching what the next calls need.
 */
#include "pool.h"

#define HEAD VMB_UP(sizeof(vmpo_part_t), VM_ALIGN)
#define LEAST (HEAD + 64) /* bytes of a part besides one block */
#define WANTMAX ((size_t)64 << 20)
#define LINE ((size_t)64) /* of the cache */
#define SOON ((size_t)64 << 10) /* a pool that grows at all shall have this much soon */

vmpo_part_t *vmpo_partof(vmpo_t *st, const char *p)
{
    vmpo_part_t *part = vmpo_hinted(st, p);

    if (vmpo_inpart(part, p))
        return part;
    part = __atomic_load_n(&st->parts, __ATOMIC_ACQUIRE);
    while (part != NULL && !vmpo_inpart(part, p))
        part = part->next;
    if (part != NULL)
        VMPO_SET(*vmpo_hint(st, p), part);
    return part;
}

/* ---- layout ---- */

/* What the first of n blocks is aligned to: if there are some, so that none lies across more cache lines
 * than it must. */
static size_t lineup(const vmpo_t *st, size_t n)
{
    size_t power = st->stride & (0 - st->stride);

    return n >= 32 ? VMB_MIN(power, LINE) : VM_ALIGN;
}

void vmpo_layout(vmpo_t *st, vmpo_part_t *part)
{
    size_t room = (size_t)(part->end - (char *)part), n;

    vmpo_note(st, part, sizeof *part);
    VMPO_SET(part->cut, 0);
    part->span = part->navail = part->low = 0;
    if (st->size == 0 || room < LEAST + st->stride)
        return;
    n = (room - HEAD - 32) / (st->stride * 8 + 9) * 8;
    n = VMB_MAX(n, (room - LEAST) / (st->stride + 2));
    part->live = (unsigned char *)part + HEAD;
    if (n >= 1024) /* the bytes of the blocks in a word are a cache line */
        part->live = (unsigned char *)VMB_UP(part->live, LINE);
    part->avail = (uint64_t *)VMB_UP(part->live + n, sizeof(uint64_t));
    part->base = (char *)VMB_UP(part->avail + (n + 63) / 64, lineup(st, n));
    while (n > 0 && (part->base > part->end || n > (size_t)(part->end - part->base) / st->stride))
        n--;
    part->span = n * st->stride;
}

vmpo_part_t *vmpo_newpart(vmpo_t *st, Vmseg_t *seg, char *at, char *end)
{
    vmpo_part_t *part = (vmpo_part_t *)(void *)VMB_UP(at, VM_ALIGN);

    if ((size_t)(end - at) < LEAST)
        return NULL;
    vmos_own(part, sizeof *part);
    memset(part, 0, sizeof *part);
    part->seg = seg;
    part->base = (char *)part;
    part->end = part->wholeend = end;
    part->next = st->parts;
    vmpo_layout(st, part);
    st->span += part->span;
    __atomic_store_n(&st->parts, part, __ATOMIC_RELEASE);
    vmpo_rehint(st);
    return part;
}

/* The pool's bytes are an eighth of the addresses that the table tells apart, so that two parts
 * seldom have the same hint, wherever they lie. */
static vmpo_hints_t *morehints(vmpo_t *st)
{
    size_t n = VMB_MIN((size_t)1 << vmb_log2(st->span / 512), VMPO_HINTSMAX);
    vmpo_hints_t *h = vmpo_reserve(st, sizeof *h + n * sizeof(vmpo_part_t *), 0);

    if (h != NULL)
        h->mask = n - 1;
    return h;
}

void vmpo_rehint(vmpo_t *st)
{
    vmpo_hints_t *h = st->hints, *more = NULL;
    size_t i;

    if (st->span / 2048 > h->mask && h->mask + 1 < VMPO_HINTSMAX)
        more = morehints(st);
    if (more != NULL)
        h = more;
    VMPO_SET(h->shift, (unsigned)(vmb_log2(st->span | 4096) + 3 - vmb_log2(h->mask + 1)));
    for (i = 0; i <= h->mask; i++)
        VMPO_SET(h->part[i], st->parts);
    __atomic_store_n(&st->hints, h, __ATOMIC_RELEASE);
}

void vmpo_fix(vmpo_t *st, size_t size)
{
    vmpo_part_t *part;

    st->laid = SIZE_MAX;
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    st->stride = VMB_UP(size, VM_ALIGN);
    st->recip = size > 0 ? UINT64_MAX / st->stride + 1 : 0;
    st->cut = st->span = st->navail = 0;
    __atomic_store_n(&st->size, size, __ATOMIC_RELEASE);
    st->from = st->parts;
    st->tried = NULL;
    for (part = st->parts; part != NULL; part = part->next) {
        vmpo_layout(st, part);
        st->span += part->span;
    }
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    st->laid = size;
}

void *vmpo_reserve(vmpo_t *st, size_t size, int table)
{
    vmpo_part_t *part;
    size_t span;
    char *at;

    for (part = st->parts; part != NULL; part = part->next) {
        if ((part->span - part->cut) / 4 < size)
            continue;
        at = (char *)VMB_DOWN(part->end - size, 64);
        span = (size_t)(at - part->base) / st->stride * st->stride;
        vmpo_note(st, part, sizeof *part);
        part->end = at;
        part->table |= table;
        span = VMB_MIN(span, part->span);
        st->span -= part->span - span;
        part->span = span;
        return at;
    }
    return NULL;
}

/* ---- blocks that are available ---- */

void vmpo_giveback(vmpo_t *st, char *p)
{
    vmpo_part_t *part = vmpo_partof(st, p);
    size_t i = vmpo_index(st, part, p);

    vmpo_note(st, part, sizeof *part);
    vmpo_note(st, &part->avail[i / 64], sizeof part->avail[0]);
    vmpo_note(st, &part->live[i], 1);
    VMPO_SET(part->live[i], 0);
    part->avail[i / 64] |= (uint64_t)1 << i % 64;
    part->low = VMB_MIN(part->low, i / 64);
    part->navail++;
    st->navail++;
}

/* Let the seat have the blocks of word w that are set in bits. */
static void hand(vmpo_t *st, vmpo_seat_t *seat, const vmpo_part_t *part, size_t w, uint64_t bits)
{
    seat->base = part->base + w * 64 * st->stride;
    seat->live = part->live + w * 64;
    VMPO_SET(seat->word, bits);
}

/* Blocks that were freed, lowest first. */
static int recycled(vmpo_t *st, vmpo_seat_t *seat)
{
    vmpo_part_t *part = st->from;
    uint64_t bits;
    size_t w;

    if (st->navail == 0)
        return 0;
    if (part == NULL || part->navail == 0)
        for (part = st->parts; part->navail == 0;)
            part = part->next;
    st->from = part;
    for (w = part->low; part->avail[w] == 0;)
        w++;
    bits = part->avail[w];
    vmpo_note(st, part, sizeof *part);
    vmpo_note(st, &part->avail[w], sizeof bits);
    part->avail[w] = 0;
    part->low = w + 1;
    part->navail -= (size_t)vmb_pop(bits);
    VMPO_SET(st->navail, st->navail - (size_t)vmb_pop(bits));
    hand(st, seat, part, w, bits);
    return 1;
}

/* Blocks that were never touched. */
static int cut(vmpo_t *st, vmpo_seat_t *seat)
{
    vmpo_part_t *part = st->from;
    size_t w, n;

    if (part == NULL || part->cut == part->span)
        for (part = st->parts; part != NULL && part->cut == part->span;)
            part = part->next;
    if (part == NULL)
        return 0;
    st->from = part;
    w = part->cut / st->stride / 64;
    vmpo_note(st, part, sizeof *part);
    n = VMB_MIN(64, (part->span - part->cut) / st->stride);
    vmos_own(part->live + w * 64, n);
    memset(part->live + w * 64, 0, n);
    part->avail[w] = 0;
    VMPO_SET(part->cut, part->cut + n * st->stride);
    VMPO_SET(st->cut, st->cut + n * st->stride);
    hand(st, seat, part, w, UINT64_MAX >> (64 - n));
    return 1;
}

/* ---- more memory ---- */

/* Untouched memory costs little, and a segment that comes and goes as much as a hundred blocks: the more
 * there is, the more is asked for, and first eight times as much at once. */
static size_t wanted(Vmalloc_t *vm, size_t need)
{
    size_t more = vm->data->extent;

    if (!(vmr_dcflags(vm) & VM_DCRESERVE))
        more /= 2;
    else if (more < SOON)
        more = VMB_MIN(more * 7, SOON);
    return need + VMB_MIN(more, WANTMAX);
}

/* Half as much again and again before the least, so that memory which ends is not cut in crumbs.
 * Only the last request may raise an event. */
static int ask(Vmalloc_t *vm, size_t need, Vmseg_t **seg, char **oldend, int *again)
{
    size_t want = wanted(vm, need);
    int e = errno, quiet, r;

    for (; want / 4 > need; want /= 2) {
        quiet = 1;
        r = vmmtextend(vm, want, want, seg, oldend, &quiet);
        if (r != VM_EXTFAIL)
            return r;
        errno = e;
    }
    return vmmtextend(vm, need, need, seg, oldend, again);
}

static int extend(Vmalloc_t *vm, size_t size, int *again)
{
    vmpo_t *st = vmr_state(vm);
    size_t need = st->stride + size + LEAST + VM_ALIGN;
    Vmseg_t *seg = NULL;
    char *oldend = NULL;
    int r = ask(vm, need, &seg, &oldend, again);

    if (r == VM_EXTNEW)
        vmpo_newpart(st, seg, seg->base, seg->end);
    else if (r == VM_EXTGROWN)
        vmpo_newpart(st, seg, oldend, seg->end);
    return r;
}

int vmpo_more(Vmalloc_t *vm, size_t size)
{
    int again = 1, e = errno, r;

    r = extend(vm, 5 * size, &again);
    errno = e;
    return r == VM_EXTFAIL ? -1 : 0;
}

/* Other threads are asked before the discipline is, unless what they have is next to nothing. */
static int worthwhile(const vmpo_t *st)
{
    size_t nseats;

    return st->table != NULL && vmpo_cached(st, &nseats) >= 64;
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
        r = extend(vm, 0, &again);
        *seat = vmpo_seat(vm); /* the lock may have been free */
        if (st->size != size) { /* and the region cleared */
            errno = EINVAL;
            return -1;
        }
        if (r == VM_EXTFAIL && !vmpo_gather(st))
            return -1;
        if ((*seat)->n > 0 || (*seat)->word != 0)
            return 0; /* freed meanwhile */
    }
}
