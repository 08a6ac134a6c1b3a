/* SPDX-License-Identifier: MIT */
/*
 * last_check: Vmlast's invariants as code, for vmdbcheck(), and what can be put right by them.
 */
#include "last.h"

typedef struct sums {
    size_t nbusy, nhole, hole, used, cap;
    int faults;
} sums_t;

static void fault(Vmalloc_t *vm, sums_t *s, const void *addr, const char *sentence)
{
    s->faults++;
    vmmtfault(vm, addr, sentence);
}

/* Whether part->big leads to the n blocks and holes that are BIG, highest first. */
static int listed(const vmla_part_t *part, const char *fill, size_t n)
{
    const char *big = part->big, *above = fill;

    for (; big != NULL && n > 0; n--) {
        if (big < part->base || big >= above || (uintptr_t)big % VM_ALIGN != 0 ||
            !(*vmla_code(vmla_mapof(part), big) & VMLA_ISBIG))
            return 0;
        above = big;
        big = vmla_bigof(vmla_mapof(part), big)->prev;
    }
    return big == NULL && n == 0;
}

/* In a time that grows with the map: what is passed over is BIG or 0 in it, so p never lies inside of anything. */
static void checkpart(Vmalloc_t *vm, vmla_part_t *part, sums_t *s)
{
    const vmla_t *st = vmr_state(vm);
    char *fill = vmla_fill(st, part), *p, *q;
    size_t nbig = 0;

    s->cap += (size_t)(part->lim - part->base);
    if (fill < part->base || fill > part->lim || part->lim > part->seg->end) {
        fault(vm, s, part, "bounds of a segment are damaged");
        return;
    }
    if ((part->seq == 0 && fill > part->base) ||
        (fill > part->base && *vmla_code(vmla_mapof(part), part->base) == 0)) {
        fault(vm, s, part->base, "nothing starts where a segment's blocks start");
        return;
    }
    for (p = part->base; p < fill; p = q) {
        unsigned char code = *vmla_code(vmla_mapof(part), p);
        q = vmla_endof(part, p, fill);
        if (q <= p || q > fill) {
            fault(vm, s, p, "the size of a large block is damaged");
            return;
        }
        nbig += (code & VMLA_ISBIG) != 0;
        if ((code & VMLA_STARTS) != 0) {
            s->nbusy++;
        } else {
            s->nhole++;
            s->hole += (size_t)(q - p);
        }
    }
    if (!listed(part, fill, nbig))
        fault(vm, s, part, "the list of large blocks is damaged");
    if (part != st->cur)
        s->used += (size_t)(fill - part->base);
}

static void checkmarks(Vmalloc_t *vm, sums_t *s)
{
    const vmla_t *st = vmr_state(vm);
    const vmla_mark_t *m;
    vmla_part_t *part;

    for (m = st->mark; m != NULL; m = m->prev) {
        part = vmla_partof(vm, (const char *)m);
        if (part == NULL || part != m->part || !vmla_isblock(part, (const char *)m)) {
            fault(vm, s, m, "a mark is no block");
            return;
        }
    }
}

/* Whether st->last is the block that ends at the cursor. */
static int lastholds(const vmla_t *st)
{
    return st->last >= st->cur->base && st->last < st->next && vmla_isblock(st->cur, st->last) &&
           vmla_endof(st->cur, st->last, st->next) == st->next;
}

static void checkcursor(Vmalloc_t *vm, sums_t *s)
{
    const vmla_t *st = vmr_state(vm);

    if (st->cur->seq == 0 || st->map != vmla_mapof(st->cur) || st->end > st->cur->lim ||
        st->next > st->end)
        fault(vm, s, st->next, "the cursor is damaged");
    if (st->last != NULL && !lastholds(st))
        fault(vm, s, st->last, "the last block is none");
}

int vmla_check(Vmalloc_t *vm)
{
    vmla_t *st = vmr_state(vm);
    uintptr_t owner = vmla_hold(st);
    sums_t s = {0, 0, 0, 0, 0, 0};
    Vmseg_t *seg;

    for (seg = vmmtsegs(vm); seg != NULL; seg = seg->next)
        if (seg->own != NULL)
            checkpart(vm, seg->own, &s);
    checkcursor(vm, &s);
    checkmarks(vm, &s);
    if (s.nbusy != st->nbusy || s.nhole != st->nhole)
        fault(vm, &s, NULL, "the number of blocks is wrong");
    if (s.hole != st->hole || s.used != st->used || s.cap != st->cap)
        fault(vm, &s, NULL, "the sums of sizes are wrong");
    vmm_give(&st->own, owner);
    return s.faults;
}

/* ---- after what was done in part ----
 *
 * A call that was left by longjmp(), or another thread's while fork() copied the process page by page.
 * What counts: which part is the current one; how far it and the others are filled; the map below that, but
 * behind the last block; and the order in which last_part.c stores.  All else follows. */

/* compact() was left between giving memory back and moving the map, which waits behind the blocks. */
static void remap(Vmalloc_t *vm)
{
    vmla_t *st = vmr_state(vm);
    Vmseg_t *seg;

    for (seg = vmmtsegs(vm); seg != NULL; seg = seg->next) {
        vmla_part_t *part = seg->own;
        char *fill = part != NULL ? vmla_fill(st, part) : NULL;
        if (part != NULL && part->lim > seg->end && fill >= part->base && fill <= seg->end)
            vmla_relimit(st, part, fill, (size_t)(fill - part->base) / VM_ALIGN);
    }
}

/* Lists of parts, by their numbers. */
static void relist(Vmalloc_t *vm)
{
    vmla_t *st = vmr_state(vm);
    Vmseg_t *seg;

    st->top = st->idle = NULL;
    for (seg = vmmtsegs(vm); seg != NULL; seg = seg->next) {
        vmla_part_t *part = seg->own, **at = &st->top;
        if (part == NULL)
            continue;
        if (part == st->cur && part->seq == 0) {
            part->seq = ++st->seq; /* it was about to become idle */
        } else if (part->seq == 0) {
            at = &st->idle;
            part->fill = part->base;
            part->big = NULL;
        }
        while (at != &st->idle && *at != NULL && (*at)->seq > part->seq)
            at = &(*at)->below;
        part->below = *at;
        *at = part;
    }
    if (st->spare != NULL && (st->spare->seq == 0 || st->spare == st->cur))
        st->spare = NULL;
}

/* The cursor lies in the current part, and what is BIG below it. */
static void recursor(vmla_t *st)
{
    vmla_part_t *part = st->cur;

    if (st->next < part->base || st->next > part->lim)
        st->next = part->fill;
    st->map = vmla_mapof(part);
    if (st->end < st->next || st->end > part->lim)
        st->end = st->next;
    while (part->big != NULL && part->big >= st->next)
        part->big = vmla_bigof(st->map, part->big)->prev;
}

/* Nothing starts behind the last block.  What became BIG in part, or stopped being it, is not. */
static void relast(vmla_t *st)
{
    vmla_part_t *part = st->cur;
    char *p = st->last;
    unsigned char *code;

    if (p == NULL || p < part->base || p >= st->next)
        return;
    code = vmla_code(st->map, p);
    if (part->big == p && (*code & VMLA_ISBIG) && p + vmla_bigof(st->map, p)->n == st->next)
        return;
    if (part->big == p)
        part->big = vmla_bigof(st->map, p)->prev;
    if (!(*code & VMLA_STARTS))
        return;
    *code &= (unsigned char)~VMLA_ISBIG;
    vmos_own(code + 1, (size_t)(st->next - p) / VM_ALIGN - 1);
    memset(code + 1, 0, (size_t)(st->next - p) / VM_ALIGN - 1);
}

/* Marks that clearing has not come to yet are none any more. */
static void remark(Vmalloc_t *vm)
{
    vmla_t *st = vmr_state(vm);
    const vmla_mark_t *m;

    for (m = st->mark; m != NULL; m = m->prev)
        if (vmla_partof(vm, (const char *)m) != m->part)
            st->mark = m->prev;
}

static void recount(Vmalloc_t *vm)
{
    vmla_t *st = vmr_state(vm);
    sums_t s = {0, 0, 0, 0, 0, 0};
    unsigned char *first;
    Vmseg_t *seg;

    remap(vm);
    recursor(st);
    relast(st);
    relist(vm);
    remark(vm);
    first = vmla_code(st->map, st->cur->base);
    vmos_own(vmla_code(st->map, st->next), (size_t)(st->end - st->next) / VM_ALIGN);
    memset(vmla_code(st->map, st->next), 0, (size_t)(st->end - st->next) / VM_ALIGN);
    if (st->next > st->cur->base && *first == 0)
        *first = VMLA_STARTS;
    if (!lastholds(st))
        st->last = NULL;
    for (seg = vmmtsegs(vm); seg != NULL; seg = seg->next)
        if (seg->own != NULL)
            checkpart(vm, seg->own, &s);
    st->nbusy = s.nbusy;
    st->nhole = s.nhole;
    st->hole = s.hole;
    st->used = s.used;
    st->cap = s.cap;
}

void vmla_forked(Vmalloc_t *vm)
{
    vmla_t *st = vmr_state(vm);
    uintptr_t owner = vmm_owner(&st->own);
    int torn = vmla_inside(st) || (owner != 0 && owner != vmos_self());

    vmm_forget(&st->own);
    if (torn)
        recount(vm);
}

/* Another thread may still be inside when the hold itself was what was left. */
void vmla_torn(Vmalloc_t *vm)
{
    vmla_t *st = vmr_state(vm);

    vmla_left(st);
    vmla_hold(st);
    vmla_wait(st);
    vmm_forget(&st->own);
    recount(vm);
}
