/* SPDX-License-Identifier: MIT */
/*
 * A hash table from numbers to numbers: open addressing with linear probes, and deletion by moving
 * back what follows (Knuth, volume 3, 6.4 R), so that there are no tombstones.
 */
#include "trace.h"

#include <stdlib.h>
#include <string.h>

static size_t home(const struct trace_map *m, uint64_t key)
{
    return (size_t)((key ^ key >> 29) * 0x9e3779b97f4a7c15u >> 20) & (m->size - 1);
}

/* Where the key is, or would be put. */
static size_t place(const struct trace_map *m, uint64_t key)
{
    size_t i = home(m, key);

    while (m->value[i] != TRACE_NONE && m->key[i] != key)
        i = (i + 1) & (m->size - 1);
    return i;
}

static int grow(struct trace_map *m)
{
    struct trace_map to = {NULL, NULL, m->size ? m->size * 2 : 1024, m->used};
    size_t i;

    to.key = malloc(to.size * sizeof(*to.key));
    to.value = malloc(to.size * sizeof(*to.value));
    if (!to.key || !to.value) {
        free(to.key);
        free(to.value);
        return -1;
    }
    memset(to.value, 0xff, to.size * sizeof(*to.value));
    for (i = 0; i < m->size; i++)
        if (m->value[i] != TRACE_NONE) {
            size_t at = place(&to, m->key[i]);
            to.key[at] = m->key[i];
            to.value[at] = m->value[i];
        }
    trace_map_free(m);
    *m = to;
    return 0;
}

uint32_t trace_map_get(const struct trace_map *m, uint64_t key)
{
    return m->size ? m->value[place(m, key)] : TRACE_NONE;
}

int trace_map_put(struct trace_map *m, uint64_t key, uint32_t value)
{
    size_t i;

    if (m->used >= m->size / 3 * 2 && grow(m) != 0)
        return -1;
    i = place(m, key);
    m->used += m->value[i] == TRACE_NONE;
    m->key[i] = key;
    m->value[i] = value;
    return 0;
}

/* What is behind the gap i, and may stand there, moves into it. */
static void close_gap(struct trace_map *m, size_t i)
{
    size_t j = i, mask = m->size - 1;

    for (;;) {
        j = (j + 1) & mask;
        if (m->value[j] == TRACE_NONE)
            return;
        if (((j - home(m, m->key[j])) & mask) >= ((j - i) & mask)) {
            m->key[i] = m->key[j];
            m->value[i] = m->value[j];
            m->value[j] = TRACE_NONE;
            i = j;
        }
    }
}

uint32_t trace_map_take(struct trace_map *m, uint64_t key)
{
    uint32_t value;
    size_t i;

    if (m->size == 0)
        return TRACE_NONE;
    i = place(m, key);
    value = m->value[i];
    if (value != TRACE_NONE) {
        m->value[i] = TRACE_NONE;
        m->used--;
        close_gap(m, i);
    }
    return value;
}

void trace_map_free(struct trace_map *m)
{
    free(m->key);
    free(m->value);
    memset(m, 0, sizeof(*m));
}
