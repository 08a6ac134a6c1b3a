/* SPDX-License-Identifier: MIT */
/*
 * LMDB as control of the explorer of power cuts: it is known to keep its commits, so that an explorer which
 * says that one is lost would be wrong about what a disk may do.  And with its syncs left out, which it
 * counts on, the explorer has to say so.
 *
 * LMDB has no door for its file, but calls the functions of libc that stand here before libc's.  It has no
 * checksums: it counts on sectors that are written whole or not at all, so that here no sector is torn.
 */
#define _GNU_SOURCE 1
#include "_explore.h"

#include <sys/syscall.h>
#include <sys/uio.h>

#include <lmdb.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define STATES 1000
#else
#define STATES 20000
#endif

/* ---- between LMDB and libc ---- */

static int recording; /* 2: without syncs */

/* Whether it is the file that is recorded, or the one that is looked at. */
static int ofours(int fd)
{
    struct stat st, is;
    return (recording || reading) && fstat(fd, &st) == 0 && stat(recording ? file : other, &is) == 0 &&
           st.st_ino == is.st_ino && st.st_dev == is.st_dev;
}

static void sync_recorded(void)
{
    if (recording == 1)
        record(SYNC, 0, 0);
}

static void written(int fd, const void *buf, size_t n, uint64_t off)
{
    if (!ofours(fd))
        return;
    if (recording)
        record_write(buf, n, off);
    else
        touched(off, n);
    if (recording && (fcntl(fd, F_GETFL) & O_DSYNC) != 0) /* the header: all before it was synced */
        sync_recorded();
}

ssize_t pwrite(int fd, const void *buf, size_t n, off_t off)
{
    written(fd, buf, n, (uint64_t)off);
    return syscall(SYS_pwrite64, fd, buf, n, off);
}

ssize_t write(int fd, const void *buf, size_t n)
{
    off_t at = lseek(fd, 0, SEEK_CUR);
    if (at >= 0)
        written(fd, buf, n, (uint64_t)at);
    return syscall(SYS_write, fd, buf, n);
}

ssize_t writev(int fd, const struct iovec *part, int n)
{
    off_t at = lseek(fd, 0, SEEK_CUR);
    for (int i = 0; at >= 0 && i < n; at += (off_t)part[i++].iov_len)
        written(fd, part[i].iov_base, part[i].iov_len, (uint64_t)at);
    return syscall(SYS_writev, fd, part, n);
}

int fdatasync(int fd)
{
    if (recording && ofours(fd))
        sync_recorded();
    return 0;
}

int fsync(int fd) { return fdatasync(fd); }

int ftruncate(int fd, off_t to)
{
    if (ofours(fd) && recording)
        record(CUT, (uint64_t)to, 0);
    else if (ofours(fd))
        touched(0, MOST);
    return (int)syscall(SYS_ftruncate, fd, to);
}

/* ---- a life ---- */

#define FLAGS (MDB_NOSUBDIR | MDB_NOLOCK | MDB_NOTLS)
#define OTHERS 1000000u /* keys from here on come and go */

static void ok(int e)
{
    if (e != 0)
        fail_msg("%s", mdb_strerror(e));
}

static MDB_env *open_env(const char *path, unsigned flags)
{
    MDB_env *env;
    ok(mdb_env_create(&env));
    ok(mdb_env_set_mapsize(env, MOST / 4));
    if (mdb_env_open(env, path, FLAGS | flags, 0600) == 0)
        return env;
    mdb_env_close(env);
    return NULL;
}

static int put_pair(MDB_txn *txn, MDB_dbi dbi, unsigned key, size_t n)
{
    static char bytes[9000];
    MDB_val k = {sizeof key, &key}, v = {n, bytes};
    memset(bytes, (int)(key % 251), n);
    return mdb_put(txn, dbi, &k, &v, 0);
}

/* The keys 1 to n, where n grows; and larger ones of all sizes that are put, replaced and deleted. */
static unsigned change(MDB_txn *txn, MDB_dbi dbi, unsigned n)
{
    unsigned end = n + 1 + (unsigned)draw(60), key;
    MDB_val k = {sizeof key, &key};
    for (n++; n <= end; n++)
        ok(put_pair(txn, dbi, n, 8 + n % 40));
    key = OTHERS + (unsigned)draw(20);
    if (mdb_del(txn, dbi, &k, NULL) != 0)
        ok(put_pair(txn, dbi, key, 1 + draw(9000)));
    return end;
}

static void live(int commits)
{
    MDB_env *env = NULL;
    MDB_txn *txn;
    MDB_dbi dbi;
    unsigned n = 0;
    for (int i = 0; i < commits; i++) {
        if (env == NULL)
            env = open_env(file, 0);
        assert_non_null(env);
        ok(mdb_txn_begin(env, NULL, 0, &txn));
        ok(mdb_dbi_open(txn, NULL, MDB_INTEGERKEY, &dbi));
        n = change(txn, dbi, n);
        record(BEGIN, 0, 0)->length = (long)n;
        ok(mdb_txn_commit(txn));
        record(END, 0, 0)->length = (long)n;
        if (i % 12 == 11)
            env = (mdb_env_close(env), NULL);
    }
    if (env != NULL)
        mdb_env_close(env);
}

/* ---- looking at a state ---- */

static int as_put(unsigned key, const MDB_val *v)
{
    const unsigned char *p = v->mv_data;
    for (size_t i = 0; i < v->mv_size; i++)
        if (p[i] != key % 251)
            return 0;
    return 1;
}

/* How many keys there are from 1 on; -1 when any is not what was put. */
static long count(MDB_txn *txn, MDB_dbi dbi)
{
    MDB_cursor *cursor;
    MDB_val k, v;
    long n = 0;
    unsigned key;
    int e;
    if (mdb_cursor_open(txn, dbi, &cursor) != 0)
        return -1;
    while ((e = mdb_cursor_get(cursor, &k, &v, MDB_NEXT)) == 0 && n >= 0) {
        memcpy(&key, k.mv_data, sizeof key);
        if (key < OTHERS && key != ++n)
            n = -1;
        if (n > 0 && !as_put(key, &v))
            n = -1;
    }
    mdb_cursor_close(cursor);
    return e == MDB_NOTFOUND ? n : -1;
}

/* With `more`, a commit is added to what is there. */
static long look(unsigned flags, int more)
{
    MDB_env *env = open_env(other, flags);
    MDB_txn *txn;
    MDB_dbi dbi;
    long n = -2;
    if (env == NULL)
        return n;
    if (mdb_txn_begin(env, NULL, flags & MDB_RDONLY, &txn) == 0) {
        n = mdb_dbi_open(txn, NULL, MDB_INTEGERKEY, &dbi) == 0 ? count(txn, dbi) : -1;
        if (more && n >= 0 && put_pair(txn, dbi, (unsigned)n + 1, 10) != 0)
            n = -1;
        if (!more || n < 0)
            mdb_txn_abort(txn);
        else if (mdb_txn_commit(txn) != 0)
            n = -1;
    }
    mdb_env_close(env);
    return n;
}

static const char *check(void)
{
    long n = look(MDB_RDONLY, 0);
    if (n == -2)
        return born ? "it does not open" : NULL;
    if (n < 0 || !allowed(n))
        return n < 0 ? "it is torn" : n < oldest ? "a commit is lost" : "that was never committed";
    if (nstates % 10 != 0)
        return NULL;
    return look(0, 1) == n && look(MDB_RDONLY, 0) == n + 1 ? NULL : "it cannot be written";
}

/* ---- the tests ---- */

static const char *run(int commits, int with, size_t states)
{
    const char *wrong;
    nstates = 0;
    recording = with;
    live(commits);
    recording = 0;
    astray = with == 2;
    wrong = explore(states);
    forget();
    return wrong;
}

static void test_lmdb_loses_nothing(void **state)
{
    size_t n = wanted(STATES), all = 0;
    (void)state;
    sow();
    atomic = 1;
    while (all < n) {
        const char *wrong = run(24, 1, n / 4);
        all += nstates;
        if (wrong != NULL)
            fail_msg("%s", wrong);
    }
    printf("%zu states\n", all);
}

static void test_lmdb_without_syncs_is_found(void **state)
{
    const char *found = NULL;
    (void)state;
    sow();
    atomic = 1;
    for (int round = 0; found == NULL && round < 4; round++)
        found = run(20, 2, 2000);
    if (found == NULL)
        fail_msg("not found");
    printf("found after %zu states\n", nstates);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_lmdb_loses_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(test_lmdb_without_syncs_is_found, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
