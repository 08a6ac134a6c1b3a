/* SPDX-License-Identifier: MIT */
/* The pairs in SQLite: a table with the key as rowid, write-ahead log, synchronous FULL or OFF. */
#include "work.h"

#include <sqlite3.h>

static sqlite3 *db;
static sqlite3_stmt *insert, *find;
static int inside;

static void run(const char *sql)
{
    if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK) {
        fprintf(stderr, "sqlite: %s: %s\n", sql, sqlite3_errmsg(db));
        exit(1);
    }
}

static void open_it(const char *path, int durable, uint64_t n)
{
    (void)n;
    must(sqlite3_open(path, &db) == SQLITE_OK, "sqlite");
    run("PRAGMA journal_mode=WAL");
    run(durable ? "PRAGMA synchronous=FULL" : "PRAGMA synchronous=OFF");
    run("PRAGMA cache_size=-300000");
    run("CREATE TABLE IF NOT EXISTS map(key INTEGER PRIMARY KEY, value INTEGER)");
    sqlite3_prepare_v2(db, "INSERT OR REPLACE INTO map VALUES(?1, ?2)", -1, &insert, NULL);
    sqlite3_prepare_v2(db, "SELECT value FROM map WHERE key = ?1", -1, &find, NULL);
}

static void begin(void)
{
    run("BEGIN");
    inside = 1;
}

static void put(uint64_t key, uint64_t value)
{
    sqlite3_bind_int64(insert, 1, (sqlite3_int64)key);
    sqlite3_bind_int64(insert, 2, (sqlite3_int64)value);
    must(sqlite3_step(insert) == SQLITE_DONE, "sqlite");
    sqlite3_reset(insert);
}

static int get(uint64_t key, uint64_t *value)
{
    int there;
    sqlite3_bind_int64(find, 1, (sqlite3_int64)key);
    there = sqlite3_step(find) == SQLITE_ROW;
    if (there)
        *value = (uint64_t)sqlite3_column_int64(find, 0);
    sqlite3_reset(find);
    return there;
}

static void commit(void)
{
    run("COMMIT");
    inside = 0;
}

static void close_it(void)
{
    if (inside)
        run("COMMIT");
    sqlite3_finalize(insert);
    sqlite3_finalize(find);
    sqlite3_close(db);
}

int main(int argc, char **argv)
{
    static const peer_t peer = {open_it, begin, put, get, commit, close_it};
    return work(&peer, argc, argv);
}
