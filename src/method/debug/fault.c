/* SPDX-License-Identifier: MIT */
/*
 * fault: an access that the processor stopped.
 *
 *   at a guard       the block is told, the page becomes accessible and the program goes on
 *   elsewhere        what can be told is told; then it is for the program's own handler, or the end
 *
 * A jump into a block ends the process wherever the guard is: access does not make code of it.
 */
#include "books.h"
#include "os_debug.h"

#include <string.h>

#define NEAR ((size_t)1 << 16)
/* How far in front of an address a block with a guard may begin. */
#define REACHBACK ((size_t)1 << (sizeof(size_t) > 4 ? 36 : 31))

int vmdg_catching;

/* ---- which block ---- */

/* Whether a lies in the pages of the block that a guard may be in, with one on either side, or in those that
 * it hides. */
static int hasguard(const vmdg_desc_t *d, const char *a)
{
    uint64_t what = vmdg_what(d);
    size_t page = vmos_pagesize();
    const char *p = vmdg_addr(d);
    int side = vmdg_guardof(what);
    if (side == VMDG_NOGUARD || vmdg_stateof(what) == VMDG_NONE)
        return 0;
    if (side == VMDG_HIDDEN)
        return vmdg_stateof(what) == VMDG_FREED && a >= p && a < p + vmdg_sizeof(what);
    if (vmdg_stateof(what) == VMDG_LIVE && a >= p && a < p + vmdg_sizeof(what))
        return 0; /* what the program itself took access from */
    return a >= vmdg_guard_base(p, side) &&
           a < (const char *)VMB_UP(p + vmdg_sizeof(what), page) + page;
}

static uint32_t guardof(const char *a)
{
    size_t page = vmos_pagesize();
    const char *at, *low = (uintptr_t)a > REACHBACK ? a - REACHBACK : NULL;
    uint32_t id = vmdg_index_before(a, low, &at);
    if (id != 0 && hasguard(vmdg_desc(id), a))
        return id;
    id = vmdg_index_after(a, a + page + VMDG_GRANULE, &at);
    return id != 0 && hasguard(vmdg_desc(id), a) ? id : 0;
}

static vmdg_kind_t kindof(const vmdg_block_t *b, const char *a)
{
    if (b->state == VMDG_FREED)
        return VMDG_AFTERFREE;
    if (b->state != VMDG_LIVE)
        return VMDG_GONE;
    return a < b->addr ? VMDG_BEFORE : VMDG_PAST;
}

/* ---- telling ---- */

static void init(vmdg_error_t *e, vmdg_kind_t kind, const vmos_fault_t *f)
{
    memset(e, 0, sizeof *e);
    e->kind = kind;
    e->when = VMDG_ATACCESS;
    e->addr = f->addr;
    e->access = f->jump ? VMDG_JUMP : f->write < 0 ? VMDG_UNKNOWN : f->write ? VMDG_WRITE : VMDG_READ;
    e->context = f->context;
    e->stack = f->jump ? vmdg_here_jumped(f->context) : vmdg_here_of(f->context);
    e->thread = vmdg_thisthread();
    e->found = vmdg_now();
}

static int atguard(uint32_t id, const vmos_fault_t *f)
{
    vmdg_desc_t *d = vmdg_desc(id);
    Vmalloc_t *vm = vmdg_region_vm(vmdg_regionof(d));
    vmdg_error_t e;
    vmdg_block_t b;
    vmdg_fill(&b, id);
    init(&e, kindof(&b, f->addr), f);
    e.block = b;
    e.region = b.region;
    e.offset = (const char *)f->addr - b.addr;
    e.fatal = f->jump;
    if (!(vmdg_what(d) & VMDG_REPORTED))
        vmdg_tell(&e);
    __atomic_fetch_or(&d->what, VMDG_REPORTED, __ATOMIC_RELAXED);
    if (vm == NULL || f->jump)
        return 0;
    vmdg_guard_lift(vm, d, b.guarded);
    return 1;
}

/* All bytes the same, those that new or freed memory is filled with, but perhaps the lowest ones:
 * an offset was added. */
static int filled(uintptr_t x, unsigned char byte)
{
    uintptr_t all = (uintptr_t)0x0101010101010101u * byte;
    return x - all < NEAR || all - x < NEAR;
}

static int isfilling(uintptr_t x, void *arg)
{
    (void)arg;
    return filled(x, VMDG_NEWBYTE) ? 1 : filled(x, VMDG_FREEDBYTE) ? 2 : 0;
}

/* Where it is that no code is, or no memory. */
static void where(vmdg_error_t *e, const vmos_fault_t *f)
{
    const vmdg_block_t *b = &e->block;
    if (vmdg_nearest(f->addr, NEAR, &e->block) == 0)
        e->offset = (const char *)f->addr - b->addr;
    if (b->addr == NULL || e->offset < 0 || (size_t)e->offset >= b->size || b->state > VMDG_FREED)
        e->what = vmdg_whatis(f->addr, e->object, sizeof e->object); /* of regions that are gone, too */
    else if (b->state == VMDG_FREED)
        e->what = "in a freed block";
    else
        e->what = f->jump ? "in a block" : "in a block that the program took access from";
}

/* No guard of ours: NULL, an address made from memory that was never written or was freed, or
 * something else. */
static void elsewhere(const vmos_fault_t *f)
{
    vmdg_error_t e;
    int filling = !f->known ? vmos_fault_registers(f->context, isfilling, NULL) : 0;
    init(&e, filling == 1 ? VMDG_UNINIT : filling == 2 ? VMDG_AFTERFREE : VMDG_WILD, f);
    e.fatal = 1;
    if (filling == 2)
        e.detail = "an address was read from a freed block";
    if (f->known && (uintptr_t)f->addr < NEAR && vmdg_failed() != 0) {
        e.kind = VMDG_NULLUSED;
        e.block.alloc = vmdg_failed();
    }
    if (f->known)
        where(&e, f);
    vmdg_tell(&e);
}

static int fault(const vmos_fault_t *f)
{
    static uintptr_t dying; /* a fault within the telling ends the process */
    uint32_t id;
    if (vmdg_self.inside || __atomic_load_n(&dying, __ATOMIC_RELAXED) == vmos_self())
        return 0;
    id = f->known ? guardof(f->addr) : 0;
    if (id != 0 && atguard(id, f))
        return 1;
    __atomic_store_n(&dying, vmos_self(), __ATOMIC_RELAXED);
    if (id == 0 && !f->handled) /* who handles faults may cause them on purpose */
        elsewhere(f);
    __atomic_store_n(&dying, 0, __ATOMIC_RELAXED);
    return 0;
}

/* Once: that it failed is to stay known, and told of but once. */
void vmdg_fault_begin(void)
{
    int caught, unknown = 0;
    if (__atomic_load_n(&vmdg_catching, __ATOMIC_RELAXED) != 0)
        return;
    caught = vmos_onfault(fault) == 0;
    __atomic_compare_exchange_n(&vmdg_catching, &unknown, caught ? 1 : -1, 0, __ATOMIC_RELAXED,
                                __ATOMIC_RELAXED);
    if (!caught)
        vmb_fault("faults cannot be caught on this system: only fences find errors");
}
