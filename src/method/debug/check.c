/* SPDX-License-Identifier: MIT */
/*
 * check: looks at fences and fillings when no call gives an occasion.
 *
 *   along     every 64 operations some descriptors, in the order of their numbers, so many that a
 *             round takes `period` operations, at most one for eight operations
 *   demand    all of a region or of all, by vmdbcheck() and at the end
 *
 * While a block is looked at its descriptor is busy: who wants to free it waits for the few
 * nanoseconds, so its memory stays.  One thread at a time checks.
 */
#include "plain.h"

#include <string.h>

#define STEP 64

static vmos_lock_t checking;
static uint32_t looked; /* the busy one, 0: none */
static uint32_t cursor = 1;

/* ---- busy ---- */

static int look(vmdg_desc_t *d, uint32_t id, vmdg_state_t state)
{
    uint64_t old = vmdg_what(d);
    __atomic_store_n(&looked, id, __ATOMIC_RELAXED);
    do {
        if (vmdg_stateof(old) != state || old & VMDG_BUSY)
            return -1;
    } while (!__atomic_compare_exchange_n(&d->what, &old, old | VMDG_BUSY, 1, __ATOMIC_ACQ_REL,
                                          __ATOMIC_RELAXED));
    return 0;
}

static void lookaway(vmdg_desc_t *d)
{
    __atomic_fetch_and(&d->what, ~VMDG_BUSY, __ATOMIC_RELEASE);
    __atomic_store_n(&looked, 0, __ATOMIC_RELAXED);
}

/* Unless the one who looks is this thread, and we are in a signal handler. */
void vmdg_await(vmdg_desc_t *d)
{
    while (vmdg_what(d) & VMDG_BUSY) {
        if (vmos_lockedbyme(&checking))
            __atomic_fetch_and(&d->what, ~VMDG_BUSY, __ATOMIC_RELAXED);
        else
            vmos_yield();
    }
}

int vmdg_turn_busy(vmdg_desc_t *d, vmdg_state_t from, vmdg_state_t to)
{
    for (;;) {
        uint64_t old, new;
        vmdg_await(d);
        old = vmdg_what(d);
        if (vmdg_stateof(old) != from)
            return -1;
        new = (old & ~VMDG_STATEMASK) | (uint64_t)to << VMDG_STATESHIFT;
        if (!(old & VMDG_BUSY) && __atomic_compare_exchange_n(&d->what, &old, new, 0,
                                                              __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
            return 0;
    }
}

void vmdg_check_renew(void)
{
    uint32_t id = looked;
    checking = (vmos_lock_t){0, 0};
    if (id != 0)
        lookaway(vmdg_desc(id));
}

/* ---- damage ---- */

/* How many of the n bytes from a on differ from what belongs there, up to the last one. */
static size_t extent(const vmdg_block_t *b, const char *a, const char *end)
{
    size_t n = 0;
    for (const char *p = a; p < end; p++) {
        unsigned char want = b->state == VMDG_LIVE ? vmdg_fencebyte(b, p) : VMDG_FREEDBYTE;
        if (*(const unsigned char *)p != want)
            n = (size_t)(p - a) + 1;
    }
    return n;
}

/* What a damaged byte at `bad` means. */
static void describe(vmdg_error_t *e, const vmdg_block_t *b, const char *bad)
{
    const char *end = bad < b->addr ? b->addr : b->state == VMDG_LIVE ? vmdg_end(b) : b->addr + b->size;
    char *hidden, *ehidden;
    vmdg_guard_hidden(b->addr, b->size, &hidden, &ehidden);
    if (b->guarded == VMDG_HIDDEN && bad < hidden)
        end = hidden;
    e->block = *b;
    e->offset = bad - b->addr;
    e->access = VMDG_WRITE;
    e->length = extent(b, bad, VMB_MIN(end, bad + 4096));
    e->nbytes = VMB_MIN(VMB_MIN((size_t)(end - bad), e->length), VMDG_FAULTBYTES);
    memcpy(e->bytes, bad, e->nbytes);
    e->sound = VMB_MAX(b->state == VMDG_LIVE ? b->allocop : b->freeop, vmdg_checked(b->id));
    e->found = vmdg_now();
    e->region = b->region;
}

static vmdg_kind_t kindof(const vmdg_block_t *b, const char *bad)
{
    if (b->state != VMDG_LIVE)
        return VMDG_AFTERFREE;
    return bad < b->addr ? VMDG_BEFORE : VMDG_PAST;
}

/* Of a freed block whose pages are without access, what lies before and behind them. */
static VMOS_COLD const char *ends(const char *p, size_t size)
{
    char *from, *end;
    const char *bad;
    vmdg_guard_hidden(p, size, &from, &end);
    bad = vmdg_freed_check(p, (size_t)(from - p));
    return bad != NULL ? bad : vmdg_freed_check(end, (size_t)(p + size - end));
}

/* Quick look without a copy; most are sound. */
static const char *glance(const vmdg_desc_t *d, uint64_t what)
{
    const char *p = vmdg_addr(d);
    size_t size = vmdg_sizeof(what);
    if (VMOS_LIKELY(vmdg_stateof(what) == VMDG_LIVE)) {
        uint64_t key = vmdg_region_key(vmdg_regionof(d));
        if (VMOS_LIKELY(vmdg_isplain(p, what) && vmdg_fence_sound(p, size, key)))
            return NULL;
        return vmdg_fence_check(p, size, key, vmdg_guardof(what));
    }
    if (vmdg_stateof(what) != VMDG_FREED || what & VMDG_OUT)
        return NULL;
    if (VMOS_UNLIKELY(vmdg_guardof(what) == VMDG_HIDDEN))
        return ends(p, size);
    return vmdg_guardof(what) == VMDG_NOGUARD ? vmdg_freed_check(p, size) : NULL;
}

/* A block is told of once: what is broken at its other end is said with it. */
static int isfrontbroken(const vmdg_block_t *b)
{
    if (b->guarded == VMDG_BELOW)
        return 0;
    for (const char *a = b->addr - VMDG_FRONT; a < b->addr; a++)
        if ((unsigned char)*a != vmdg_fencebyte(b, a))
            return 1;
    return 0;
}

/* The block is not freed meanwhile: it is the caller's, or busy. */
static VMOS_COLD void tell(uint32_t id, const char *bad, vmdg_when_t when, const char *call)
{
    vmdg_error_t e;
    vmdg_block_t b;
    vmdg_fill(&b, id);
    vmdg_error_init(&e, kindof(&b, bad), when, bad);
    e.call = call;
    describe(&e, &b, bad);
    if (e.kind == VMDG_PAST && isfrontbroken(&b))
        e.detail = "and bytes before its start were written, too";
    __atomic_fetch_or(&vmdg_desc(id)->what, VMDG_REPORTED, __ATOMIC_RELAXED);
    vmdg_tell(&e);
}

int vmdg_verify(uint32_t id, vmdg_when_t when, const char *call)
{
    const vmdg_desc_t *d = vmdg_desc(id);
    uint64_t what = vmdg_what(d);
    const char *bad = glance(d, what);
    if (VMOS_LIKELY(bad == NULL))
        return 0;
    if (!(what & VMDG_REPORTED))
        tell(id, bad, when, call);
    return 1;
}

/* ---- along ---- */

static int check_for(uint32_t id, vmdg_when_t when, const char *call)
{
    vmdg_desc_t *d = vmdg_desc(id);
    uint64_t what = vmdg_what(d);
    vmdg_state_t state = vmdg_stateof(what);
    int r;
    if ((state != VMDG_LIVE && (state != VMDG_FREED || when == VMDG_ATPERIOD)) ||
        look(d, id, state) < 0)
        return 0;
    r = vmdg_verify(id, when, call);
    lookaway(d);
    return r;
}

static int check_one(uint32_t id, vmdg_when_t when)
{
    return check_for(id, when, NULL);
}

int vmdg_check_block(uint32_t id, const char *call)
{
    int r;
    if (vmos_lockedbyme(&checking) || vmos_trylock(&checking) != 0)
        return 0;
    r = check_for(id, VMDG_ATDEMAND, call);
    vmos_unlock(&checking);
    return r;
}

static void note(uint32_t id)
{
    vmdg_chunk_t *c = vmdg_chunk[id >> VMDG_CHUNKSHIFT];
    __atomic_store_n(&c->checked[(id & (VMDG_CHUNK - 1)) >> VMDG_ROUNDSHIFT], vmdg_now(),
                     __ATOMIC_RELAXED);
}

uint64_t vmdg_checked(uint32_t id)
{
    const vmdg_chunk_t *c = vmdg_chunk[id >> VMDG_CHUNKSHIFT];
    return __atomic_load_n(&c->checked[(id & (VMDG_CHUNK - 1)) >> VMDG_ROUNDSHIFT],
                           __ATOMIC_RELAXED);
}

/* The n next ones. */
static void proceed(uint32_t n)
{
    uint32_t ids = vmdg_ids();
    for (; n > 0; n--) {
        if (cursor >= ids)
            cursor = 1;
        if (cursor >= ids)
            return;
        check_one(cursor, VMDG_ATPERIOD);
        cursor++;
        if ((cursor & ((1u << VMDG_ROUNDSHIFT) - 1)) == 0 || cursor >= ids)
            note(cursor - 1);
    }
}

void vmdg_check_some(uint64_t op)
{
    size_t period = vmdg_options.period, n;
    vmdg_self.check = op + STEP;
    if (period == 0 || op < vmdg_options.start || vmdg_self.inside)
        return;
    if (vmos_lockedbyme(&checking) || vmos_trylock(&checking) != 0)
        return;
    n = period < STEP ? vmdg_ids() : ((size_t)vmdg_ids() * STEP + period - 1) / period;
    if (period < STEP)
        vmdg_self.check = op + period;
    proceed((uint32_t)(period < STEP ? n : VMB_MIN(n, STEP / 8)));
    vmos_unlock(&checking);
}

/* ---- all ---- */

int vmdg_check_all(uint32_t region, vmdg_when_t when)
{
    uint32_t id, n = vmdg_ids();
    int damaged = 0;
    if (vmos_lockedbyme(&checking))
        return 0;
    vmos_lock(&checking);
    for (id = 1; id < n; id++) {
        if (region == 0 || vmdg_regionof(vmdg_desc(id)) == region)
            damaged += check_one(id, when);
        if ((id & ((1u << VMDG_ROUNDSHIFT) - 1)) == 0 && region == 0)
            note(id - 1);
    }
    vmos_unlock(&checking);
    return damaged;
}
