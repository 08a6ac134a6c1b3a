/* SPDX-License-Identifier: MIT */
/*
 * The map in a pool of libpmemobj: pairs in lists below a table that has its full size from the start, for a
 * transaction that doubles it would be all that is seen.  On a file each flush is an msync(); "loose" and
 * "load" set PMEM_IS_PMEM_FORCE, which makes it a store barrier: safe from the death of the process, not
 * from the loss of power.  A transaction of many pairs is cut after 1000 of them.
 */
#include "work.h"

#include <libpmemobj.h>

#define SLOTS ((uint64_t)1 << 23)
#define CUT 1000

typedef struct pair {
    PMEMoid next;
    uint64_t key, value;
} pair_t;

static PMEMobjpool *pool;
static PMEMoid *bucket;
static int inside;

static PMEMoid *slot(uint64_t key)
{
    return &bucket[(key * 0x9e3779b97f4a7c15u >> 20) & (SLOTS - 1)];
}

static pair_t *find(uint64_t key)
{
    pair_t *p = pmemobj_direct(*slot(key));
    while (p != NULL && p->key != key)
        p = pmemobj_direct(p->next);
    return p;
}

static void open_it(const char *path, int durable, uint64_t n)
{
    (void)durable, (void)n;
    pool = access(path, F_OK) == 0 ? pmemobj_open(path, "map") : pmemobj_create(path, "map", (size_t)3 << 30, 0600);
    if (pool == NULL)
        fprintf(stderr, "pmemobj: %s\n", pmemobj_errormsg());
    must(pool != NULL, "pmemobj");
    bucket = pmemobj_direct(pmemobj_root(pool, SLOTS * sizeof *bucket));
    must(bucket != NULL, "pmemobj_root");
}

static void begin(void)
{
    must(pmemobj_tx_begin(pool, NULL, TX_PARAM_NONE) == 0, "pmemobj_tx_begin");
    inside = 0;
}

static void commit(void)
{
    pmemobj_tx_commit();
    must(pmemobj_tx_end() == 0, "pmemobj_tx_end");
}

static void put(uint64_t key, uint64_t value)
{
    PMEMoid *at = slot(key), new;
    pair_t *p = find(key);
    if (inside++ == CUT) {
        commit();
        begin();
    }
    if (p != NULL) {
        must(pmemobj_tx_add_range_direct(&p->value, sizeof p->value) == 0, "pmemobj_tx_add_range");
        p->value = value;
        return;
    }
    new = pmemobj_tx_alloc(sizeof *p, 1);
    p = pmemobj_direct(new);
    must(p != NULL, "pmemobj_tx_alloc");
    *p = (pair_t){*at, key, value};
    must(pmemobj_tx_add_range_direct(at, sizeof *at) == 0, "pmemobj_tx_add_range");
    *at = new;
}

static int get(uint64_t key, uint64_t *value)
{
    const pair_t *p = find(key);
    if (p != NULL)
        *value = p->value;
    return p != NULL;
}

static void close_it(void)
{
    if (pmemobj_tx_stage() == TX_STAGE_WORK) /* reading began one too */
        commit();
    pmemobj_close(pool);
}

int main(int argc, char **argv)
{
    static const peer_t peer = {open_it, begin, put, get, commit, close_it};
    if (argc > 1 && strcmp(argv[1], "batch") != 0 && getenv("PMEM_IS_PMEM_FORCE") == NULL) {
        setenv("PMEM_IS_PMEM_FORCE", "1", 1); /* read when the library is loaded */
        execv("/proc/self/exe", argv);
    }
    return work(&peer, argc, argv);
}
