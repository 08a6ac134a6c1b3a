/* SPDX-License-Identifier: MIT */
/*
 * Sizes: regions beyond what one leaf of the page map speaks for, limits, room that goes back to the file
 * system, snapshots, roots, and images that close with a commit.
 */
#include "_test.h"

#define MIB ((size_t)1 << 20)

static size_t used(const char *path)
{
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    return (size_t)st.st_blocks * 512;
}

/* Three GiB, of which some pages are touched: they are what is written. */
static void wide(void **state)
{
    Vmalloc_t *vm = must_open(file, 0, NULL);
    size_t size = 3072 * MIB, i;
    char *p = vmalloc(vm, size), *q;
    int round;
    (void)state;
    if (p == NULL)
        skip();
    for (i = 0; i < size; i += 97 * MIB)
        p[i] = (char)(1 + i / MIB % 100);
    assert_int_equal(vmrootset(vm, "wide", p, 0, 0), 0);
    assert_int_equal(vmcommit(vm), 0);
    if (used(file) > 8 * MIB)
        fail_msg("%zu KiB are used", used(file) >> 10);
    for (round = 0; round < 3; round++) {
        assert_int_equal(vmclose(vm), 0);
        vm = must_open(file, 0, NULL);
        assert_ptr_equal(vmrootget(vm, "wide", NULL), p);
        assert_int_equal(vmsize(vm, p) >= (long)size, 1);
        for (i = 0; i < size; i += 97 * MIB)
            assert_int_equal(p[i], 1 + i / MIB % 100);
        p[2500 * MIB + (size_t)round] = 5;
        q = vmalloc(vm, 100);
        assert_non_null(q);
        assert_int_equal(vmcommit(vm), 0);
        assert_int_equal(vmfree(vm, q), 0);
    }
    assert_int_equal(vmfree(vm, p), 0);
    vmcompact(vm);
    assert_int_equal(vmcommit(vm), 0);
    assert_int_equal(vmdbcheck(vm), 0);
    assert_int_equal(vmclose(vm), 0);
    vm = must_open(file, 0, NULL);
    assert_int_equal(vmdbcheck(vm), 0);
    assert_int_equal(vmclose(vm), 0);
}

static void limits(void **state)
{
    Vmimgopt_t opt;
    Vmalloc_t *vm;
    (void)state;
    memset(&opt, 0, sizeof opt);
    opt.limit = 4 * MIB;
    vm = vmimage(file, &opt);
    assert_non_null(vm);
    assert_non_null(vmalloc(vm, 2 * MIB));
    assert_null(vmalloc(vm, 4 * MIB));
    assert_int_equal(errno, ENOMEM);
    push(vm, 100);
    assert_int_equal(vmcommit(vm), 0);
    assert_int_equal(vmclose(vm), 0);
    vm = must_open(file, 0, NULL);
    assert_null(vmalloc(vm, 4 * MIB));
    assert_int_equal(vmclose(vm), 0);
    opt.limit = 32 * MIB;
    vm = vmimage(file, &opt);
    assert_non_null(vm);
    assert_non_null(vmalloc(vm, 20 * MIB));
    assert_int_equal(length(vm), 100);
    assert_int_equal(vmcommit(vm), 0);
    assert_int_equal(vmclose(vm), 0);
    vm = must_open(file, 0, NULL);
    assert_int_equal(vmdbcheck(vm), 0);
    assert_int_equal(vmclose(vm), 0);
}

static void room_goes_back(void **state)
{
    Vmalloc_t *vm = must_open(file, 0, NULL);
    size_t full;
    char *p = vmalloc(vm, 16 * MIB), *q = vmalloc(vm, 4096);
    (void)state;
    memset(p, 7, 16 * MIB);
    memset(q, 7, 4096);
    assert_int_equal(vmcommit(vm), 0);
    full = used(file);
    assert_true(full > 16 * MIB);
    assert_int_equal(vmfree(vm, p), 0);
    vmcompact(vm);
    assert_int_equal(vmcommit(vm), 0);
    assert_int_equal(vmclose(vm), 0);
    if (used(file) > full - 15 * MIB)
        fail_msg("%zu bytes of %zu are still in use", used(file), full);
    vm = must_open(file, 0, NULL);
    assert_int_equal(q[4095], 7);
    assert_int_equal(vmdbcheck(vm), 0);
    p = vmresize(vm, NULL, 16 * MIB, VM_RSZERO);
    assert_int_equal(p[5 * MIB] + p[15 * MIB], 0);
    assert_int_equal(vmclose(vm), 0);
}

static void snapshots(void **state)
{
    Vmalloc_t *vm = must_open(file, 0, NULL);
    (void)state;
    push(vm, 10);
    assert_int_equal(vmcommit(vm), 0);
    push(vm, 3);
    assert_int_equal(vmsnapshot(vm, other), 0);
    push(vm, 2);
    assert_int_equal(vmcommit(vm), 0);
    assert_int_equal(vmsnapshot(vm, "/nowhere/at/all"), -1);
    assert_int_equal(errno, ENOENT);
    assert_int_equal(vmclose(vm), 0);
    vm = must_open(other, 0, NULL);
    assert_int_equal(length(vm), 10);
    push(vm, 1);
    assert_int_equal(vmcommit(vm), 0);
    assert_int_equal(vmclose(vm), 0);
    vm = must_open(file, VM_IMGREAD, NULL);
    assert_int_equal(length(vm), 15);
    assert_int_equal(vmsnapshot(vm, other), 0);
    assert_int_equal(vmclose(vm), 0);
    vm = must_open(other, 0, NULL);
    assert_int_equal(length(vm), 15);
    assert_int_equal(vmclose(vm), 0);
}

static int count(Vmalloc_t *vm, const Vmroot_t *root, Void_t *handle)
{
    (void)vm;
    assert_int_equal(strncmp(root->name, "root", 4), 0);
    assert_int_equal(root->type, 7);
    ++*(int *)handle;
    return *(int *)handle == 1000 ? -5 : 3;
}

static void roots(void **state)
{
    Vmalloc_t *vm = must_open(file, 0, Vmpool);
    Vmroot_t root;
    char name[100];
    int i, n = 0;
    (void)state;
    for (i = 0; i < 2000; i++) {
        snprintf(name, sizeof name, "root%d", i);
        assert_int_equal(vmrootset(vm, name, name + i, 7, (unsigned)i), 0);
    }
    assert_int_equal(vmrootset(vm, "another", NULL, 0, 0), -1);
    assert_int_equal(errno, ENOSPC);
    assert_int_equal(vmcommit(vm), 0);
    assert_int_equal(vmrootdel(vm, "root77"), 0);
    assert_int_equal(vmrootdel(vm, "root77"), -1);
    assert_int_equal(errno, ENOENT);
    assert_null(vmrootget(vm, "root77", NULL));
    assert_int_equal(vmrollback(vm), 0);
    assert_ptr_equal(vmrootget(vm, "root77", &root), name + 77);
    assert_string_equal(root.name, "root77");
    assert_int_equal(root.version, 77);
    assert_int_equal(vmclose(vm), 0);
    vm = must_open(file, 0, NULL);
    assert_int_equal(vmrootdel(vm, "root5"), 0);
    assert_int_equal(vmrootset(vm, "root5b", NULL, 7, 0), 0);
    errno = 0;
    assert_null(vmrootget(vm, "root5b", NULL));
    assert_int_equal(errno, 0);
    assert_int_equal(vmrootwalk(vm, count, &n), -5);
    assert_int_equal(n, 1000);
    n = 5000;
    assert_int_equal(vmrootwalk(vm, count, &n), 3);
    assert_int_equal(n, 7000);
    memset(name, 'a', sizeof name);
    name[VM_ROOTNAME] = '\0';
    assert_int_equal(vmrootset(vm, name, NULL, 0, 0), -1);
    assert_int_equal(errno, ENAMETOOLONG);
    assert_int_equal(vmrootset(vm, "", NULL, 0, 0), -1);
    assert_int_equal(vmclose(vm), 0);
}

static void close_commits(void **state)
{
    Vmalloc_t *vm = must_open(file, VM_IMGCLOSE, NULL);
    (void)state;
    push(vm, 10);
    assert_int_equal(vmclose(vm), 0);
    vm = must_open(file, 0, NULL);
    assert_int_equal(length(vm), 10);
    push(vm, 10);
    assert_int_equal(vmclose(vm), 0);
    vm = must_open(file, 0, NULL);
    assert_int_equal(length(vm), 10);
    vmclear(vm);
    assert_int_equal(vmrollback(vm), 0);
    assert_int_equal(length(vm), 10);
    assert_int_equal(vmclose(vm), 0);
    vm = must_open(file, VM_IMGREAD | VM_IMGCLOSE, NULL); /* a reader has nothing to commit, and closes */
    push(vm, 10);
    assert_int_equal(vmclose(vm), 0);
    vm = must_open(file, 0, NULL);
    assert_int_equal(length(vm), 10);
    assert_int_equal(vmclose(vm), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(wide, setup, teardown),
        cmocka_unit_test_setup_teardown(limits, setup, teardown),
        cmocka_unit_test_setup_teardown(room_goes_back, setup, teardown),
        cmocka_unit_test_setup_teardown(snapshots, setup, teardown),
        cmocka_unit_test_setup_teardown(roots, setup, teardown),
        cmocka_unit_test_setup_teardown(close_commits, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
