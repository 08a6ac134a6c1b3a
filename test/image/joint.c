/* SPDX-License-Identifier: MIT */
/*
 * Several images in one commit: cut off after each call that reaches a file, all are before it or all are
 * behind it, in whatever order they are opened again.
 */
#include "_test.h"

#include "image.h"
#include "io.h"

#define N 3

static char paths[N][128];
static long calls, dieat;

static int due(void)
{
    if (++calls == dieat)
        _exit(77);
    return 0;
}

static int die_write(int fd, const void *buf, size_t n, uint64_t off)
{
    if (calls + 1 == dieat && n > 1024) /* a part of it is there */
        vmos_disk_write(fd, buf, n / 2 & ~(size_t)511, off);
    due();
    return vmos_disk_write(fd, buf, n, off);
}

static int die_sync(int fd)
{
    due();
    return vmos_disk_sync(fd);
}

static int openall(Vmalloc_t **vm)
{
    int i;
    for (i = 0; i < N; i++)
        vm[i] = must_open(paths[i], 0, i == 1 ? Vmlast : NULL);
    return N;
}

static void closeall(Vmalloc_t **vm)
{
    int i;
    for (i = 0; i < N; i++)
        assert_int_equal(vmclose(vm[i]), 0);
}

static void pushall(Vmalloc_t **vm, long n)
{
    int i;
    for (i = 0; i < N; i++)
        push(vm[i], n);
}

/* How long all lists are; -1 when they are not of one length. */
static long lengths(Vmalloc_t **vm)
{
    int i;
    for (i = 1; i < N; i++)
        if (length(vm[i]) != length(vm[0]))
            return -1;
    return length(vm[0]);
}

static void names(void)
{
    int i;
    for (i = 0; i < N; i++)
        snprintf(paths[i], sizeof paths[i], "%s/image%d", folder, i);
}

static void together(void **state)
{
    Vmalloc_t *vm[N], *two[2];
    (void)state;
    names();
    openall(vm);
    pushall(vm, 100);
    assert_int_equal(vmcommitall(vm, N), 0);
    pushall(vm, 10);
    closeall(vm);
    openall(vm);
    assert_int_equal(lengths(vm), 100);
    two[0] = two[1] = vm[0];
    assert_int_equal(vmcommitall(two, 2), -1);
    assert_int_equal(errno, EINVAL);
    assert_int_equal(vmcommitall(vm, 0), -1);
    assert_int_equal(vmcommitall(vm, 1), 0);
    closeall(vm);
}

/* A child dies at the k-th call of the commit; then all are opened in some order. */
static int cut(long k, int order)
{
    vmi_io_t io = vmi_system;
    Vmalloc_t *vm[N];
    pid_t pid;
    int status, i;
    long had, got;
    for (i = 0; i < N; i++)
        vm[i] = must_open(paths[(i + order) % N], 0, NULL);
    had = lengths(vm);
    assert_true(had >= 0);
    closeall(vm);
    pid = fork();
    if (pid == 0) {
        openall(vm);
        pushall(vm, 100);
        io.write = die_write;
        io.sync = die_sync;
        calls = 0;
        dieat = k;
        vmi_io = &io;
        _exit(vmcommitall(vm, N) == 0 ? 0 : 1);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status) && (WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == 77));
    for (i = 0; i < N; i++)
        vm[i] = must_open(paths[(i + order) % N], 0, NULL);
    got = lengths(vm);
    if (got != had + 100 && (got != had || WEXITSTATUS(status) == 0))
        fail_msg("call %ld, order %d: %ld became %ld, %ld, %ld", k, order, had, length(vm[0]),
                 length(vm[1]), length(vm[2]));
    closeall(vm);
    return WEXITSTATUS(status);
}

static void cut_off(void **state)
{
    Vmalloc_t *vm[N];
    long k;
    int order;
    (void)state;
    names();
    openall(vm);
    pushall(vm, 10);
    assert_int_equal(vmcommitall(vm, N), 0);
    closeall(vm);
    for (order = 0; order < N; order++) {
        for (k = 1; cut(k, order) == 77; k++)
            ;
        assert_true(k > 8);
    }
}

/* Without the first image nobody knows: the others are refused, until it is there. */
static void decider_away(void **state)
{
    vmi_io_t io = vmi_system;
    Vmalloc_t *vm[N];
    Vmimgopt_t opt;
    pid_t pid;
    int status;
    (void)state;
    names();
    openall(vm);
    pushall(vm, 10);
    assert_int_equal(vmcommitall(vm, N), 0);
    closeall(vm);
    if ((pid = fork()) == 0) {
        openall(vm);
        pushall(vm, 5);
        io.write = die_write;
        calls = 0;
        dieat = 5; /* the decider's record: what is written behind the first two counts, too */
        vmi_io = &io;
        _exit(vmcommitall(vm, N));
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(WEXITSTATUS(status), 77);
    assert_int_equal(rename(paths[0], other), 0);
    memset(&opt, 0, sizeof opt);
    assert_null(vmimage(paths[1], &opt));
    assert_int_equal(errno, ENOLINK);
    assert_non_null(strstr(opt.why, "decides"));
    assert_int_equal(rename(other, paths[0]), 0);
    openall(vm);
    assert_int_equal(lengths(vm), 10);
    closeall(vm);
}

/* One of them cannot: none has, and all can later. */
static long fullat;

static int full_write(int fd, const void *buf, size_t n, uint64_t off)
{
    if (++calls == fullat || calls == fullat + 1) {
        errno = ENOSPC;
        return -1;
    }
    return vmos_disk_write(fd, buf, n, off);
}

static void one_fails(void **state)
{
    vmi_io_t io = vmi_system;
    Vmalloc_t *vm[N];
    long had = 10;
    int r, failed = 0;
    (void)state;
    names();
    openall(vm);
    pushall(vm, 10);
    assert_int_equal(vmcommitall(vm, N), 0);
    io.write = full_write;
    for (fullat = 1; fullat < 9; fullat++) {
        pushall(vm, 5);
        calls = 0;
        vmi_io = &io;
        r = vmcommitall(vm, N);
        vmi_io = &vmi_system;
        if (r == 0)
            had += 5;
        else
            failed++;
        if (fullat % 2 || r == 0) {
            closeall(vm);
            openall(vm);
            assert_int_equal(lengths(vm), had);
        } else { /* what could not be committed can be now */
            had += 5;
            assert_int_equal(vmcommitall(vm, N), 0);
            assert_int_equal(lengths(vm), had);
        }
    }
    assert_true(failed >= N);
    closeall(vm);
}

static int nowhere;

static int nowhere_write(int fd, const void *buf, size_t n, uint64_t off)
{
    if (fd == nowhere) {
        errno = ENOSPC;
        return -1;
    }
    return vmos_disk_write(fd, buf, n, off);
}

/* Memory that was given up before a commit that another image failed: a roll back has it again. */
static void given_up_and_taken_back(void **state)
{
    enum { BIG = 40 };
    size_t ps = (size_t)sysconf(_SC_PAGESIZE), i;
    vmi_io_t io = vmi_system;
    Vmalloc_t *vm[2];
    char *p;
    (void)state;
    names();
    vm[1] = must_open(paths[1], 0, Vmlast);
    p = vmalloc(vm[1], BIG * ps);
    assert_non_null(p);
    memset(p, 7, BIG * ps);
    assert_int_equal(vmrootset(vm[1], "p", p, 0, 1), 0);
    assert_int_equal(vmcommit(vm[1]), 0);
    assert_int_equal(vmclose(vm[1]), 0); /* so that its pages are mapped when it is there again */
    vm[0] = must_open(paths[0], 0, NULL);
    vm[1] = must_open(paths[1], 0, NULL);
    assert_ptr_equal(vmresize(vm[1], p, ps, 0), p);
    assert_int_equal(vmcompact(vm[1]), 0);
    push(vm[0], 1);
    io.write = nowhere_write;
    nowhere = vmi_find(vm[0])->fd; /* the decider, which is the last */
    vmi_io = &io;
    assert_int_equal(vmcommitall(vm, 2), -1);
    vmi_io = &vmi_system;
    assert_int_equal(vmrollback(vm[1]), 0);
    for (i = 0; i < BIG * ps; i++)
        assert_int_equal(p[i], 7);
    assert_int_equal(vmcommit(vm[1]), 0);
    assert_int_equal(vmclose(vm[0]), 0);
    assert_int_equal(vmclose(vm[1]), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(together, setup, teardown),
        cmocka_unit_test_setup_teardown(cut_off, setup, teardown),
        cmocka_unit_test_setup_teardown(decider_away, setup, teardown),
        cmocka_unit_test_setup_teardown(one_fails, setup, teardown),
        cmocka_unit_test_setup_teardown(given_up_and_taken_back, setup, teardown),
    };
    addresses = (size_t)32 << 20; /* there are many images, each elsewhere, and Valgrind forgets no page */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
