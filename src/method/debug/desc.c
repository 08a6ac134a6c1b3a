/* SPDX-License-Identifier: MIT */
/*
 * desc: descriptors of blocks, and the shards that threads are spread over.
 *
 *   vmdg_chunk[id >> 14][id & 16383]     chunks of 512 KiB, mapped when needed, never given back
 *
 * Descriptor 0 is nobody's.  Unused ones are on the list of the shard whose thread gave them back.
 * Cost: a lock that hardly ever is contended, and one link.
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

static VMOS_NOINLINE uint32_t another(void)
{
    uint32_t id = __atomic_load_n(&given, __ATOMIC_RELAXED);
    do {
        if (chunkfor(id) < 0)
            return 0;
    } while (!__atomic_compare_exchange_n(&given, &id, id + 1, 1, __ATOMIC_RELEASE,
                                          __ATOMIC_RELAXED));
    return id;
}

uint32_t vmdg_desc_get(void)
{
    vmdg_shard_t *s = vmdg_shard();
    uint32_t id = s->unused;
    if (VMOS_LIKELY(id != 0))
        __atomic_store_n(&s->unused, vmdg_desc(id)->freed, __ATOMIC_RELAXED);
    vmdg_leave(s);
    return VMOS_LIKELY(id != 0) ? id : another();
}

void vmdg_desc_put(uint32_t id)
{
    vmdg_desc_t *d = vmdg_desc(id);
    vmdg_shard_t *s;
    __atomic_store_n(&d->what, 0, __ATOMIC_RELEASE);
    s = vmdg_shard();
    d->freed = s->unused;
    __atomic_store_n(&s->unused, id, __ATOMIC_RELAXED);
    vmdg_leave(s);
}

uint32_t vmdg_ids(void)
{
    return __atomic_load_n(&given, __ATOMIC_ACQUIRE);
}
