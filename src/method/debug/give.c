/* SPDX-License-Identifier: MIT */
/*
 * give: a block comes back.  Looked up, its fences checked, then filled and put in quarantine.
 */
#include "plain.h"

#include <errno.h>
#include <string.h>

void vmdg_alert(uint32_t id, const char *what)
{
    vmdg_error_t e;
    vmdg_error_init(&e, VMDG_WATCH, VMDG_ATACCESS, vmdg_addr(vmdg_desc(id)));
    vmdg_fill(&e.block, id);
    e.region = e.block.region;
    e.detail = what;
    vmdg_tell(&e);
}

/* ---- what the call said of the block ---- */

/* Calls that belong together: those of one kind of the enumeration. */
static int kind(vmdg_family_t f)
{
    static const char kinds[] = {
        [VMDG_VM] = 0,
        [VMDG_MALLOC] = 1,
        [VMDG_MEMALIGN] = 1,
        [VMDG_ALIGNED] = 1,
        [VMDG_POSIX] = 1,
        [VMDG_VALLOC] = 1,
        [VMDG_PVALLOC] = 1,
        [VMDG_NEW] = 2,
        [VMDG_NEWALIGN] = 2,
        [VMDG_ARRAY] = 3,
        [VMDG_ARRAYALIGN] = 3,
    };
    return kinds[f];
}

static int aligned(vmdg_family_t f)
{
    return f == VMDG_NEWALIGN || f == VMDG_ARRAYALIGN;
}

static void mismatch(uint32_t id, const vmdg_giving_t *g, vmdg_kind_t what, size_t given, size_t wanted)
{
    vmdg_error_t e;
    vmdg_error_init(&e, what, g->when, vmdg_addr(vmdg_desc(id)));
    vmdg_fill(&e.block, id);
    e.region = e.block.region;
    e.call = g->call;
    e.family = g->family;
    e.given = given;
    e.wanted = wanted;
    vmdg_tell(&e);
}

/* The alignment that was asked for, 0 when it is not known: no power of two, in a guarded block. */
static size_t alignmentof(const vmdg_desc_t *d)
{
    uint64_t what = vmdg_what(d);
    unsigned log = (unsigned)(what >> VMDG_LEADSHIFT & 63);
    if (log != 0)
        return (size_t)1 << log;
    return vmdg_guardof(what) == VMDG_NOGUARD ? vmdg_lead(d) : 0;
}

static int fits(const vmdg_desc_t *d, size_t align)
{
    size_t was = alignmentof(d);
    return was != 0 ? was == align : ((uintptr_t)vmdg_addr(d) & (align - 1)) == 0;
}

/* The first thing that is wrong with what the call says, if any. */
static void compare(uint32_t id, const vmdg_giving_t *g)
{
    const vmdg_desc_t *d = vmdg_desc(id);
    uint64_t what = vmdg_what(d);
    vmdg_family_t made = vmdg_familyof(what);
    size_t size = vmdg_sizeof(what);
    if (VMOS_LIKELY(made == g->family && g->align <= VM_ALIGN && (g->size == VMDG_NOSIZE || g->size == size)))
        return;
    if (VMOS_UNLIKELY(kind(made) != kind(g->family)))
        mismatch(id, g, VMDG_FAMILY, 0, 0);
    else if (VMOS_UNLIKELY(aligned(made) != aligned(g->family)))
        mismatch(id, g, VMDG_ALIGN, g->align, alignmentof(d));
    else if (VMOS_UNLIKELY(g->align > VM_ALIGN && !fits(d, g->align)))
        mismatch(id, g, VMDG_ALIGN, g->align, alignmentof(d));
    else if (VMOS_UNLIKELY(g->size != VMDG_NOSIZE && g->size != size))
        mismatch(id, g, VMDG_SIZE, g->size, size);
}

/* ---- the block goes ---- */

/* Out of the program's hands: freed, and busy until it is filled.  -1: somebody else was quicker. */
static int seize(vmdg_desc_t *d)
{
    uint64_t old = vmdg_what(d);
    while (vmdg_stateof(old) == VMDG_LIVE) {
        uint64_t new = (old & ~VMDG_STATEMASK) | (uint64_t)VMDG_FREED << VMDG_STATESHIFT | VMDG_BUSY;
        if (VMOS_UNLIKELY(old & VMDG_BUSY)) {
            vmdg_await(d);
            old = vmdg_what(d);
        } else if (__atomic_compare_exchange_n(&d->what, &old, new, 0, __ATOMIC_ACQ_REL,
                                               __ATOMIC_RELAXED)) {
            return 0;
        }
    }
    return -1;
}

/* Vmlast takes its last block back at once, or says that it cannot. */
static int giveback(Vmalloc_t *vm, uint32_t id, const vmdg_giving_t *g, uint64_t op, int local)
{
    vmdg_desc_t *d = vmdg_desc(id);
    char *base = vmdg_addr(d) - vmdg_lead(d);
    if ((*vmmt_under(vm)->freef)(vm, base, local) == 0) {
        __atomic_store_n(&vmdg_stale, 1, __ATOMIC_RELAXED);
        __atomic_fetch_or(&d->what, VMDG_OUT, __ATOMIC_RELAXED);
        __atomic_fetch_and(&d->what, ~VMDG_BUSY, __ATOMIC_RELEASE);
        vmdg_quarantine(id, op, local);
        return 0;
    }
    __atomic_fetch_and(&d->what, ~(VMDG_BUSY | VMDG_STATEMASK), __ATOMIC_RELAXED);
    __atomic_fetch_or(&d->what, (uint64_t)VMDG_LIVE << VMDG_STATESHIFT, __ATOMIC_RELEASE);
    mismatch(id, g, VMDG_CANNOTFREE, 0, 0);
    return -1;
}

static int part(Vmalloc_t *vm, uint32_t id, const vmdg_giving_t *g, uint64_t op, int local)
{
    vmdg_desc_t *d = vmdg_desc(id);
    size_t size;
    d->freed = vmdg_here_again(VMDG_ATFREE);
    d->fthread = (uint16_t)vmdg_threadnumber();
    if (VMOS_UNLIKELY(vmdg_of(vm)->single))
        return giveback(vm, id, g, op, local);
    size = vmdg_sizeof(vmdg_what(d));
    if (VMOS_UNLIKELY(vmdg_guardof(vmdg_what(d)) != VMDG_NOGUARD))
        vmdg_guard_freed(vm, d, vmdg_guardof(vmdg_what(d)));
    else if (VMOS_LIKELY(size < VMDG_HIDE) || vmdg_guard_hide(vm, d) != 0)
        vmdg_fill_freed(vmdg_addr(d), size);
    if (VMOS_UNLIKELY(vmdg_record(vmdg_regionof(d))->kept))
        vmdg_fence_mark(vmdg_addr(d), vmdg_of(vm)->key);
    __atomic_store_n(&d->what, d->what & ~VMDG_BUSY, __ATOMIC_RELEASE); /* nobody else writes it */
    vmdg_quarantine(id, op, local);
    return 0;
}

/* ---- the call ---- */

static VMOS_COLD int bad(Vmalloc_t *vm, void *p, const vmdg_giving_t *g, int local)
{
    if (local)
        vmr_unlock(vm);
    vmdg_badaddr(vm != NULL ? vmdg_of(vm)->region : 0, p, g->when, g->call);
    if (vm != NULL)
        vmmtbadaddr(vm, p);
    if (local)
        vmr_lock(vm);
    return -1;
}

/* What nearly all blocks are: plain, with sound fences. */
VMOS_INLINE void check(uint32_t id, const vmdg_giving_t *g)
{
    const vmdg_desc_t *d = vmdg_desc(id);
    uint64_t what = vmdg_what(d);
    const char *p = vmdg_addr(d);
    if (VMOS_UNLIKELY(!vmdg_isplain(p, what) ||
                      !vmdg_fence_sound(p, vmdg_sizeof(what), vmdg_region_key(vmdg_regionof(d)))))
        vmdg_verify(id, g->when, g->call);
}

int vmdg_give_known(Vmalloc_t *vm, uint32_t id, void *p, const vmdg_giving_t *g, int local)
{
    return vmdg_give_numbered(vm, id, p, g, vmdg_op(), local);
}

int vmdg_give_numbered(Vmalloc_t *vm, uint32_t id, void *p, const vmdg_giving_t *g, uint64_t op, int local)
{
    int keep = errno, r;
    vmdg_tick(op);
    if (VMOS_UNLIKELY(id == 0))
        return bad(vm, p, g, local);
    check(id, g);
    compare(id, g);
    if (VMOS_UNLIKELY(vmr_watched(p)))
        vmdg_alert(id, "being freed");
    if (VMOS_UNLIKELY(seize(vmdg_desc(id)) < 0))
        return bad(vm, p, g, local);
    r = part(vmdg_region_vm(vmdg_regionof(vmdg_desc(id))), id, g, op, local);
    errno = r == 0 ? keep : EINVAL;
    return r;
}

int vmdg_give(Vmalloc_t *vm, void *p, const vmdg_giving_t *g, int local)
{
    return vmdg_give_known(vm, vmdg_live(vm, p), p, g, local);
}
