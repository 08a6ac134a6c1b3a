/* SPDX-License-Identifier: MIT */
/*
 * What a commit that failed or was cut off wrote to places behind the last page is not there for the next
 * one: pages that are zeros then are zeros, although nothing is written to their places.
 */
#include "_test.h"

#include "format.h"
#include "io.h"

#define SIZE ((size_t)100 * 4096)

static int full; /* the disk, for records; -1: once */

static int io_write(int fd, const void *buf, size_t n, uint64_t off)
{
    const uint64_t magic = VMI_RECORD;
    if (full && n >= sizeof magic && memcmp(buf, &magic, sizeof magic) == 0) {
        full += full < 0;
        errno = ENOSPC;
        return -1;
    }
    return vmos_disk_write(fd, buf, n, off);
}

static int no_punch(int fd, uint64_t off, uint64_t n)
{
    (void)fd, (void)off, (void)n;
    errno = EOPNOTSUPP;
    return -1;
}

static vmi_io_t io;

static int begin(void **state)
{
    io = vmi_system;
    io.write = io_write;
    vmi_io = &io;
    full = 0;
    return setup(state);
}

static int end(void **state)
{
    vmi_io = &vmi_system;
    return teardown(state);
}

/* A block of so many pages as the root "block". */
static char *block(Vmalloc_t *vm)
{
    char *p = vmresize(vm, NULL, SIZE, VM_RSZERO);
    assert_non_null(p);
    assert_int_equal(vmrootset(vm, "block", p, 0, 1), 0);
    return p;
}

/* An image with nothing much in it. */
static void fresh(void)
{
    Vmalloc_t *vm = must_open(file, 0, NULL);
    push(vm, 1);
    assert_int_equal(vmcommit(vm), 0);
    assert_int_equal(vmclose(vm), 0);
}

/* The block is made again, and only its last byte is written; then it is read back. */
static void again(Vmalloc_t *vm)
{
    char *p = block(vm);
    size_t i;
    p[SIZE - 1] = 1;
    assert_int_equal(vmcommit(vm), 0);
    assert_int_equal(vmclose(vm), 0);
    vm = must_open(file, VM_IMGREAD, NULL);
    p = vmrootget(vm, "block", NULL);
    assert_non_null(p);
    for (i = 0; i < SIZE - 1; i++)
        if (p[i] != 0)
            fail_msg("byte %zu of what is to be zeros is %d", i, p[i]);
    assert_int_equal(p[SIZE - 1], 1);
    assert_int_equal(vmclose(vm), 0);
}

/* A process that waits for a byte, and dies in a commit: the record does not come, what is written ahead does. */
static pid_t dying(int *go)
{
    int ends[2];
    pid_t child;
    char c;
    assert_int_equal(pipe(ends), 0);
    child = fork();
    if (child == 0) {
        Vmalloc_t *vm = read(ends[0], &c, 1) == 1 ? open_image(file, 0, NULL) : NULL;
        char *p = vm != NULL ? vmalloc(vm, SIZE) : NULL;
        if (p == NULL)
            _exit(1);
        memset(p, 'x', SIZE);
        full = 1;
        _exit(vmcommit(vm) != -1);
    }
    close(ends[0]);
    *go = ends[1];
    return child;
}

static void let_die(pid_t child, int go)
{
    int status;
    assert_int_equal(write(go, "", 1), 1);
    close(go);
    assert_true(child > 0 && waitpid(child, &status, 0) == child);
    assert_int_equal(status, 0);
}

static void cut_off(void)
{
    int go;
    pid_t child;
    fresh();
    child = dying(&go);
    let_die(child, go);
}

static void test_after_a_process_that_died(void **state)
{
    (void)state;
    cut_off();
    again(must_open(file, 0, NULL));
}

static void test_where_holes_cannot_be_made(void **state)
{
    (void)state;
    cut_off();
    io.punch = no_punch;
    again(must_open(file, 0, NULL));
}

static void test_after_a_full_disk(void **state)
{
    Vmalloc_t *vm;
    (void)state;
    fresh();
    vm = must_open(file, 0, NULL);
    memset(block(vm), 'x', SIZE);
    full = 1;
    assert_int_equal(vmcommit(vm), -1);
    full = 0;
    assert_int_equal(vmrollback(vm), 0);
    again(vm);
}

/* So many new pages that the record does not name them: the commit after one that failed there has all that changed. */
static void test_again_after_a_full_disk(void **state)
{
    Vmalloc_t *vm;
    char *p;
    (void)state;
    fresh();
    vm = must_open(file, 0, NULL);
    push(vm, 5);
    p = vmalloc(vm, 20 << 20);
    assert_non_null(p);
    memset(p, 'x', 20 << 20);
    assert_int_equal(vmrootset(vm, "block", p, 0, 1), 0);
    full = 1;
    assert_int_equal(vmcommit(vm), -1);
    full = 0;
    assert_int_equal(vmcommit(vm), 0);
    assert_int_equal(vmclose(vm), 0);
    vm = must_open(file, VM_IMGREAD, NULL);
    assert_int_equal(length(vm), 6);
    p = vmrootget(vm, "block", NULL);
    assert_true(p != NULL && p[0] == 'x' && p[(20 << 20) - 1] == 'x');
    assert_int_equal(vmclose(vm), 0);
    assert_int_equal(vmimagecheck(file, NULL, NULL), 0);
}

/* The same where the commit itself tries again, with the journal moved to before those pages: a commit that failed had
 * moved it far behind them. */
static void test_again_with_the_journal_moved(void **state)
{
    const int wide = sizeof(size_t) > 4; /* an image has 32 MiB else */
    const size_t far = (size_t)(wide ? 128 : 24) << 20, n = (size_t)(wide ? 20 : 4) << 20;
    Vmalloc_t *vm;
    char *p;
    size_t i;
    (void)state;
    fresh();
    vm = must_open(file, 0, NULL);
    p = vmalloc(vm, far);
    assert_non_null(p);
    p[far - 1] = 1;
    full = 1;
    assert_int_equal(vmcommit(vm), -1);
    full = 0;
    assert_int_equal(vmrollback(vm), 0);
    push(vm, 2);
    assert_int_equal(vmcommit(vm), 0);
    p = vmalloc(vm, n);
    assert_non_null(p);
    memset(p, 'x', n);
    assert_int_equal(vmrootset(vm, "block", p, 0, 1), 0);
    full = -1;
    assert_int_equal(vmcommit(vm), 0);
    assert_int_equal(full, 0);
    assert_int_equal(vmclose(vm), 0);
    vm = must_open(file, VM_IMGREAD, NULL);
    p = vmrootget(vm, "block", NULL);
    assert_non_null(p);
    for (i = 0; i < n && p[i] == 'x'; i++)
        ;
    assert_int_equal(i, n);
    assert_int_equal(vmclose(vm), 0);
    assert_int_equal(vmimagecheck(file, NULL, NULL), 0);
}

static void test_in_turns(void **state)
{
    Vmalloc_t *vm;
    int go;
    pid_t child = (fresh(), dying(&go));
    (void)state;
    vm = must_open(file, VM_IMGTURNS, NULL);
    let_die(child, go);
    assert_int_equal(vmturn(vm, 1), 0);
    again(vm);
}

/* A reader keeps the journal where it is, and pages come to lie there. */
static void where_the_journal_is(int flags)
{
    Vmalloc_t *vm;
    int ready[2], done[2], status, i;
    pid_t child;
    char c, *p;
    size_t n = (size_t)8 << 20;
    fresh();
    assert_true(pipe(ready) == 0 && pipe(done) == 0);
    child = fork();
    if (child == 0) {
        vm = open_image(file, VM_IMGREAD, NULL);
        close(done[1]);
        _exit(vm == NULL || write(ready[1], "", 1) != 1 || read(done[0], &c, 1) < 0 || vmclose(vm) != 0);
    }
    assert_int_equal(read(ready[0], &c, 1), 1);
    vm = must_open(file, flags, NULL);
    p = vmalloc(vm, SIZE * 3);
    for (i = 1; i < 12; i++) {
        memset(p, i, SIZE * 3);
        assert_int_equal(vmcommit(vm), 0);
    }
    p = vmresize(vm, NULL, n, VM_RSZERO);
    assert_non_null(p);
    p[n - 1] = 1;
    assert_int_equal(vmrootset(vm, "block", p, 0, 1), 0);
    assert_int_equal(vmcommit(vm), 0);
    assert_int_equal(vmclose(vm), 0);
    close(done[1]);
    assert_true(waitpid(child, &status, 0) == child && status == 0);
    for (i = 0; i < 3; i++) { /* the journal over the pages; the pages; as the second left them */
        vm = must_open(file, i == 1 ? flags : VM_IMGREAD, NULL);
        p = vmrootget(vm, "block", NULL);
        assert_non_null(p);
        for (size_t k = 0; k < n - 1; k++)
            if (p[k] != 0)
                fail_msg("opening %d: byte %zu of what is to be zeros is %d", i, k, p[k]);
        assert_int_equal(vmclose(vm), 0);
    }
    close(ready[0]), close(ready[1]), close(done[0]);
}

static void test_where_the_journal_is(void **state)
{
    (void)state;
    where_the_journal_is(0);
}

/* Pages of which nothing is known are compared with what was there: not with what will be. */
static void test_where_the_journal_is_without_tracking(void **state)
{
    (void)state;
    where_the_journal_is(VM_IMGNOTRACK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_after_a_process_that_died, begin, end),
        cmocka_unit_test_setup_teardown(test_where_holes_cannot_be_made, begin, end),
        cmocka_unit_test_setup_teardown(test_after_a_full_disk, begin, end),
        cmocka_unit_test_setup_teardown(test_again_after_a_full_disk, begin, end),
        cmocka_unit_test_setup_teardown(test_again_with_the_journal_moved, begin, end),
        cmocka_unit_test_setup_teardown(test_in_turns, begin, end),
        cmocka_unit_test_setup_teardown(test_where_the_journal_is, begin, end),
        cmocka_unit_test_setup_teardown(test_where_the_journal_is_without_tracking, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
