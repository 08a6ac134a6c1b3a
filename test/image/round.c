/* SPDX-License-Identifier: MIT */
/*
 * What is committed is found again, what is not is gone: each method, each way to find changes.
 */
#define ON_DISK 1
#include "_test.h"

static void round_trip(Vmethod_t *meth, unsigned flags)
{
    Vmalloc_t *vm = must_open(file, flags | VM_IMGNEW, meth);
    long n = 0, i;
    for (i = 1; i < 15; i++) {
        assert_int_equal(length(vm), n);
        push(vm, i * 37);
        n += i * 37;
        assert_int_equal(vmcommit(vm), 0);
        push(vm, 100); /* not committed */
        assert_int_equal(vmdbcheck(vm), 0);
        assert_int_equal(vmclose(vm), 0);
        vm = must_open(file, flags, i % 2 ? NULL : meth);
        assert_int_equal(vmdbcheck(vm), 0);
    }
    assert_int_equal(length(vm), n);
    assert_int_equal(vmclose(vm), 0);
}

static void best(void **state)
{
    (void)state;
    round_trip(Vmbest, 0);
}

static void last(void **state)
{
    (void)state;
    round_trip(Vmlast, 0);
}

static void pool(void **state)
{
    (void)state;
    round_trip(Vmpool, 0);
}

static void by_contents(void **state)
{
    (void)state;
    round_trip(Vmbest, VM_IMGNOTRACK);
}

/* Pages that did not change are not written, however they are found. */
static void only_changes(void **state)
{
    unsigned flags[] = {0, VM_IMGNOTRACK};
    Vmimgstat_t st;
    size_t i;
    (void)state;
    for (i = 0; i < 2; i++) {
        Vmalloc_t *vm = must_open(i == 0 ? file : other, flags[i], NULL);
        char *p = vmalloc(vm, 4 << 20);
        memset(p, 1, 4 << 20);
        assert_int_equal(vmcommit(vm), 0);
        assert_int_equal(vmcommit(vm), 0);
        assert_int_equal(vmimgstat(vm, &st), 0);
        assert_int_equal(st.changed, 0);
        p[100000] = 2;
        p[3000000] = 2;
        assert_int_equal(vmcommit(vm), 0);
        assert_int_equal(vmimgstat(vm, &st), 0);
        assert_int_equal(st.changed, 2);
        assert_int_equal(vmclose(vm), 0);
        vm = must_open(i == 0 ? file : other, flags[i] | VM_IMGEXIST, NULL);
        assert_int_equal(p[100000] + p[3000000] + p[5], 5);
        p[100000] = 2; /* as it is */
        assert_int_equal(vmcommit(vm), 0);
        p[200000] = 7;
        assert_int_equal(vmcommit(vm), 0);
        assert_int_equal(vmimgstat(vm, &st), 0);
        assert_int_equal(st.changed, 1);
        assert_int_equal(vmclose(vm), 0);
    }
}

/* Blocks of all sizes, freed and resized between commits, against a model outside. */
static void changes(void **state)
{
    enum { SLOTS = 400 };
    static unsigned char *block[SLOTS], *was[SLOTS];
    static unsigned size[SLOTS], wassize[SLOTS], mark[SLOTS], wasmark[SLOTS];
    Vmalloc_t *vm = must_open(file, 0, NULL);
    unsigned r = 12345, i, k, round;
    (void)state;
    for (round = 0; round < 60; round++) {
        for (k = 0; k < 60; k++) {
            i = (r = r * 1103515245u + 12345u) >> 8 & 0xffff;
            i %= SLOTS;
            size[i] = (r >> 5 & 7) == 0 ? r >> 12 & 0x1ffff : r >> 12 & 0x3ff;
            block[i] = vmresize(vm, block[i], size[i] + 1, VM_RSMOVE);
            assert_non_null(block[i]);
            mark[i] = r >> 9 & 0xff;
            memset(block[i], (int)mark[i], size[i] + 1);
        }
        if (round % 3 == 1) {
            assert_int_equal(vmrollback(vm), 0);
            memcpy(block, was, sizeof was), memcpy(size, wassize, sizeof size), memcpy(mark, wasmark, sizeof mark);
        } else {
            if (round % 7 == 0)
                vmcompact(vm);
            assert_int_equal(vmcommit(vm), 0);
            memcpy(was, block, sizeof was), memcpy(wassize, size, sizeof size), memcpy(wasmark, mark, sizeof mark);
        }
        if (round % 10 == 9) {
            assert_int_equal(vmclose(vm), 0);
            vm = must_open(file, VM_IMGEXIST | (round % 20 == 9 ? VM_IMGNOTRACK : 0), NULL);
            memcpy(block, was, sizeof was), memcpy(size, wassize, sizeof size), memcpy(mark, wasmark, sizeof mark);
        }
        assert_int_equal(vmdbcheck(vm), 0);
        for (i = 0; i < SLOTS; i++)
            if (block[i] != NULL)
                for (k = 0; k <= size[i]; k += 97)
                    assert_int_equal(block[i][k], mark[i]);
    }
    assert_int_equal(vmclose(vm), 0);
}

/* A region in a block of an image that is closed first: its segments are gone with the addresses, whatever the
 * index of segments has to look at afterwards, and so is it. */
static void regions_inside_end_with_it(void **state)
{
    size_t size[] = {50, sizeof(void *) > 4 ? 20000 : 5000}, i, k; /* an image of 32 bits has room for 32 MiB */
    (void)state;
    for (i = 0; i < 4; i++) {
        Vmalloc_t *vm = must_open(file, i < 2 ? VM_IMGCLOSE : 0, NULL), *in, *after;
        void *p;
        in = vmopen(vmdcderive(vm, 0, 0), i % 2 ? Vmlast : Vmbest, 0);
        assert_non_null(in);
        for (k = 0; k < 1000; k++)
            assert_non_null(vmalloc(in, size[i % 2]));
        assert_int_equal(vmclose(vm), 0);
        after = vmopen(Vmdcheap, Vmbest, 0);
        assert_non_null(after);
        assert_non_null(p = vmalloc(after, 100));
        assert_ptr_equal(vmregion(p), after);
        assert_null(vmalloc(in, 10));
        assert_int_equal(errno, EINVAL);
        if (i % 2)
            assert_int_equal(vmclose(in), 0);
        vm = must_open(file, 0, NULL);
        assert_int_equal(vmdbcheck(vm), 0);
        assert_non_null(vmalloc(vm, 30000));
        if (i % 2 == 0)
            assert_int_equal(vmclose(in), 0);
        assert_int_equal(vmclose(vm), 0);
        assert_int_equal(vmclose(after), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(best, setup, teardown),
        cmocka_unit_test_setup_teardown(last, setup, teardown),
        cmocka_unit_test_setup_teardown(pool, setup, teardown),
        cmocka_unit_test_setup_teardown(by_contents, setup, teardown),
        cmocka_unit_test_setup_teardown(only_changes, setup, teardown),
        cmocka_unit_test_setup_teardown(changes, setup, teardown),
        cmocka_unit_test_setup_teardown(regions_inside_end_with_it, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
