/* SPDX-License-Identifier: MIT */
/*
 * The table of stacks: each distinct stack once, found by hash, without a lock.
 *
 * Nodes lie in chunks of 1 MiB, which are mapped when first needed and never go; a number says
 * where the node lies:
 *
 *   number, 31 bits:   0 | chunk: 9 | place in it, in units of 8 bytes: 17
 *   node:              | next: 32 | hash: 32 | n: 64 | pcs[0] ... pcs[n-1] |
 *
 * The first unit of chunk 0 is left free, so that no node has number 0.
 *
 * Heads of chains are in three stages of tables, of 2^10, 2^15 and 2^20 heads.  A new stack goes
 * into the last stage that is open; a stage opens when the one before has two nodes per head.  Who
 * looks into a later stage first seals the head of the same hash in each earlier one, by its top
 * bit: nothing is added to a sealed head.  So a stack that is in no earlier chain, seen after the
 * seal, will never be there, and it stands in one chain only.
 *
 *   head:              sealed: 1 | number of the first node: 31
 *
 * Invariants: a node is written before a head points to it, and never changes; chains only grow at
 * their heads; a number, once given, stays.  Cost: 10 ns for a stack that
 * came lately, which 48 bits of its hash tell alone (of 100,000 stacks two are taken for one with a
 * chance of 1 in 50,000); for another one that is known some misses of the cache more.  There is no state between two
 * instructions that fork() or a signal could tear: room that a thread took and did not use is lost, that is all.
 */
#include "stack.h"

#include <errno.h>
#include <string.h>

#define CHUNK ((size_t)1 << 20)
#define CHUNKS (VMSK_MOST / CHUNK)
#define UNIT 8u
#define UNITS (CHUNK / UNIT)
#define SEALED 0x80000000u
#define STAGES 3
#define RECENTBITS 15
#define RECENTLEAST 12

typedef struct node {
    uint32_t next, hash;
    size_t n;
    void *pcs[];
} node_t;

static const unsigned char stagebits[STAGES] = {10, 15, 20};

static char *chunks[CHUNKS];
static uint32_t *stages[STAGES];
static int opened;              /* stages that stacks may go into, less one */
static size_t used = UNIT;      /* of all chunks, as if they lay one behind the other */
static size_t bound = VMSK_MOST;
static uint32_t count;
static uint64_t unknown;
static size_t memory;

/* Memory for *slot, by whoever is first. */
static void *mapped(void **slot, size_t size, int flags)
{
    void *have = __atomic_load_n(slot, __ATOMIC_ACQUIRE), *fresh;
    if (VMOS_LIKELY(have != NULL))
        return have;
    fresh = vmos_map(NULL, size, flags);
    if (fresh == NULL)
        return NULL;
    if (!__atomic_compare_exchange_n(slot, &have, fresh, 0, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) {
        vmos_unmap(fresh, size);
        return have;
    }
    __atomic_add_fetch(&memory, size, __ATOMIC_RELAXED);
    vmos_name(fresh, size, "vmalloc stacks");
    return fresh;
}

static uint32_t *stage(int s)
{
    return mapped((void **)&stages[s], sizeof(uint32_t) << stagebits[s], VMOS_SMALL);
}

static node_t *node_of(uint32_t id)
{
    return (node_t *)(__atomic_load_n(&chunks[id / UNITS], __ATOMIC_ACQUIRE) +
                      id % UNITS * UNIT);
}

/* Room for a node: its number, 0 when there is none.  A node does not reach over chunks. */
static uint32_t take(size_t size)
{
    size_t at, was = __atomic_load_n(&used, __ATOMIC_RELAXED);
    do {
        at = was;
        if (at % CHUNK + size > CHUNK)
            at = VMB_UP(at, CHUNK);
        if (at + size > __atomic_load_n(&bound, __ATOMIC_RELAXED))
            return 0;
    } while (!__atomic_compare_exchange_n(&used, &was, at + size, 0, __ATOMIC_RELAXED,
                                          __ATOMIC_RELAXED));
    return mapped((void **)&chunks[at / CHUNK], CHUNK, 0) != NULL ? (uint32_t)(at / UNIT) : 0;
}

/* Two chains of multiplications side by side, for the time of one. */
static uint64_t hash_of(void *const *pcs, size_t n)
{
    uint64_t a = n, b = ~a;
    size_t i = 0;
    for (; i + 1 < n; i += 2) {
        a = (a ^ (uintptr_t)pcs[i]) * 0x9e3779b97f4a7c15u;
        b = (b ^ (uintptr_t)pcs[i + 1]) * 0xd6e8feb86659fd93u;
    }
    if (i < n)
        a = (a ^ (uintptr_t)pcs[i]) * 0x9e3779b97f4a7c15u;
    return vmb_mix(a ^ (b >> 31 | b << 33));
}

/* ---- numbers given lately: most stacks that come are among them, and their nodes need not be read ---- */

/*   | hash, without the bits that tell the place: 33 | number: 31 |
 *
 * In programs with few stacks only the first places are used, so that less memory is touched. */
static uint64_t recents[1u << RECENTBITS];

typedef struct recent {
    uint64_t *at, rest;
} recent_t;

static recent_t recent_of(uint64_t hash)
{
    unsigned bits = __atomic_load_n(&opened, __ATOMIC_RELAXED) > 0 ? RECENTBITS : RECENTLEAST;
    return (recent_t){&recents[hash & (((uint64_t)1 << bits) - 1)], hash >> bits << 31};
}

/* All zeros stand for no stack, since no number is 0. */
static uint32_t recall(uint64_t hash)
{
    recent_t r = recent_of(hash);
    uint64_t x = __atomic_load_n(r.at, __ATOMIC_RELAXED) ^ r.rest;
    return x < SEALED ? (uint32_t)x : 0;
}

static void note(uint64_t hash, uint32_t id)
{
    recent_t r = recent_of(hash);
    __atomic_store_n(r.at, r.rest | id, __ATOMIC_RELAXED);
}

static int equal(void *const *a, void *const *b, size_t n)
{
    size_t i = 0;
    while (i < n && a[i] == b[i])
        i++;
    return i == n;
}

/* The stack in the chain from first on, up to but without last; 0: not there. */
static uint32_t find(uint32_t first, uint32_t last, uint32_t hash, void *const *pcs, size_t n)
{
    for (uint32_t id = first; id != last; id = node_of(id)->next) {
        const node_t *node = node_of(id);
        if (node->hash == hash && node->n == n && equal(node->pcs, pcs, n))
            return id;
    }
    return 0;
}

static uint32_t make(uint32_t hash, void *const *pcs, size_t n)
{
    uint32_t id = take(VMB_UP(sizeof(node_t) + n * sizeof(*pcs), UNIT));
    node_t *node;
    if (id == 0)
        return 0;
    node = node_of(id);
    node->hash = hash;
    node->n = n;
    memcpy(node->pcs, pcs, n * sizeof(*pcs));
    return id;
}

static void opening(int s)
{
    uint32_t now = __atomic_add_fetch(&count, 1, __ATOMIC_RELAXED);
    if (s + 1 < STAGES && now >= (uint32_t)2 << stagebits[s] && stage(s + 1) != NULL)
        __atomic_compare_exchange_n(&opened, &s, s + 1, 0, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
}

/* The stack from the chain of *head, or put there; 0: no room; SEALED: the head is. */
static uint32_t enter(uint32_t *head, int s, uint32_t hash, void *const *pcs, size_t n)
{
    uint32_t first = __atomic_load_n(head, __ATOMIC_ACQUIRE), seen = 0, id = 0;
    for (;;) {
        uint32_t known = find(first & ~SEALED, seen, hash, pcs, n);
        if (known != 0)
            return known;
        if (first & SEALED)
            return SEALED;
        seen = first;
        if (id == 0 && (id = make(hash, pcs, n)) == 0)
            return 0;
        node_of(id)->next = first;
        if (__atomic_compare_exchange_n(head, &first, id, 0, __ATOMIC_RELEASE, __ATOMIC_ACQUIRE))
            break;
    }
    opening(s);
    return id;
}

/* In an earlier stage: sealed, then looked through. */
static uint32_t earlier(uint32_t *head, uint32_t hash, void *const *pcs, size_t n)
{
    uint32_t first = __atomic_load_n(head, __ATOMIC_ACQUIRE);
    if (!(first & SEALED))
        first = __atomic_fetch_or(head, SEALED, __ATOMIC_ACQ_REL);
    return find(first & ~SEALED, 0, hash, pcs, n);
}

static uint32_t intern(uint32_t hash, void *const *pcs, size_t n)
{
    for (int last = __atomic_load_n(&opened, __ATOMIC_ACQUIRE); last < STAGES; last++) {
        uint32_t id = 0, *heads;
        for (int s = 0; s < last && id == 0; s++)
            id = earlier(&stage(s)[hash >> (32 - stagebits[s])], hash, pcs, n);
        if (id != 0)
            return id;
        heads = stage(last);
        if (heads == NULL)
            return 0;
        id = enter(&heads[hash >> (32 - stagebits[last])], last, hash, pcs, n);
        if (id != SEALED)
            return id;
    }
    return 0;
}

uint32_t vmsk_intern(void *const *pcs, size_t n)
{
    int keep = errno;
    uint32_t id = 0;
    if (n > VMSK_DEPTH)
        n = VMSK_DEPTH;
    if (n > 0) {
        uint64_t hash = hash_of(pcs, n);
        id = recall(hash);
        if (VMOS_LIKELY(id != 0))
            return id;
        id = intern((uint32_t)(hash >> 32), pcs, n);
        if (id != 0)
            note(hash, id);
        else
            __atomic_add_fetch(&unknown, 1, __ATOMIC_RELAXED);
    }
    errno = keep;
    return id;
}

void *const *vmsk_lookup(uint32_t id, size_t *n)
{
    const node_t *node;
    *n = 0;
    if (id == 0 || id >= __atomic_load_n(&used, __ATOMIC_ACQUIRE) / UNIT ||
        __atomic_load_n(&chunks[id / UNITS], __ATOMIC_ACQUIRE) == NULL)
        return NULL;
    node = node_of(id);
    if (node->n == 0 || node->n > VMSK_DEPTH ||
        (id % UNITS) * UNIT + sizeof(node_t) + node->n * sizeof(void *) > CHUNK)
        return NULL;
    *n = node->n;
    return node->pcs;
}

void vmsk_usage(vmsk_usage_t *u)
{
    u->stacks = __atomic_load_n(&count, __ATOMIC_RELAXED);
    u->memory = __atomic_load_n(&memory, __ATOMIC_RELAXED);
    u->unknown = __atomic_load_n(&unknown, __ATOMIC_RELAXED);
}

void vmsk_limit(size_t bytes)
{
    __atomic_store_n(&bound, VMB_DOWN(VMB_MIN(bytes, VMSK_MOST), CHUNK), __ATOMIC_RELAXED);
}
