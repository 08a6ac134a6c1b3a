/* SPDX-License-Identifier: MIT */
/*
 * quarantine: freed blocks wait, so that who still uses them is found.
 *
 *   a shard's ring   | head: oldest ... newest | tail        entry: number of the block, operation
 *
 * A block leaves when the shard has too many bytes or too many blocks; the shards share what the
 * options grant.  On leaving its filling is looked at, and its memory goes back to the lower method.
 * Blocks of regions that were cleared or closed wait too, without memory, to tell what they were.
 */
#include "plain.h"
#include "over.h"

#define BATCH 32
#define LARGE 16384 /* bytes of a block that does not wait at hand */
#define GONE 64 /* of a block that keeps no memory, one byte in so many counts */
#define AHEAD 12
#define LINE 64
#define FETCHED 1024
#define COST 48 /* bytes that a block costs beside its own */

/* Size of all rings: twice the blocks allowed, for there may be calls in which nothing can leave. */
static size_t ringsize(void)
{
    static size_t n;
    if (VMOS_UNLIKELY(n == 0))
        n = (size_t)2 << vmb_log2(VMB_MAX(vmdg_options.age, (size_t)512));
    return n;
}

static int ready(vmdg_shard_t *s)
{
    void *p;
    if (VMOS_LIKELY(s->ring != NULL))
        return 1;
    p = vmos_map(NULL, VMB_UP(ringsize() * sizeof(*s->ring), vmos_pagesize()), VMOS_RESERVE);
    if (p == NULL)
        return 0;
    s->nring = ringsize();
    s->ring = p;
    return 1;
}

/* ---- leaving ---- */

/* Before somebody else has the memory, who may want the seat. */
static void forget(vmdg_desc_t *d, uint32_t id, uint64_t what)
{
    if (VMOS_LIKELY(what & VMDG_SEATED)) {
        __atomic_store_n(&d->what, 0, __ATOMIC_RELEASE);
        return;
    }
    vmdg_index_clear(vmdg_addr(d), id);
    vmdg_desc_put(id);
}

static void release_memory(vmdg_desc_t *d, uint32_t id, uint64_t what, int local)
{
    Vmalloc_t *vm = vmdg_region_vm(vmdg_regionof(d));
    char *base;
    if (vm == NULL || what & VMDG_OUT) {
        forget(d, id, what);
        return;
    }
    if (VMOS_UNLIKELY(vmdg_guardof(what) != VMDG_NOGUARD)) {
        vmdg_guard_lift(vm, d, vmdg_guardof(what));
        vmdg_guard_gone(vmdg_guardof(what));
    }
    base = vmdg_addr(d) - vmdg_lead(d);
    forget(d, id, what);
    (*vmmt_under(vm)->freef)(vm, base, local);
}

void vmdg_release(uint32_t id, int local)
{
    vmdg_desc_t *d = vmdg_desc(id);
    uint64_t what = vmdg_what(d);
    if (vmdg_stateof(what) == VMDG_FREED) {
        if (VMOS_UNLIKELY(what & VMDG_OUT) || VMOS_UNLIKELY(vmdg_guardof(what) != VMDG_NOGUARD) ||
            VMOS_UNLIKELY(vmdg_freed_check(vmdg_addr(d), vmdg_sizeof(what)) != NULL))
            vmdg_verify(id, VMDG_ATEVICT, NULL);
        if (vmdg_turn(d, VMDG_FREED, VMDG_NONE) == 0) {
            release_memory(d, id, what, local);
            return;
        }
    }
    forget(d, id, what);
}

VMOS_INLINE uint32_t cost(uint32_t id)
{
    uint64_t what = vmdg_what(vmdg_desc(id));
    size_t n = vmdg_sizeof(what);
    int side = vmdg_guardof(what);
    if (vmdg_stateof(what) != VMDG_FREED || what & VMDG_OUT || side == VMDG_ABOVE || side == VMDG_BELOW)
        n = 0;
    else if (side == VMDG_HIDDEN && n >= VMDG_HUGE)
        n /= GONE;
    n += COST;
    return (uint32_t)VMB_MIN(n, UINT32_MAX);
}

/* Threads look without the lock, too, for a hint. */
static int toomuch(const vmdg_shard_t *s)
{
    uint64_t share = VMB_MIN(vmdg_threads(), VMDG_SHARDS), bytes = __atomic_load_n(&s->bytes, __ATOMIC_RELAXED);
    uint64_t n = __atomic_load_n(&s->tail, __ATOMIC_RELAXED) - __atomic_load_n(&s->head, __ATOMIC_RELAXED);
    return n * share > vmdg_options.age || bytes * share > vmdg_options.quarantine;
}

static void less(vmdg_shard_t *s, size_t cost)
{
    __atomic_store_n(&s->bytes, s->bytes - VMB_MIN(s->bytes, cost), __ATOMIC_RELAXED);
}

/* The batch after this one. */
static void fetch(const vmdg_shard_t *s)
{
    size_t i, n = VMB_MIN(s->tail - s->head, BATCH);
    for (i = 0; i < n; i++)
        __builtin_prefetch(vmdg_desc(s->ring[(s->head + i) & (s->nring - 1)].id), 0);
}

/* Take the oldest ones out while there is too much. */
static size_t expel(vmdg_shard_t *s, uint32_t *ids, size_t most)
{
    size_t n = 0;
    while (n < most && s->head != s->tail && toomuch(s)) {
        const vmdg_entry_t *e = &s->ring[s->head & (s->nring - 1)];
        __atomic_store_n(&s->head, s->head + 1, __ATOMIC_RELAXED);
        if (e->id == 0)
            continue;
        less(s, e->cost);
        ids[n++] = e->id;
    }
    fetch(s);
    return n;
}

/* With room for one in the ring. */
static void enter(vmdg_shard_t *s, const vmdg_entry_t *e)
{
    s->ring[s->tail & (s->nring - 1)] = *e;
    __atomic_store_n(&s->bytes, s->bytes + e->cost, __ATOMIC_RELAXED);
    __atomic_store_n(&s->tail, s->tail + 1, __ATOMIC_RELEASE);
}

/* To the caches: the filling, which is looked at. */
static void bring(const vmdg_desc_t *d)
{
    const char *p = vmdg_addr(d);
    size_t i, n = VMB_MIN(vmdg_sizeof(d->what), FETCHED);
    for (i = 0; i <= n; i += LINE)
        __builtin_prefetch(p + i);
}

/* The books of those that are to go are far away in memory: descriptors are fetched a batch before they
 * are needed, blocks some blocks before. */
static void release_all(const uint32_t *ids, size_t n)
{
    for (size_t i = 0; i < n + AHEAD; i++) {
        if (i < n)
            bring(vmdg_desc(ids[i]));
        if (i >= AHEAD)
            vmdg_release(ids[i - AHEAD], 0);
    }
}

/* What the thread has at hand enters the ring, as far as there is room; how many did. */
static size_t enter_all(vmdg_shard_t *s, vmdg_self_t *me)
{
    size_t i = 0, n = me->nwait;
    while (i < n && ready(s) && s->tail - s->head < s->nring) {
        enter(s, &me->wait[i++]);
    }
    me->nwait = 0;
    return i;
}

/* And the oldest leave. */
static VMOS_NOINLINE void pass(vmdg_self_t *me)
{
    uint32_t out[BATCH];
    vmdg_shard_t *s = vmdg_shard();
    size_t n, had = me->nwait, i = enter_all(s, me);
    do {
        n = expel(s, out, BATCH);
        vmdg_leave(s);
        release_all(out, n);
        if (n == BATCH)
            s = vmdg_shard();
    } while (n == BATCH);
    for (; i < had; i++) /* without memory for a ring */
        vmdg_release(me->wait[i].id, 0);
}

/* Large ones do not wait for others; nor does the first one at hand where threads that ended left too much. */
void vmdg_quarantine(uint32_t id, uint64_t op, int local)
{
    vmdg_self_t *me = &vmdg_self;
    const vmdg_entry_t e = {id, (uint32_t)op, cost(id)};
    if (VMOS_UNLIKELY(me->nwait == VMDG_HAND)) { /* only where the lock was lent all the time */
        vmdg_shard_t *s = vmdg_shard();
        int room = ready(s) && s->tail - s->head < s->nring;
        if (room)
            enter(s, &e);
        vmdg_leave(s);
        if (!room)
            vmdg_release(id, local);
        return;
    }
    me->wait[me->nwait] = e;
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    me->nwait++;
    if (!local && (me->nwait >= VMDG_HAND - 1 || e.cost > LARGE || me->ended ||
                   (me->nwait == 1 && toomuch(&vmdg_shards[vmdg_threadnumber() % VMDG_SHARDS]))))
        pass(me);
}

void vmdg_quarantine_leave(void)
{
    vmdg_shard_t *s = vmdg_shard();
    enter_all(s, &vmdg_self);
    vmdg_leave(s);
}

/* ---- one region ---- */

static size_t pick(vmdg_shard_t *s, uint32_t region, uint32_t *ids)
{
    size_t n = 0;
    for (size_t i = s->head; i != s->tail && n < BATCH; i++) {
        vmdg_entry_t *e = &s->ring[i & (s->nring - 1)];
        if (e->id == 0 || vmdg_regionof(vmdg_desc(e->id)) != region)
            continue;
        less(s, e->cost);
        ids[n++] = e->id;
        e->id = 0;
    }
    return n;
}

size_t vmdg_quarantine_flush(uint32_t region, int local)
{
    uint32_t out[BATCH];
    size_t n, total = 0;
    vmdg_quarantine_leave();
    for (int i = 0; i < VMDG_SHARDS; i++) {
        do {
            vmdg_shard_t *s = &vmdg_shards[i];
            if (vmos_lockedbyme(&s->lock))
                break;
            vmos_lock(&s->lock);
            n = s->ring != NULL ? pick(s, region, out) : 0;
            vmos_unlock(&s->lock);
            for (size_t k = 0; k < n; k++)
                vmdg_release(out[k], local);
            total += n;
        } while (n != 0);
    }
    return total;
}

uint64_t vmdg_quarantine_op(uint32_t id)
{
    uint64_t now = vmdg_now();
    for (uint32_t i = 0; i < vmdg_self.nwait; i++)
        if (vmdg_self.wait[i].id == id)
            return now - (uint32_t)((uint32_t)now - vmdg_self.wait[i].op);
    for (int i = 0; i < VMDG_SHARDS; i++) {
        const vmdg_shard_t *s = &vmdg_shards[i];
        size_t end = __atomic_load_n(&s->tail, __ATOMIC_ACQUIRE), k;
        for (k = __atomic_load_n(&s->head, __ATOMIC_RELAXED); k != end; k++)
            if (s->ring[k & (s->nring - 1)].id == id)
                return now - (uint32_t)((uint32_t)now - s->ring[k & (s->nring - 1)].op);
    }
    return 0;
}
