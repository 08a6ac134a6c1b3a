/* SPDX-License-Identifier: MIT */
/*
 * SQLite in a region with a quota: sqlite3_config(SQLITE_CONFIG_MALLOC) before the first other call.
 * SQLite hands no pointer through, so the region is a variable.  It asks for the size of its blocks
 * all the time: that is vmsize().
 */
#include <stdio.h>
#include <vmalloc.h>
#include <vmalloc/discipline.h>

#include <sqlite3.h>

static Vmalloc_t *region;

static void *get(int size) { return vmalloc(region, (size_t)size); }
static void put(void *block) { vmfree(region, block); }
static void *resize(void *block, int size)
{
    return vmresize(region, block, (size_t)size, VM_RSMOVE | VM_RSCOPY);
}
static int size_of(void *block) { return block ? (int)vmsize(region, block) : 0; }
static int round_up(int size) { return (size + 7) & ~7; }
static int begin(void *unused) { return (void)unused, SQLITE_OK; }
static void end(void *unused) { (void)unused; }

static const sqlite3_mem_methods methods = {get, put, resize, size_of, round_up, begin, end, NULL};

static int show(void *unused, int columns, char **value, char **name)
{
    (void)unused, (void)columns, (void)name;
    return printf("rows: %s\n", value[0]) < 0;
}

/* What a table of `rows` rows came to. */
static void fill(sqlite3 *db, int rows)
{
    char sql[200];
    int status;

    snprintf(sql, sizeof sql,
             "WITH RECURSIVE n(i) AS (VALUES(1) UNION ALL SELECT i + 1 FROM n WHERE i < %d) "
             "INSERT INTO t SELECT i, hex(i * i) FROM n",
             rows);
    status = sqlite3_exec(db, sql, NULL, NULL, NULL);
    printf("%d rows: %s\n", rows, sqlite3_errstr(status));
    sqlite3_exec(db, "SELECT count(*) FROM t", show, NULL, NULL);
}

int main(void)
{
    Vmdisc_t *quota = vmdclimit(Vmdcsystem, 0, 8 * 1024 * 1024, NULL, NULL);
    Vmstat_t before, after;
    sqlite3 *db;

    region = vmopen(quota, Vmbest, 0);
    if (region == NULL || sqlite3_config(SQLITE_CONFIG_MALLOC, &methods) != SQLITE_OK)
        return 1;
    vmstat(region, &before);
    sqlite3_open(":memory:", &db);
    sqlite3_exec(db, "CREATE TABLE t(i, s)", NULL, NULL, NULL);
    fill(db, 1000);
    fill(db, 10000000);
    printf("the database lies in the region: %s\n", vmregion(db) == region ? "yes" : "no");
    sqlite3_close(db);
    sqlite3_shutdown();
    vmstat(region, &after);
    printf("blocks that SQLite kept: %zu\n", after.n_busy - before.n_busy);
    vmclose(region);
    return vmdcfree(quota);
}
