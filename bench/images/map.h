/* SPDX-License-Identifier: MIT */
/*
 * A hash map with chains that doubles as it grows, in memory that NEW() and DROP() say.  WATCH() and STORED() tell
 * of stores in the table where somebody wants to know.
 */
#ifndef BENCH_IMAGES_MAP_H
#define BENCH_IMAGES_MAP_H 1

#include "work.h"

#ifndef WATCH
#define WATCH(p, n, on) ((void)0)
#define STORED(p) ((void)0)
#endif

typedef struct pair {
    struct pair *next;
    uint64_t key, value;
} pair_t;

typedef struct map {
    uint64_t count, size; /* size: a power of two */
    pair_t **bucket;
} map_t;

static inline uint64_t slot(const map_t *m, uint64_t key)
{
    return (key * 0x9e3779b97f4a7c15u >> 20) & (m->size - 1);
}

static inline void grow(map_t *m)
{
    map_t more = {m->count, m->size * 2, NULL};
    uint64_t i;
    more.bucket = NEW(more.size * sizeof *more.bucket);
    must(more.bucket != NULL, "memory");
    memset(more.bucket, 0, more.size * sizeof *more.bucket);
    for (i = 0; i < m->size; i++)
        while (m->bucket[i] != NULL) {
            pair_t *p = m->bucket[i];
            uint64_t s = slot(&more, p->key);
            m->bucket[i] = p->next;
            p->next = more.bucket[s];
            more.bucket[s] = p;
        }
    WATCH(m->bucket, m->size * sizeof *m->bucket, 0);
    DROP(m->bucket);
    *m = more;
    WATCH(m->bucket, m->size * sizeof *m->bucket, 1);
}

static inline void map_put(map_t *m, uint64_t key, uint64_t value)
{
    pair_t *p;
    uint64_t s;
    if (m->count == m->size)
        grow(m);
    s = slot(m, key);
    for (p = m->bucket[s]; p != NULL; p = p->next)
        if (p->key == key) {
            p->value = value;
            return;
        }
    p = NEW(sizeof *p);
    must(p != NULL, "memory");
    p->key = key;
    p->value = value;
    p->next = m->bucket[s];
    m->bucket[s] = p;
    STORED(&m->bucket[s]);
    m->count++;
}

static inline int map_get(const map_t *m, uint64_t key, uint64_t *value)
{
    const pair_t *p = m->bucket[slot(m, key)];
    while (p != NULL && p->key != key)
        p = p->next;
    if (p != NULL)
        *value = p->value;
    return p != NULL;
}

static inline map_t *map_new(void)
{
    map_t *m = NEW(sizeof *m);
    must(m != NULL, "memory");
    m->count = 0;
    m->size = 1 << 16;
    m->bucket = NEW(m->size * sizeof *m->bucket);
    must(m->bucket != NULL, "memory");
    memset(m->bucket, 0, m->size * sizeof *m->bucket);
    return m;
}

#endif
