/* SPDX-License-Identifier: MIT */
/*
 * last_part: the parts that Vmlast cuts its blocks from.
 *
 * Where the next part comes from, in this order: the rest of the current one, the spare, an idle
 * one, the discipline.  Leaving a part, the one with more room left becomes the spare, so that a
 * large block between small ones does not end the part they lie in.
 */
#include "last.h"

#define HEAD VMB_UP(sizeof(vmla_part_t), VM_ALIGN)
#define WANTMAX ((size_t)64 << 20)
#define LINE ((size_t)64) /* of the cache */
#define SOON ((size_t)64 << 10) /* a region that grows at all shall have this much soon */

/* ---- layout ---- */

/* Where the map of a part begins. */
static char *limit(const vmla_part_t *part)
{
    return part->base + (size_t)(part->seg->end - part->base) / (VM_ALIGN + 1) * VM_ALIGN;
}

/* Usable bytes of a segment that has room for n bytes at any multiple of align; 0: too many. */
static size_t usable(size_t n, size_t align)
{
    size_t size;

    if (vmb_addover(n, align, &size) || vmb_addover(size, size / VM_ALIGN + HEAD + LINE + 64, &size))
        return 0;
    return size;
}

/* Where blocks begin: with a cache line, so that blocks which fill lines do not lie across them, unless
 * there is little room. */
static char *first(const Vmseg_t *seg)
{
    char *base = seg->base + HEAD;

    return (size_t)(seg->end - base) >= 32 * LINE ? (char *)VMB_UP(base, LINE) : base;
}

vmla_part_t *vmla_newpart(vmla_t *st, Vmseg_t *seg)
{
    vmla_part_t *part = (vmla_part_t *)(void *)seg->base;

    if ((size_t)(seg->end - seg->base) < HEAD + 128)
        return NULL; /* too small for anything: unused until the region is closed */
    part->seg = seg;
    part->base = part->fill = first(seg);
    part->lim = limit(part);
    part->big = NULL;
    part->seq = 0;
    VMLA_ORDER();
    vmla_log(st, &seg->own, sizeof seg->own);
    seg->own = part;
    VMLA_ORDER();
    st->cap += (size_t)(part->lim - part->base);
    part->below = st->idle;
    st->idle = part;
    return part;
}

/* Bytes of the map that say something, if the part's last block ends at fill. */
static size_t mapped(const vmla_part_t *part, const char *fill)
{
    uintptr_t map = vmla_mapof(part);
    const char *end = (const char *)vmla_code(map, fill);

    if (part->big != NULL && part->big + vmla_bigof(map, part->big)->n == fill)
        end = (const char *)(vmla_bigof(map, part->big) + 1);
    return (size_t)(end - part->lim);
}

/* Where new and old do not overlap, the old one is there until the part has the new one. */
void vmla_relimit(vmla_t *st, vmla_part_t *part, const char *from, size_t n)
{
    char *lim = limit(part);

    vmos_own(lim, n);
    memmove(lim, from, n);
    VMLA_ORDER();
    vmla_log(st, part, sizeof *part);
    st->cap += (size_t)(lim - part->lim);
    part->lim = lim;
    VMLA_ORDER();
    if (part == st->cur) {
        st->map = vmla_mapof(part);
        st->end = st->next;
    }
}

/* How many more bytes a segment has to grow by so that a map of n bytes and where it goes do not overlap,
 * which they must not where processes share the region and the map is too long for the log. */
static size_t apart(const vmla_t *st, const vmla_part_t *part)
{
    size_t n = st->log != NULL ? mapped(part, vmla_fill(st, part)) : 0;

    return n > VMR_LOGSIZE / 4 ? n + n / 8 + 64 : 0;
}

/* The map moves to the new end; -1: it cannot, and the new end stays unused.  Where processes share the
 * region, the old map, which new blocks may soon lie on, has to be there until the call is done: it is
 * noted, or, if it is too long for that, the growth is a call of its own, done when the new one is there. */
static int regrow(Vmalloc_t *vm, vmla_t *st, vmla_part_t *part)
{
    size_t n = mapped(part, vmla_fill(st, part));
    int noted = n <= VMR_LOGSIZE / 4;

    if (st->log != NULL && !noted && n > (size_t)(limit(part) - part->lim))
        return -1;
    if (noted)
        vmla_log(st, part->lim, n);
    vmla_relimit(st, part, part->lim, n);
    if (st->log != NULL && !noted) {
        vmr_step(vm);
        vmla_log(st, st, sizeof *st);
    }
    return 0;
}

vmla_part_t *vmla_partof(Vmalloc_t *vm, const char *p)
{
    const vmla_t *st = vmr_state(vm);
    vmla_part_t *part = st->cur;
    Vmseg_t *seg;

    if (p >= part->base && p < st->next)
        return part;
    for (seg = vmmtsegs(vm); seg != NULL; seg = seg->next) {
        part = seg->own;
        if (part != NULL && p >= part->base && p < part->lim)
            return part->seq != 0 && p < vmla_fill(st, part) ? part : NULL;
    }
    return NULL;
}

/* ---- which part is cut ---- */

void vmla_setfill(const vmla_t *st, vmla_part_t *part, char *fill)
{
    vmla_log(st, part, sizeof *part);
    part->fill = fill;
    while (part->big != NULL && part->big >= fill)
        part->big = vmla_bigof(vmla_mapof(part), part->big)->prev;
}

void vmla_setcur(vmla_t *st, vmla_part_t *part, char *fill)
{
    vmla_setfill(st, part, fill);
    VMLA_ORDER();
    st->cur = part;
    VMLA_ORDER();
    st->map = vmla_mapof(part);
    st->next = st->end = fill;
    st->last = NULL;
}

static size_t left(const vmla_t *st, const vmla_part_t *part)
{
    return part != NULL ? (size_t)(part->lim - vmla_fill(st, part)) : 0;
}

/* Go on in another active part. */
static void change(vmla_t *st, vmla_part_t *part)
{
    vmla_part_t *old = st->cur;

    vmla_log(st, old, sizeof *old);
    old->fill = st->next;
    VMLA_ORDER();
    st->used += (size_t)(old->fill - old->base);
    if (st->spare == part)
        st->spare = NULL;
    if (left(st, old) > left(st, st->spare))
        st->spare = old;
    st->used -= (size_t)(part->fill - part->base);
    vmla_setcur(st, part, part->fill);
}

static void unidle(vmla_t *st, vmla_part_t *part)
{
    vmla_part_t **at = &st->idle;

    while (*at != part)
        at = &(*at)->below;
    vmla_log(st, at, sizeof *at);
    *at = part->below;
}

static void activate(vmla_t *st, vmla_part_t *part)
{
    unidle(st, part);
    vmla_log(st, part, sizeof *part);
    part->seq = ++st->seq;
    part->below = st->top;
    st->top = part;
}

static void makeidle(vmla_t *st, vmla_part_t *part)
{
    vmla_log(st, part, sizeof *part);
    part->fill = part->base;
    part->big = NULL;
    part->seq = 0;
    part->below = st->idle;
    st->idle = part;
}

void vmla_droptop(vmla_t *st, vmla_part_t *top)
{
    vmla_part_t *part;

    while ((part = st->top) != top) {
        st->top = part->below;
        makeidle(st, part);
    }
    st->spare = NULL;
}

static vmla_part_t *largest(const vmla_t *st)
{
    vmla_part_t *part = st->idle, *best = part;

    for (; part != NULL; part = part->below)
        if (part->lim - part->base > best->lim - best->base)
            best = part;
    return best;
}

void vmla_reset(Vmalloc_t *vm, vmla_part_t *first)
{
    vmla_t *st = vmr_state(vm);

    vmla_droptop(st, NULL);
    st->nbusy = st->most = st->used = st->nhole = st->hole = 0;
    st->mark = NULL;
    if (first == NULL)
        first = largest(st);
    activate(st, first);
    vmla_setcur(st, first, first->base);
}

/* ---- room ---- */

/* Whether part has n bytes at a multiple of align behind fill. */
static int fits(const char *fill, const char *lim, size_t n, size_t align)
{
    size_t off = (uintptr_t)fill % align, skip = off != 0 ? align - off : 0;
    size_t room = (size_t)(lim - fill);

    return skip <= room && n <= room - skip;
}

/* The part among those there are. */
static vmla_part_t *choose(vmla_t *st, size_t n, size_t align)
{
    vmla_part_t *part = st->spare;

    if (part != NULL && fits(part->fill, part->lim, n, align))
        return part;
    for (part = st->idle; part != NULL; part = part->below)
        if (fits(part->base, part->lim, n, align)) {
            activate(st, part);
            return part;
        }
    return NULL;
}

/* Memory that is not touched costs little, and a segment that comes and goes as much as a hundred blocks:
 * the more there is, the more is asked for, and first eight times as much at once. */
static size_t wanted(Vmalloc_t *vm, size_t need)
{
    size_t more = vm->data->extent, want;

    if (!(vmr_dcflags(vm) & VM_DCRESERVE))
        more /= 4;
    else if (more < SOON)
        more = VMB_MIN(more * 7, SOON);
    return vmb_addover(need, VMB_MIN(more, WANTMAX), &want) ? need : want;
}

/* The newest segment grew, and its part is taken up again: marks that are younger than the part
 * have to know where it ended. */
static void resume(vmla_t *st, vmla_part_t *part)
{
    vmla_mark_t *m;

    for (m = st->mark; m != NULL && m->seq >= part->seq; m = m->prev)
        if (m->part != part && m->again == NULL) {
            vmla_log(st, m, sizeof *m);
            m->again = part;
            m->againfill = part->fill;
        }
    change(st, part);
}

static int extend(Vmalloc_t *vm, size_t need, int *again)
{
    vmla_t *st = vmr_state(vm);
    Vmseg_t *seg = NULL;
    vmla_part_t *part;
    char *oldend = NULL;
    int r;

    need += apart(st, st->cur);
    r = vmmtextend(vm, need, wanted(vm, need), &seg, &oldend, again);
    if (r == VM_EXTFAIL)
        return -1;
    vmla_takeover(st); /* the lock may have been free */
    if (r == VM_EXTNEW) {
        vmla_newpart(st, seg);
    } else if (r == VM_EXTGROWN) {
        part = seg->own;
        if (part == NULL)
            return vmla_newpart(st, seg) != NULL ? 0 : -1;
        if (regrow(vm, st, part) < 0) {
            errno = ENOMEM;
            return -1;
        }
        if (part->seq != 0 && part != st->cur)
            resume(st, part);
    }
    return 0;
}

int vmla_room(Vmalloc_t *vm, size_t n, size_t align)
{
    vmla_t *st = vmr_state(vm);
    size_t need = usable(n, align);
    vmla_part_t *part;
    int again = 0;

    while (need != 0) {
        if (fits(st->next, st->cur->lim, n, align))
            return 0;
        part = choose(st, n, align);
        if (part != NULL)
            change(st, part);
        else if (extend(vm, need, &again) < 0)
            return -1;
    }
    errno = ENOMEM;
    return -1;
}

int vmla_roomlast(Vmalloc_t *vm, size_t n)
{
    vmla_t *st = vmr_state(vm);
    size_t have = (size_t)(st->last - st->cur->base), least, more;

    if (n <= (size_t)(st->cur->lim - st->last))
        return 0;
    if (vmb_addover(n, have, &least) || (least = usable(least, VM_ALIGN)) == 0) {
        errno = ENOMEM;
        return -1;
    }
    least += apart(st, st->cur);
    if (vmb_addover(least, n / 4, &more) || vmmtgrow(vm, st->cur->seg, more) < 0)
        if (vmmtgrow(vm, st->cur->seg, least) < 0)
            return -1;
    if (regrow(vm, st, st->cur) == 0)
        return 0;
    errno = ENOMEM;
    return -1;
}

/* ---- compaction ---- */

/* Give the end of a part's segment back.  Its map waits right behind the blocks meanwhile. */
static void shrink(Vmalloc_t *vm, vmla_part_t *part)
{
    vmla_t *st = vmr_state(vm);
    Vmseg_t *seg = part->seg;
    char *end = seg->end, *fill = vmla_fill(st, part);
    size_t n = mapped(part, fill), keep = usable((size_t)(fill - part->base), VM_ALIGN);

    if (keep >= (size_t)(end - seg->base) || (size_t)(part->lim - fill) < n)
        return;
    vmos_own(fill, n);
    memcpy(fill, part->lim, n);
    if (vmmtshrink(vm, seg, keep) == 0 && seg->end != end)
        vmla_relimit(st, part, fill, n);
}

static void releaseidle(Vmalloc_t *vm)
{
    vmla_t *st = vmr_state(vm);
    vmla_part_t *part, *next;
    size_t size;

    for (part = st->idle; part != NULL; part = next) {
        Vmseg_t *seg = part->seg;
        next = part->below;
        size = (size_t)(part->lim - part->base);
        if (seg->next == NULL)
            continue; /* the region itself lies in it */
        unidle(st, part);
        if (vmmtrelease(vm, seg) < 0) {
            part->below = st->idle;
            st->idle = part;
        } else {
            st->cap -= size;
        }
    }
}

/* The segment that the region lies in cannot go, so an empty region keeps that one. */
int vmla_compact(Vmalloc_t *vm)
{
    vmla_t *st = vmr_state(vm);
    Vmseg_t *seg = vmmtsegs(vm);
    vmla_part_t *part;

    if (st->nbusy == 0) {
        while (seg->next != NULL)
            seg = seg->next;
        if (seg->own != NULL)
            vmla_reset(vm, seg->own);
    }
    releaseidle(vm);
    for (part = st->top; part != NULL; part = part->below) {
        shrink(vm, part);
        vmr_purge(vm, vmla_fill(st, part), (size_t)(part->lim - vmla_fill(st, part)));
    }
    for (part = st->idle; part != NULL; part = part->below)
        vmr_purge(vm, part->base, (size_t)(part->lim - part->base));
    return 0;
}
