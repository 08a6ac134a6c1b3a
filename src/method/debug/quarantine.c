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

#include <string.h>

#define BATCH 32
#define LARGE 16384 /* bytes of a block that does not wait at hand */
#define GONE 64 /* of a block that keeps no memory, one byte in so many counts */
#define AHEAD 10
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

/* The batch after this one.  In line, as bring() is: gcc leaves out calls of functions that only fetch. */
VMOS_INLINE void fetch(const vmdg_shard_t *s)
{
    size_t i, n = VMB_MIN(s->tail - s->head, BATCH);
    for (i = 0; i < n; i++)
        __builtin_prefetch(vmdg_desc(s->ring[(s->head + i) & (s->nring - 1)].id), 1);
}

/* Take the oldest ones out while there is too much. */
static uint32_t expel(vmdg_shard_t *s, vmdg_entry_t *out, uint32_t most)
{
    uint32_t n = 0;
    while (n < most && s->head != s->tail && toomuch(s)) {
        const vmdg_entry_t *e = &s->ring[s->head & (s->nring - 1)];
        __atomic_store_n(&s->head, s->head + 1, __ATOMIC_RELAXED);
        if (e->id == 0)
            continue;
        less(s, e->cost);
        out[n++] = *e;
    }
    fetch(s);
    return n;
}

static int hasroom(vmdg_shard_t *s)
{
    return ready(s) && s->tail - s->head < s->nring;
}

/* With room for one in the ring. */
static void enter(vmdg_shard_t *s, const vmdg_entry_t *e)
{
    s->ring[s->tail & (s->nring - 1)] = *e;
    __atomic_store_n(&s->bytes, s->bytes + e->cost, __ATOMIC_RELAXED);
    __atomic_store_n(&s->tail, s->tail + 1, __ATOMIC_RELEASE);
}

/* To the caches: the filling, which is looked at. */
VMOS_INLINE void bring(const vmdg_entry_t *e)
{
    const char *p = vmdg_addr(vmdg_desc(e->id));
    uint32_t i, n = VMB_MIN(e->cost, FETCHED);
    for (i = 0; i < n; i += LINE)
        __builtin_prefetch(p + i);
}

/* The books of those that are to go are far away in memory: descriptors are fetched a batch before they
 * are needed, blocks some blocks before. */
static void release_one(vmdg_self_t *me)
{
    uint32_t i = me->gone++;
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    if (i + AHEAD < me->nout)
        bring(&me->out[i + AHEAD]);
    if (VMOS_UNLIKELY(vmdg_release_straight(me->out[i].id) != 0))
        vmdg_release(me->out[i].id, 0);
}

static void release_all(vmdg_self_t *me)
{
    while (me->gone < me->nout)
        release_one(me);
}

/* The first ones are on their way when they are needed. */
static void begin(vmdg_self_t *me, const vmdg_entry_t *out, uint32_t n)
{
    me->nout = 0;
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    me->gone = 0;
    memcpy(me->out, out, n * sizeof *out);
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    me->nout = n;
    for (uint32_t i = 0; i < VMB_MIN(n, AHEAD); i++)
        bring(&me->out[i]);
}

/* What the thread has at hand enters the ring, as far as there is room; how many did. */
static uint32_t enter_all(vmdg_shard_t *s, vmdg_self_t *me)
{
    uint32_t i = 0, n = me->nwait;
    while (i < n && hasroom(s))
        enter(s, &me->wait[i++]);
    me->nwait = 0;
    return i;
}

/* And the oldest leave: a batch at most one by one, with the next ones that come, what is more now. */
static VMOS_NOINLINE void pass(vmdg_self_t *me, int now)
{
    vmdg_entry_t out[BATCH];
    vmdg_shard_t *s;
    uint32_t n, had, i;
    int more;
    me->passing = 1;
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    release_all(me);
    s = vmdg_shard();
    had = me->nwait;
    i = enter_all(s, me);
    do {
        n = expel(s, out, BATCH);
        more = n == BATCH && toomuch(s);
        vmdg_leave(s);
        begin(me, out, n);
        if (more || now)
            release_all(me);
        if (more)
            s = vmdg_shard();
    } while (more);
    for (; i < had; i++) /* without memory for a ring */
        vmdg_release(me->wait[i].id, 0);
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    me->passing = 0;
}

/* Past the hand: it is full for the region's lock was lent all the time, or a signal handler came into pass(), or
 * left it by longjmp(). */
static VMOS_NOINLINE void past(const vmdg_entry_t *e, int local)
{
    vmdg_entry_t out[2];
    vmdg_shard_t *s = vmdg_shard();
    int room = hasroom(s);
    uint32_t n = 0;
    if (room)
        enter(s, e);
    if (!local)
        n = expel(s, out, 2);
    vmdg_leave(s);
    if (!room)
        vmdg_release(e->id, local);
    while (n > 0)
        vmdg_release(out[--n].id, 0);
}

VMOS_INLINE void put(vmdg_self_t *me, vmdg_entry_t e)
{
    me->wait[me->nwait] = e;
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    me->nwait++;
}

/* Large ones do not wait for others; nor does the first one at hand where threads that ended left too much. */
void vmdg_quarantine(uint32_t id, uint64_t op, int local)
{
    vmdg_self_t *me = &vmdg_self;
    const vmdg_entry_t e = {id, (uint32_t)op, cost(id)};
    if (VMOS_UNLIKELY(me->nwait == VMDG_HAND) || VMOS_UNLIKELY(me->passing)) {
        past(&e, local);
        return;
    }
    put(me, e);
    if (local)
        return;
    if (VMOS_LIKELY(me->gone < me->nout))
        release_one(me);
    if (me->nwait >= VMDG_HAND - 1 || e.cost > LARGE || me->ended ||
        (me->nwait == 1 && toomuch(&vmdg_shards[vmdg_threadnumber() % VMDG_SHARDS])))
        pass(me, e.cost > LARGE || me->ended);
}

void vmdg_quarantine_small(vmdg_self_t *me, uint32_t id, uint32_t size, uint64_t op)
{
    if (VMOS_UNLIKELY(me->nwait >= VMDG_HAND - 2) || VMOS_UNLIKELY(me->nwait == 0) || VMOS_UNLIKELY(me->passing)) {
        vmdg_quarantine(id, op, 0);
        return;
    }
    put(me, (vmdg_entry_t){id, (uint32_t)op, size + COST});
    if (VMOS_LIKELY(me->gone < me->nout))
        release_one(me);
}

/* What is on its way out goes back: its region may be closed, or in want of memory. */
void vmdg_quarantine_leave(void)
{
    vmdg_self_t *me = &vmdg_self;
    vmdg_shard_t *s = vmdg_shard();
    enter_all(s, me);
    while (me->gone < me->nout && hasroom(s))
        enter(s, &me->out[me->gone++]);
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
    for (uint32_t i = vmdg_self.gone; i < vmdg_self.nout; i++)
        if (vmdg_self.out[i].id == id)
            return now - (uint32_t)((uint32_t)now - vmdg_self.out[i].op);
    for (int i = 0; i < VMDG_SHARDS; i++) {
        const vmdg_shard_t *s = &vmdg_shards[i];
        size_t end = __atomic_load_n(&s->tail, __ATOMIC_ACQUIRE), k;
        for (k = __atomic_load_n(&s->head, __ATOMIC_RELAXED); k != end; k++)
            if (s->ring[k & (s->nring - 1)].id == id)
                return now - (uint32_t)((uint32_t)now - s->ring[k & (s->nring - 1)].op);
    }
    return 0;
}
