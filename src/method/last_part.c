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

/* ---- layout ---- */

/* Where the map of a part begins.  A pair more than the KiBs there are, since neither end lies on
 * a whole one. */
static char *limit(const vmla_part_t *part)
{
    size_t size = (size_t)(part->seg->end - part->base), map = ((size >> VMLA_KIB) + 2) * 16;

    return map < size ? part->seg->end - map : part->base;
}

/* Usable bytes of a segment that has room for a block of n at any multiple of align; 0: too many. */
static size_t usable(size_t n, size_t align)
{
    size_t size;

    if (vmb_addover(n, align, &size) || vmb_addover(size, size / 60 + HEAD + 128, &size))
        return 0;
    return size;
}

vmla_part_t *vmla_newpart(vmla_t *st, Vmseg_t *seg)
{
    vmla_part_t *part = (vmla_part_t *)(void *)seg->base;

    if ((size_t)(seg->end - seg->base) < HEAD + 128)
        return NULL; /* too small for anything: unused until the region is closed */
    seg->own = part;
    part->seg = seg;
    part->base = part->fill = seg->base + HEAD;
    part->lim = limit(part);
    part->seq = 0;
    memset(part->lim, 0, 16);
    st->cap += (size_t)(part->lim - part->base);
    part->below = st->idle;
    st->idle = part;
    return part;
}

/* Pairs of the map that say something about addresses up to used. */
static size_t mapped(const vmla_part_t *part, const char *used)
{
    return ((uintptr_t)used >> VMLA_KIB) - ((uintptr_t)part->base >> VMLA_KIB) + 1;
}

/* Give a part the map that its segment's new size asks for.  from: where its pairs are now. */
static void relimit(vmla_t *st, vmla_part_t *part, const char *from)
{
    char *old = part->lim;
    size_t pairs = mapped(part, part == st->cur ? st->end : part->fill);

    part->lim = limit(part);
    memmove(part->lim, from, pairs * 16);
    st->cap += (size_t)part->lim - (size_t)old;
    if (part == st->cur)
        st->map = vmla_mapof(part);
}

static void regrow(vmla_t *st, vmla_part_t *part)
{
    relimit(st, part, part->lim);
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

/* How far vmla_wipe() at fill has made the map fit. */
static char *softend(const vmla_part_t *part, const char *fill)
{
    char *end = (char *)VMB_UP(fill + 1, 1u << VMLA_KIB);

    return end < part->lim ? end : part->lim;
}

void vmla_setcur(vmla_t *st, vmla_part_t *part, char *fill)
{
    st->cur = part;
    st->map = vmla_mapof(part);
    st->next = fill;
    st->end = softend(part, fill);
    st->last = NULL;
    vmla_wipe(part, fill);
}

static size_t left(const vmla_t *st, const vmla_part_t *part)
{
    return part != NULL ? (size_t)(part->lim - vmla_fill(st, part)) : 0;
}

/* Go on in another active part. */
static void change(vmla_t *st, vmla_part_t *part)
{
    vmla_part_t *old = st->cur;

    old->fill = st->next;
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
    *at = part->below;
}

static void activate(vmla_t *st, vmla_part_t *part)
{
    unidle(st, part);
    part->seq = ++st->seq;
    part->below = st->top;
    st->top = part;
}

static void makeidle(vmla_t *st, vmla_part_t *part)
{
    part->fill = part->base;
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
    st->nbusy = st->used = st->nhole = st->hole = 0;
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

/* Wipe the map so that n bytes and more can be cut from the current part. */
static void advance(vmla_t *st, size_t n)
{
    char *lim = st->cur->lim, *from = (char *)VMB_UP(st->end, 1u << VMLA_KIB);
    char *end = lim;

    if ((size_t)(lim - st->next) > n + VMLA_STEP)
        end = (char *)VMB_UP(st->next + n + VMLA_STEP - (1u << VMLA_KIB), 1u << VMLA_KIB);
    if (end <= st->end)
        return;
    if (end > from) {
        char *first = (char *)vmla_pair(st->map, from);
        memset(first, 0, (size_t)((char *)vmla_pair(st->map, end - 1) + 16 - first));
    }
    st->end = end;
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

/* Memory that is not touched costs little: the more there is, the more is asked for. */
static size_t wanted(Vmalloc_t *vm, size_t need)
{
    size_t more = vm->data->extent, want;

    if (!(vmr_dcflags(vm) & VM_DCRESERVE))
        more /= 4;
    return vmb_addover(need, VMB_MIN(more, WANTMAX), &want) ? need : want;
}

/* The newest segment grew, and its part is taken up again: marks that are younger than the part
 * have to know where it ended. */
static void resume(vmla_t *st, vmla_part_t *part)
{
    vmla_mark_t *m;

    for (m = st->mark; m != NULL && m->seq >= part->seq; m = m->prev)
        if (m->part != part && m->again == NULL) {
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
    int r = vmmtextend(vm, need, wanted(vm, need), &seg, &oldend, again);

    if (r == VM_EXTFAIL)
        return -1;
    vmla_takeover(st); /* the lock may have been free */
    if (r == VM_EXTNEW) {
        vmla_newpart(st, seg);
    } else if (r == VM_EXTGROWN) {
        part = seg->own;
        if (part == NULL)
            return vmla_newpart(st, seg) != NULL ? 0 : -1;
        regrow(st, part);
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
        if (fits(st->next, st->cur->lim, n, align)) {
            size_t off = (uintptr_t)st->next % align;
            advance(st, n + (off != 0 ? align - off : 0));
            return 0;
        }
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
    char *p = st->last;
    Vmseg_t *seg = st->cur->seg;
    size_t have = (size_t)(p - seg->base), least, more;

    if (n > (size_t)(st->cur->lim - p)) {
        least = usable(n, VM_ALIGN);
        if (least == 0 || vmb_addover(least, have + have / 60, &least)) {
            errno = ENOMEM;
            return -1;
        }
        if (vmb_addover(least, n / 4, &more) || vmmtgrow(vm, seg, more) < 0)
            if (vmmtgrow(vm, seg, least) < 0)
                return -1;
        regrow(st, st->cur);
    }
    advance(st, n - (size_t)(st->next - p));
    return 0;
}

/* ---- compaction ---- */

/* Give the end of a part's segment back.  Its pairs wait right behind the blocks meanwhile. */
static void shrink(Vmalloc_t *vm, vmla_part_t *part)
{
    vmla_t *st = vmr_state(vm);
    Vmseg_t *seg = part->seg;
    char *end = seg->end, *used;
    size_t pairs, keep;

    if (part == st->cur)
        st->end = softend(part, st->next);
    used = part == st->cur ? st->end : part->fill;
    pairs = mapped(part, used);
    keep = usable((size_t)(used - part->base), VM_ALIGN);
    if (keep >= (size_t)(end - seg->base) || (size_t)(part->lim - used) < pairs * 16)
        return;
    memcpy(used, part->lim, pairs * 16);
    if (vmmtshrink(vm, seg, keep) == 0 && seg->end != end)
        relimit(st, part, used);
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
