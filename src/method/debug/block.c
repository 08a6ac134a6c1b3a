/* SPDX-License-Identifier: MIT */
/*
 * block: what the books say of a block, found by an address at, in or near it.
 */
#include "books.h"
#include "over.h"

#include <string.h>

/* How far in front of an address its block may begin. */
#define REACHBACK ((size_t)1 << (sizeof(size_t) > 4 ? 46 : 30))

size_t vmdg_lead(const vmdg_desc_t *d)
{
    unsigned log = (unsigned)(d->what >> VMDG_LEADSHIFT & 63);
    Vmalloc_t *vm;
    int side = vmdg_guardof(vmdg_what(d));
    if (VMOS_UNLIKELY(side == VMDG_ABOVE || side == VMDG_BELOW))
        return (size_t)(vmdg_addr(d) - vmdg_guard_base(vmdg_addr(d), side));
    if (log != 0)
        return (size_t)1 << log;
    vm = vmdg_region_vm(vmdg_regionof(d));
    return vm != NULL ? (size_t)(*vmmt_under(vm)->addrf)(vm, vmdg_addr(d), 0) : VMDG_FRONT;
}

/* Of numbers that are in part only known to be recent. */
static uint64_t wholeop(uint32_t op)
{
    uint64_t now = vmdg_now();
    return now - (uint32_t)((uint32_t)now - op);
}

/* All but the operation that freed it, which is searched for in the quarantine. */
static void fill(vmdg_block_t *b, uint32_t id)
{
    const vmdg_desc_t *d = vmdg_desc(id);
    uint64_t what = vmdg_what(d);
    memset(b, 0, sizeof *b);
    b->addr = vmdg_addr(d);
    b->size = vmdg_sizeof(what);
    b->region = vmdg_regionof(d);
    b->vm = vmdg_region_vm(b->region);
    b->id = id;
    b->state = vmdg_stateof(what);
    b->family = vmdg_familyof(what);
    b->guarded = vmdg_guardof(what);
    b->alloc = d->alloc;
    b->allocthread = d->athread;
    b->allocop = wholeop(d->op);
    if (b->state == VMDG_LIVE)
        return;
    b->freed = d->freed;
    b->freethread = d->fthread;
}

void vmdg_fill(vmdg_block_t *b, uint32_t id)
{
    fill(b, id);
    if (b->state != VMDG_LIVE)
        b->freeop = vmdg_quarantine_op(id);
}

int vmdg_byid(uint32_t id, vmdg_block_t *b)
{
    if (id == 0 || id >= vmdg_ids() || vmdg_stateof(vmdg_what(vmdg_desc(id))) == VMDG_NONE)
        return -1;
    vmdg_fill(b, id);
    return 0;
}

int vmdg_at(const void *addr, vmdg_block_t *b)
{
    uint32_t id = vmdg_index_get(addr);
    if (id == 0 || vmdg_addr(vmdg_desc(id)) != addr)
        return -1;
    return vmdg_byid(id, b);
}

const char *vmdg_end(const vmdg_block_t *b)
{
    return vmdg_fence_end(b->addr, b->size, b->guarded);
}

/* How far addr is from the bytes of the block, 0 inside; a block of no bytes has one. */
static size_t distance(const vmdg_desc_t *d, const char *addr)
{
    const char *p = vmdg_addr(d);
    size_t size = vmdg_sizeof(vmdg_what(d));
    if (addr < p)
        return (size_t)(p - addr);
    return addr < p + size ? 0 : (size_t)(addr - (p + size)) + 1;
}

/* Whether addr lies in the block or its fences. */
static int within(uint32_t id, const char *addr)
{
    const vmdg_desc_t *d = vmdg_desc(id);
    const char *p = vmdg_addr(d);
    uint64_t what = vmdg_what(d);
    return addr >= p - VMDG_FRONT &&
           addr < vmdg_fence_end(p, vmdg_sizeof(what), vmdg_guardof(what));
}

int vmdg_around(const void *addr, vmdg_block_t *b)
{
    const char *a = addr, *at, *low = a > (char *)REACHBACK ? a - REACHBACK : NULL;
    uint32_t id, found = 0;
    if (!vmdg_index_maybe(addr))
        return -1;
    id = vmdg_index_before(a + VMDG_FRONT, low, &at); /* it may be in the fence in front */
    for (int tries = 0; id != 0 && tries < 8; tries++) {
        if (within(id, a)) {
            found = id;
            if (vmdg_stateof(vmdg_what(vmdg_desc(id))) == VMDG_LIVE)
                break;
        }
        id = at > low + VMDG_GRANULE ? vmdg_index_before(at - 1, low, &at) : 0;
    }
    return found != 0 ? vmdg_byid(found, b) : -1;
}

int vmdg_nearest(const void *addr, size_t reach, vmdg_block_t *b)
{
    const char *a = addr, *at;
    uint32_t before, after;
    if (vmdg_around(addr, b) == 0)
        return 0;
    before = vmdg_index_before(a, (uintptr_t)a > REACHBACK ? a - REACHBACK : NULL, &at);
    after = vmdg_index_after(a, (uintptr_t)a + reach < (uintptr_t)a ? (char *)UINTPTR_MAX : a + reach,
                             &at);
    if (before != 0 && distance(vmdg_desc(before), a) > reach)
        before = 0;
    if (before != 0 && after != 0 &&
        distance(vmdg_desc(after), a) < distance(vmdg_desc(before), a))
        before = 0;
    before = before != 0 ? before : after;
    return before != 0 ? vmdg_byid(before, b) : -1;
}

int vmdg_each(int (*f)(const vmdg_block_t *b, void *arg), void *arg)
{
    vmdg_block_t b;
    uint32_t id, n = vmdg_ids();
    int r = 0;
    for (id = 1; id < n && r == 0; id++) {
        if (vmdg_stateof(vmdg_what(vmdg_desc(id))) == VMDG_NONE)
            continue;
        fill(&b, id);
        r = f(&b, arg);
    }
    return r;
}
