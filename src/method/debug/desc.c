/* SPDX-License-Identifier: MIT */
/*
 * desc: descriptors of blocks, and the shards that threads are spread over.
 *
 *   vmdg_chunk[id >> 14][id & 16383]     chunks of 512 KiB, mapped when needed, never given back
 *
 * Descriptor 0 is nobody's.  A thread has some unused ones at hand; others are on the list of the shard
 * whose thread gave them back.
 */
#include "books.h"

vmdg_chunk_t *vmdg_chunk[VMDG_CHUNKS];
vmdg_shard_t vmdg_shards[VMDG_SHARDS];

static uint32_t given = 1; /* numbers below it were given out at some time */

vmdg_shard_t *vmdg_shard(void)
{
    uint32_t i = vmdg_thisthread() % VMDG_SHARDS;
    vmdg_shard_t *s = &vmdg_shards[i];
    while (VMOS_UNLIKELY(vmos_trylock(&s->lock) != 0)) {
        if (vmos_lockedbyme(&s->lock)) {
            s = &vmdg_shards[++i % VMDG_SHARDS];
            continue;
        }
        vmos_lock(&s->lock);
        break;
    }
    return s;
}

void vmdg_shards_renew(void)
{
    for (int i = 0; i < VMDG_SHARDS; i++)
        vmdg_shards[i].lock = (vmos_lock_t){0, 0};
    vmdg_seat_renew();
}

/* The chunk is there.  -1: no memory. */
static int chunkfor(uint32_t id)
{
    vmdg_chunk_t **c, *none = NULL, *p;
    size_t size = VMB_UP(sizeof(*p), vmos_pagesize());
    if (id >> VMDG_CHUNKSHIFT >= VMDG_CHUNKS)
        return -1;
    c = &vmdg_chunk[id >> VMDG_CHUNKSHIFT];
    if (__atomic_load_n(c, __ATOMIC_ACQUIRE) != NULL)
        return 0;
    p = vmos_map(NULL, size, VMOS_RESERVE);
    if (p == NULL)
        return -1;
    vmos_name(p, size, "vmalloc debug");
    if (!__atomic_compare_exchange_n(c, &none, p, 0, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
        vmos_unmap(p, size);
    return 0;
}

#define AHEAD 1024u /* descriptors whose memory is touched at once, when the first one is given out */

static VMOS_NOINLINE uint32_t another(void)
{
    uint32_t id = __atomic_load_n(&given, __ATOMIC_RELAXED);
    do {
        if (chunkfor(id) < 0)
            return 0;
    } while (!__atomic_compare_exchange_n(&given, &id, id + 1, 1, __ATOMIC_RELEASE,
                                          __ATOMIC_RELAXED));
    if (VMOS_UNLIKELY(id % AHEAD == 0)) /* not the first ones: programs with few blocks stay small */
        vmos_populate(vmdg_desc(id), AHEAD * sizeof(vmdg_desc_t));
    return id;
}

/* They lie in one chunk; those at the end of one that are too few stay unused. */
uint32_t vmdg_desc_row(uint32_t n)
{
    uint32_t was = __atomic_load_n(&given, __ATOMIC_RELAXED), id, ahead;
    do {
        id = (was & (VMDG_CHUNK - 1)) + n > VMDG_CHUNK ? VMB_UP(was, VMDG_CHUNK) : was;
        if (chunkfor(id) < 0)
            return 0;
    } while (!__atomic_compare_exchange_n(&given, &was, id + n, 1, __ATOMIC_RELEASE, __ATOMIC_RELAXED));
    ahead = VMB_UP(id, AHEAD);
    if (VMOS_UNLIKELY(ahead < id + n)) /* as above */
        vmos_populate(vmdg_desc(ahead), AHEAD * sizeof(vmdg_desc_t));
    return id;
}

/* Half a hand of them. */
static VMOS_NOINLINE uint32_t refill(vmdg_self_t *me)
{
    vmdg_shard_t *s = vmdg_shard();
    uint32_t id, n = 0;
    while (n < VMDG_HAND / 2 && (id = s->unused) != 0) {
        __atomic_store_n(&s->unused, vmdg_desc(id)->freed, __ATOMIC_RELAXED);
        me->ids[n++] = id;
    }
    vmdg_leave(s);
    if (n == 0)
        return another();
    me->nids = n - 1;
    return me->ids[n - 1];
}

static VMOS_NOINLINE void unload(vmdg_self_t *me, uint32_t keep)
{
    vmdg_shard_t *s = vmdg_shard();
    while (me->nids > keep) {
        uint32_t id = me->ids[--me->nids];
        vmdg_desc(id)->freed = s->unused;
        __atomic_store_n(&s->unused, id, __ATOMIC_RELAXED);
    }
    vmdg_leave(s);
}

/* A signal handler may come between any two lines: then a number is lost at worst, never given
 * twice. */
uint32_t vmdg_desc_get(void)
{
    vmdg_self_t *me = &vmdg_self;
    uint32_t n = me->nids, id;
    if (VMOS_UNLIKELY(n == 0))
        return refill(me);
    me->nids = n - 1;
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    id = me->ids[n - 1];
    return id;
}

void vmdg_desc_put(uint32_t id)
{
    vmdg_self_t *me = &vmdg_self;
    __atomic_store_n(&vmdg_desc(id)->what, 0, __ATOMIC_RELEASE);
    if (VMOS_UNLIKELY(me->nids == VMDG_HAND))
        unload(me, VMDG_HAND / 2);
    me->ids[me->nids] = id;
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    me->nids++;
}

void vmdg_desc_leave(void)
{
    unload(&vmdg_self, 0);
}

uint32_t vmdg_ids(void)
{
    return __atomic_load_n(&given, __ATOMIC_ACQUIRE);
}
