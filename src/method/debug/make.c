/* SPDX-License-Identifier: MIT */
/*
 * make: a new block: from the lower method, entered in the books, fences laid.
 */
#include "plain.h"

#include <errno.h>
#include <string.h>

int vmdg_stale;

static int ispower(size_t x)
{
    return (x & (x - 1)) == 0;
}

/* Bytes in front of a block that keep its alignment; 0: too many. */
static size_t leadfor(size_t align)
{
    if (align <= VMDG_FRONT && ispower(align))
        return VMDG_FRONT;
    return ispower(align) ? align : vmb_lcm(align, VMDG_FRONT);
}

/* ---- memory of the lower method ---- */

static char *ask(Vmalloc_t *vm, size_t n, size_t align, int zero, int local)
{
    const Vmethod_t *under = vmmt_under(vm);
    if (align > VM_ALIGN || !ispower(align))
        return (*under->alignf)(vm, n, align, local);
    if (zero)
        return (*under->resizef)(vm, NULL, n, VM_RSZERO, local);
    return (*under->allocf)(vm, n, local);
}

/* What waits in quarantine is better than none. */
static char *obtain(Vmalloc_t *vm, size_t n, size_t align, int zero, int local)
{
    char *p = ask(vm, n, align, zero, local);
    if (VMOS_UNLIKELY(p == NULL) && vmdg_quarantine_flush(vmdg_of(vm)->region, local) != 0)
        p = ask(vm, n, align, zero, local);
    return p;
}

/* ---- requests that cannot be meant ---- */

static VMOS_COLD void *refuse(Vmalloc_t *vm, vmdg_kind_t kind, size_t given, size_t wanted)
{
    vmdg_error_t e;
    vmdg_error_init(&e, kind, VMDG_ATALLOC, NULL);
    e.given = given;
    e.wanted = wanted;
    e.region = vmdg_of(vm)->region;
    vmdg_tell(&e);
    errno = kind == VMDG_OVERFLOW ? ENOMEM : EINVAL;
    return NULL;
}

/* A pool's blocks are of one size, as asked for and not as rounded; of no bytes it has none. */
int vmdg_fitspool(Vmalloc_t *vm, size_t size)
{
    vmdg_t *dg = vmdg_of(vm);
    if (VMOS_LIKELY(vmmt_under(vm)->meth != VM_MTPOOL))
        return 1;
    if (dg->pool == 0)
        dg->pool = size;
    if (dg->pool == size && size != 0)
        return 1;
    if (dg->pool != 0)
        refuse(vm, VMDG_POOLSIZE, size, dg->pool);
    errno = EINVAL;
    return 0;
}

/* ---- the books ---- */

static uint64_t whatfor(size_t size, size_t lead, vmdg_family_t family)
{
    uint64_t log = ispower(lead) ? (uint64_t)vmb_log2(lead) : 0;
    return (uint64_t)size | log << VMDG_LEADSHIFT | (uint64_t)family << VMDG_FAMSHIFT |
           (uint64_t)VMDG_LIVE << VMDG_STATESHIFT;
}

/* Where the discipline gave memory twice, blocks of two regions lie in the same place.  Cold: only
 * where the index has a live block already. */
static VMOS_COLD void overlap(uint32_t had, char *p, size_t size, Vmalloc_t *vm)
{
    vmdg_error_t e;
    vmdg_block_t b;
    if (vmdg_byid(had, &b) < 0 || b.state != VMDG_LIVE || (b.addr != p && b.addr >= p + size))
        return;
    vmdg_error_init(&e, VMDG_OVERLAP, VMDG_ATALLOC, p);
    e.block = b;
    e.offset = p - b.addr;
    e.given = size;
    e.region = vmdg_of(vm)->region;
    vmdg_tell(&e);
}

typedef struct made {
    char *base, *p; /* the lower method's block, and ours in it */
    size_t n, size;
    uint64_t what, op;
    uint32_t stack;
} made_t;

/* What the books say of the memory so far no longer holds. */
static VMOS_NOINLINE void displace(Vmalloc_t *vm, const made_t *m)
{
    uint32_t had = vmdg_index_get(m->p);
    if (had != 0)
        overlap(had, m->p, m->size, vm);
    if (vmdg_stale)
        vmdg_index_wipe(m->base, m->base + m->n);
}

/* In the books under the number of its seat.  -1: it has none. */
VMOS_INLINE int seat(Vmalloc_t *vm, const made_t *m, uint32_t *id, int local)
{
    vmdg_seat_t s;
    if (VMOS_UNLIKELY(!vmdg_of(vm)->seats) || VMOS_UNLIKELY(m->p - m->base != VMDG_FRONT) ||
        VMOS_UNLIKELY(vmdg_seat(vm, m->p, m->base, m->n, local, &s) < 0) || VMOS_UNLIKELY(vmdg_seat_take(&s) < 0))
        return -1;
    vmdg_desc_enter(vmdg_desc(s.id), m->p, m->what | VMDG_SEATED, vmdg_of(vm)->region, m->stack, m->op);
    *id = s.id;
    return 0;
}

/* Under a number from the list.  -1: no memory. */
static VMOS_NOINLINE int list(Vmalloc_t *vm, const made_t *m, uint32_t *id)
{
    displace(vm, m);
    if ((*id = vmdg_desc_get()) == 0)
        return -1;
    vmdg_desc_enter(vmdg_desc(*id), m->p, m->what, vmdg_of(vm)->region, m->stack, m->op);
    if (vmdg_index_enter(m->p, m->base, m->base + m->n, *id) == 0)
        return 0;
    vmdg_desc_put(*id);
    return -1;
}

/* Enter a block in the books.  -1: no memory. */
VMOS_INLINE int record(Vmalloc_t *vm, const made_t *m, int local)
{
    uint32_t id;
    if (VMOS_UNLIKELY(vmdg_stale))
        displace(vm, m);
    if (VMOS_UNLIKELY(seat(vm, m, &id, local) < 0) && list(vm, m, &id) < 0)
        return -1;
    if (VMOS_UNLIKELY(vmr_watched(m->p)))
        vmdg_alert(id, "just allocated");
    if (VMOS_UNLIKELY(vmdg_watching))
        vmdg_watch_made(id, m->op);
    return 0;
}

static VMOS_NOINLINE void *nomemory(void)
{
    errno = ENOMEM;
    return NULL;
}

/* ---- the call ---- */

/* Against a page that cannot be accessed, where that is wanted and can be. */
static int guarded(Vmalloc_t *vm, made_t *m, size_t align, vmdg_family_t family, int local)
{
    vmdg_guarded_t g;
    if (!vmdg_guard_wanted(vm, align))
        return 0;
    m->p = vmdg_guard_make(vm, m->size, align, m->stack, local, &g);
    if (m->p == NULL)
        return 0;
    m->base = g.base;
    m->n = g.size;
    m->what = whatfor(m->size, leadfor(align), family) | (uint64_t)g.side << VMDG_GUARDSHIFT;
    return 1;
}

/* Front fences of blocks that lay here before, where vmdg_adopt() would look before it comes to ours; that of
 * an odd alignment it does not find, and goes on to the end. */
static VMOS_COLD void forget(const made_t *m, size_t lead)
{
    size_t end = ispower(lead) ? lead : m->n;
    for (size_t at = VMDG_FRONT; at < end; at *= 2)
        vmdg_store(m->base + at - VMDG_FRONT, 0);
}

/* Between fences. */
static int fenced(Vmalloc_t *vm, made_t *m, size_t align, int zero, vmdg_family_t family, int local)
{
    size_t lead = leadfor(align);
    m->n = lead != 0 ? vmdg_need(m->size, lead) : 0;
    if (VMOS_UNLIKELY(m->n == 0 || m->n > VMDG_SIZEMASK)) {
        errno = ENOMEM;
        return 0;
    }
    m->base = obtain(vm, m->n, align, zero, local);
    if (VMOS_UNLIKELY(m->base == NULL))
        return 0;
    if (VMOS_UNLIKELY(lead > VMDG_FRONT))
        forget(m, lead);
    m->p = m->base + lead;
    m->what = whatfor(m->size, lead, family);
    return 1;
}

void *vmdg_make_known(Vmalloc_t *vm, const vmdg_making_t *g, int local)
{
    made_t m = {.size = g->size, .op = g->op, .stack = g->stack};
    size_t size = g->size;
    if (!guarded(vm, &m, g->align, g->family, local) && !fenced(vm, &m, g->align, g->zero, g->family, local))
        return NULL;
    if (!g->zero)
        vmdg_fill_new(m.p, size);
    else if (vmdg_guardof(m.what) != VMDG_NOGUARD)
        memset(m.p, 0, size);
    if (VMOS_LIKELY(vmdg_isplain(m.p, m.what)))
        vmdg_fence_put(m.p, size, vmdg_of(vm)->key, vmdg_inside(m.p, size, g->zero));
    else
        vmdg_fence_lay(m.p, size, vmdg_of(vm)->key, vmdg_guardof(m.what));
    if (VMOS_LIKELY(record(vm, &m, local) == 0))
        return m.p;
    if (vmdg_guardof(m.what) != VMDG_NOGUARD)
        vmdg_guard_undo(m.base, m.n, vmdg_guardof(m.what));
    (*vmmt_under(vm)->freef)(vm, m.base, local);
    return nomemory();
}

VMOS_COLD void *vmdg_make_laid(Vmalloc_t *vm, char *base, const vmdg_making_t *g)
{
    made_t m = {.base = base, .p = base + VMDG_FRONT, .size = g->size, .op = g->op, .stack = g->stack};
    m.n = vmdg_need(g->size, VMDG_FRONT);
    m.what = whatfor(g->size, VMDG_FRONT, g->family);
    if (record(vm, &m, 0) == 0)
        return m.p;
    (*vmmt_under(vm)->freef)(vm, base, 0);
    return nomemory();
}

void *vmdg_make(Vmalloc_t *vm, size_t size, size_t align, int zero, vmdg_family_t family, int local)
{
    vmdg_making_t g = {size, align, zero, family, 0, vmdg_op()};
    vmdg_tick(g.op);
    if (VMOS_UNLIKELY(size > PTRDIFF_MAX))
        return refuse(vm, VMDG_OVERFLOW, size, 0);
    if (VMOS_UNLIKELY(!vmdg_fitspool(vm, size)) || vmdg_fails())
        return NULL;
    g.stack = vmdg_here_again(VMDG_ATALLOC);
    return vmdg_make_known(vm, &g, local);
}

/* A block that its last process had in quarantine. */
static void quarantined(uint32_t id, uint64_t op)
{
    vmdg_turn(vmdg_desc(id), VMDG_LIVE, VMDG_FREED);
    vmdg_quarantine(id, op, 1);
}

/* The one byte position of a fence in front is known but for odd alignments: those of powers of two
 * are tried.  Who made it is not known. */
void vmdg_adopt(Vmalloc_t *vm, char *base, size_t size)
{
    uint64_t key = vmdg_of(vm)->key, op = vmdg_op();
    int freed;
    for (size_t lead = VMDG_FRONT; lead < size; lead *= 2) {
        size_t had = vmdg_fence_size(base + lead, key, &freed), n;
        n = had != VMDG_NOSIZE ? vmdg_need(had, lead) : 0;
        if (n == 0 || n > size)
            continue;
        if (record(vm, &(made_t){base, base + lead, n, had, whatfor(had, lead, VMDG_VM), op, 0}, 1) == 0 && freed)
            quarantined(vmdg_index_get(base + lead), op);
        return;
    }
}
