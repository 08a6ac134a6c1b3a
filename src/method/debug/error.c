/* SPDX-License-Identifier: MIT */
/*
 * error: fills in what is known when an error was found, and classifies addresses that are no blocks.
 */
#include "books.h"

#include <string.h>

#define REACH ((size_t)1 << 20)

static uint64_t nerrors;

void vmdg_error_init(vmdg_error_t *e, vmdg_kind_t kind, vmdg_when_t when, const void *addr)
{
    memset(e, 0, sizeof *e);
    e->kind = kind;
    e->when = when;
    e->addr = addr;
    e->stack = vmdg_here();
    e->thread = vmdg_thisthread();
    e->found = vmdg_now();
}

uint64_t vmdg_errors(void)
{
    return __atomic_load_n(&nerrors, __ATOMIC_RELAXED);
}

void vmdg_count(uint64_t n)
{
    __atomic_fetch_add(&nerrors, n, __ATOMIC_RELAXED);
}

void vmdg_tell(const vmdg_error_t *e)
{
    int told;
    vmdg_self.inside++;
    told = vmdg_report(e);
    vmdg_self.inside--;
    if (told >= 0 && e->kind != VMDG_WATCH)
        vmdg_count(1);
}

/* addr is the start of a block that is no more. */
static vmdg_kind_t wasblock(const vmdg_block_t *b)
{
    return b->state == VMDG_FREED ? VMDG_DOUBLEFREE : VMDG_GONE;
}

static vmdg_kind_t classify(vmdg_error_t *e, uint32_t region, const void *addr)
{
    vmdg_block_t *b = &e->block;
    if (vmdg_at(addr, b) == 0) {
        if (b->state != VMDG_LIVE)
            return wasblock(b);
        return b->region != region ? VMDG_REGION : VMDG_NOBLOCK;
    }
    if (vmdg_around(addr, b) == 0) {
        if (b->state == VMDG_LIVE)
            return VMDG_INSIDE;
        e->what = "inside a block that was freed";
        return VMDG_NOBLOCK;
    }
    e->what = vmdg_whatis(addr, e->object, sizeof e->object);
    memset(b, 0, sizeof *b);
    vmdg_nearest(addr, REACH, b);
    return VMDG_NOBLOCK;
}

void vmdg_badaddr(uint32_t region, const void *addr, vmdg_when_t when, const char *call)
{
    vmdg_error_t e;
    vmdg_error_init(&e, VMDG_NOBLOCK, when, addr);
    e.call = call;
    e.region = region;
    e.kind = classify(&e, region, addr);
    if (e.block.addr != NULL)
        e.offset = (const char *)addr - e.block.addr;
    vmdg_tell(&e);
}

int vmdg_dead(const Vmalloc_t *vm, const void *addr, const char *call)
{
    vmdg_error_t e;
    vmdg_error_init(&e, VMDG_CLOSEDTWICE, VMDG_ATREGION, addr);
    e.call = call;
    e.region = vmdg_region_find(vm);
    if (addr != NULL && vmdg_at(addr, &e.block) == 0 && e.block.state != VMDG_LIVE)
        e.kind = VMDG_GONE;
    vmdg_tell(&e);
    return -1;
}
