/* SPDX-License-Identifier: MIT */
/*
 * Every call that reaches the file fails once, in every way that it can: the last commit stands, it is
 * told, and the next opening finds what was committed.  Disks that are full for a while.
 * These are hundreds of images, each at addresses of its own, and Valgrind never forgets a page: 60 MB for each image
 * of 64 GiB, 20 GB in all, and most of the time; at its end it looks for leaks in all of a process that has one open.
 * So they are small ones here.
 */
#include "_test.h"

#include "io.h"

/* The k-th call from now on fails with errno e; a write may be done in part before. */
static long calls, failat, room;
static int failwith, part, failed_sync, limited;

static int due(void)
{
    if (++calls != failat)
        return 0;
    errno = failwith;
    return 1;
}

static int64_t bad_read(int fd, void *buf, size_t n, uint64_t off)
{
    return due() ? -1 : vmos_disk_read(fd, buf, n, off);
}

static int bad_write(int fd, const void *buf, size_t n, uint64_t off)
{
    if (due()) {
        if (part)
            vmos_disk_write(fd, buf, n / 2 & ~(size_t)511, off);
        errno = failwith;
        return -1;
    }
    if (limited && room < (long)n) {
        errno = ENOSPC;
        return -1;
    }
    room -= (long)n;
    return vmos_disk_write(fd, buf, n, off);
}

static int bad_sync(int fd)
{
    if (due()) {
        failed_sync = 1;
        return -1;
    }
    return vmos_disk_sync(fd);
}

static int bad_truncate(int fd, uint64_t size)
{
    return due() ? -1 : vmos_disk_truncate(fd, size);
}

static int bad_punch(int fd, uint64_t off, uint64_t n)
{
    return due() ? -1 : vmos_disk_punch(fd, off, n);
}

static int bad_open(const char *path, int flags, int mode)
{
    return due() ? -1 : vmos_disk_open(path, flags, mode);
}

static int bad_syncname(const char *path)
{
    return due() ? -1 : vmos_disk_syncname(path);
}

static vmi_io_t bad;

static void arm(long k, int e)
{
    bad = vmi_system;
    bad.read = bad_read;
    bad.write = bad_write;
    bad.sync = bad_sync;
    bad.truncate = bad_truncate;
    bad.punch = bad_punch;
    bad.open = bad_open;
    bad.syncname = bad_syncname;
    vmi_io = &bad;
    calls = failed_sync = 0;
    failat = k;
    failwith = e;
    limited = 0;
}

static void disarm(void)
{
    vmi_io = &vmi_system;
}

/* A life of an image: commits, a checkpoint now and then, blocks that go.  *sure gets what was
 * committed, *maybe what was last tried. */
static void life(long *sure, long *maybe)
{
    Vmimgopt_t opt;
    Vmalloc_t *vm;
    long i;
    void *hole = NULL;
    memset(&opt, 0, sizeof opt);
    opt.journal = 30000;
    opt.limit = addresses;
    vm = vmimage(file, &opt);
    if (vm == NULL) {
        assert_true(opt.why[0] != '\0');
        return;
    }
    assert_int_equal(length(vm), *sure);
    for (i = 0; i < 6; i++) {
        push(vm, 200);
        if (hole == NULL)
            memset(hole = vmalloc(vm, 100000), 1, 100000);
        else
            hole = (vmfree(vm, hole), NULL);
        if (i % 3 == 2)
            vmcompact(vm);
        *maybe = length(vm);
        if (vmcommit(vm) == 0)
            *sure = *maybe;
        else if (failed_sync)
            break; /* what was tried may be there or not */
        else if (i % 2 == 0 && vmrollback(vm) == 0)
            assert_int_equal(length(vm), *sure);
    }
    vmclose(vm);
}

/* Fails at call k; how many calls there were. */
static long once(long k, int e)
{
    long sure = 0, maybe = 0, found, n;
    Vmalloc_t *vm;
    arm(k, e);
    life(&sure, &maybe);
    n = calls;
    disarm();
    vm = must_open(file, 0, NULL);
    found = length(vm);
    if (found != sure && !(failed_sync && found == maybe))
        fail_msg("call %ld, errno %d: found %ld, committed %ld, tried %ld", k, e, found, sure, maybe);
    assert_int_equal(vmdbcheck(vm), 0);
    push(vm, 10);
    assert_int_equal(vmcommit(vm), 0);
    assert_int_equal(vmclose(vm), 0);
    vm = must_open(file, 0, NULL);
    assert_int_equal(length(vm), found + 10);
    assert_int_equal(vmclose(vm), 0);
    assert_int_equal(unlink(file), 0);
    return n;
}

static void each_call(void **state)
{
    long k, n = once(0, 0);
    (void)state;
    assert_true(n > 60);
    for (k = 1; k <= n; k++) {
        part = 0;
        once(k, EIO);
        part = 1;
        once(k, ENOSPC);
    }
}

/* After a sync that failed nothing is committed any more, and that is told. */
static void failed_sync_poisons(void **state)
{
    Vmalloc_t *vm = must_open(file, 0, NULL);
    Vmimgstat_t st;
    (void)state;
    push(vm, 5);
    assert_int_equal(vmcommit(vm), 0);
    push(vm, 5);
    arm(0, 0);
    vmi_io = &bad;
    bad = vmi_system;
    bad.sync = bad_sync;
    failat = 1;
    failwith = EIO;
    assert_int_equal(vmcommit(vm), -1);
    assert_int_equal(errno, EIO);
    disarm();
    assert_int_equal(vmcommit(vm), -1);
    assert_int_equal(errno, EIO);
    assert_int_equal(vmimgstat(vm, &st), 0);
    assert_int_equal(st.failed, EIO);
    assert_int_equal(length(vm), 10);
    assert_int_equal(vmclose(vm), 0);
}

/* The disk is full for any number of bytes: commits fail, then go on when there is room. */
static void full(void **state)
{
    long bytes, sure;
    (void)state;
    for (bytes = 0; bytes < 200000; bytes += 3500) {
        Vmalloc_t *vm = must_open(file, 0, NULL);
        sure = length(vm);
        arm(0, 0);
        room = bytes;
        limited = 1;
        push(vm, 3000);
        while (vmcommit(vm) == 0) {
            sure = length(vm);
            push(vm, 500);
        }
        assert_int_equal(errno, ENOSPC);
        limited = 0;
        if (bytes / 3500 % 2 == 0) {
            assert_int_equal(vmcommit(vm), 0);
            sure = length(vm);
        }
        disarm();
        assert_int_equal(vmclose(vm), 0);
        vm = must_open(file, 0, NULL);
        assert_int_equal(length(vm), sure);
        assert_int_equal(vmdbcheck(vm), 0);
        assert_int_equal(vmclose(vm), 0);
        if (bytes % 10500 == 0)
            assert_int_equal(unlink(file), 0);
    }
}

/* A process that dies leaves a journal, and the disk is full for any number of bytes when the image is opened: what
 * was committed is there, and can go on once there is room. */
static void full_at_opening(void **state)
{
    long bytes, sure = 0;
    int status;
    (void)state;
    for (bytes = 0; bytes < 60000; bytes += 4000) {
        Vmalloc_t *vm;
        pid_t child = fork();
        if (child == 0) {
            vm = must_open(file, 0, NULL);
            push(vm, 700);
            _exit(vmcommit(vm) != 0);
        }
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_int_equal(status, 0);
        sure += 700;
        arm(0, 0);
        room = bytes;
        limited = 1;
        vm = must_open(file, VM_IMGEXIST, NULL);
        assert_int_equal(length(vm), sure);
        push(vm, 300);
        if (vmcommit(vm) == 0)
            sure += 300;
        else
            assert_int_equal(errno, ENOSPC);
        limited = 0;
        if (bytes / 4000 % 2 == 0) {
            assert_int_equal(vmcommit(vm), 0);
            sure = length(vm);
        }
        assert_int_equal(vmclose(vm), 0);
        disarm();
        vm = must_open(file, VM_IMGEXIST | VM_IMGREAD, NULL);
        assert_int_equal(length(vm), sure);
        assert_int_equal(vmdbcheck(vm), 0);
        assert_int_equal(vmclose(vm), 0);
        assert_int_equal(vmimagecheck(file, NULL, NULL), 0);
    }
}

/* Which pages are copies of the process' own cannot be asked, the k-th time. */
static int blind;
int __real_vmos_pagemap_private(int pagemap, const void *addr, size_t n, unsigned char *is);
int __wrap_vmos_pagemap_private(int pagemap, const void *addr, size_t n, unsigned char *is);
int __wrap_vmos_pagemap_private(int pagemap, const void *addr, size_t n, unsigned char *is)
{
    if (blind == 0 || --blind != 0)
        return __real_vmos_pagemap_private(pagemap, addr, n, is);
    errno = EIO;
    return -1;
}

/* By then the system has been told to note writes to these pages anew. */
static void a_look_that_fails_forgets_no_page(void **state)
{
    int round, failed;
    (void)state;
    for (round = 0; round < 12; round++) {
        Vmalloc_t *vm = must_open(file, 0, NULL);
        long have;
        push(vm, 2000);
        for (int i = 0; i < 6; i++) { /* small ones: some pages become hot */
            assert_int_equal(vmcommit(vm), 0);
            push(vm, 1);
        }
        if (round % 2 == 1)
            push(vm, 3000);
        blind = 1 + round / 4;
        failed = vmcommit(vm) != 0;
        blind = 0;
        if (failed)
            assert_int_equal(errno, EIO);
        assert_int_equal(vmcommit(vm), 0);
        have = length(vm);
        assert_int_equal(vmclose(vm), 0);
        vm = must_open(file, 0, NULL);
        assert_int_equal(length(vm), have);
        assert_int_equal(vmdbcheck(vm), 0);
        assert_int_equal(vmclose(vm), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(each_call, setup, teardown),
        cmocka_unit_test_setup_teardown(failed_sync_poisons, setup, teardown),
        cmocka_unit_test_setup_teardown(full, setup, teardown),
        cmocka_unit_test_setup_teardown(full_at_opening, setup, teardown),
        cmocka_unit_test_setup_teardown(a_look_that_fails_forgets_no_page, setup, teardown),
    };
    addresses = (size_t)32 << 20;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
