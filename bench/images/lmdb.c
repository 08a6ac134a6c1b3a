/* SPDX-License-Identifier: MIT */
/* The pairs in LMDB: one file, integer keys. */
#include "work.h"

#include <lmdb.h>

static MDB_env *env;
static MDB_txn *txn;
static MDB_dbi dbi;

static void ok(int e)
{
    if (e != 0) {
        fprintf(stderr, "lmdb: %s\n", mdb_strerror(e));
        exit(1);
    }
}

static void open_it(const char *path, int durable, uint64_t n)
{
    (void)n;
    ok(mdb_env_create(&env));
    ok(mdb_env_set_mapsize(env, (size_t)8 << 30));
    ok(mdb_env_open(env, path, MDB_NOSUBDIR | (durable ? 0 : MDB_NOSYNC), 0600));
}

static void begin(void)
{
    ok(mdb_txn_begin(env, NULL, 0, &txn));
    ok(mdb_dbi_open(txn, NULL, MDB_CREATE | MDB_INTEGERKEY, &dbi));
}

static void put(uint64_t key, uint64_t value)
{
    MDB_val k = {sizeof key, &key}, v = {sizeof value, &value};
    ok(mdb_put(txn, dbi, &k, &v, 0));
}

static int get(uint64_t key, uint64_t *value)
{
    MDB_val k = {sizeof key, &key}, v;
    int e = mdb_get(txn, dbi, &k, &v);
    if (e == 0)
        memcpy(value, v.mv_data, sizeof *value);
    return e == 0;
}

static void commit(void) { ok(mdb_txn_commit(txn)); }
static void close_it(void) { mdb_env_close(env); }

int main(int argc, char **argv)
{
    static const peer_t peer = {open_it, begin, put, get, commit, close_it};
    return work(&peer, argc, argv);
}
