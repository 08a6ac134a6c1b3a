/* SPDX-License-Identifier: MIT */
/*
 * seat: a block's place leads to its descriptor, in pages that are cut anew, where blocks have no seats, and where
 * several threads have pages of the same region.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "debug/books.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <vmalloc.h>

#define N 600

static size_t age, quarantine;

/* A quarantine so small that pages come free. */
static int setup(void **state)
{
    (void)state;
    age = vmdg_options.age;
    quarantine = vmdg_options.quarantine;
    vmdg_options.age = 8;
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    vmdg_options.age = age;
    vmdg_options.quarantine = quarantine;
    return 0;
}

static int isseated(const void *p)
{
    uint32_t id = vmdg_index_get(p);
    return id != 0 && vmdg_addr(vmdg_desc(id)) == p && (vmdg_what(vmdg_desc(id)) & VMDG_SEATED) != 0;
}

/* From each byte of the block, and the nearest ones of its fences, to the block. */
static void known(char *p, size_t size)
{
    vmdg_block_t b;
    assert_int_equal(vmdg_at(p, &b), 0);
    assert_ptr_equal(b.addr, p);
    assert_int_equal(b.size, size);
    for (size_t i = 0; i < size; i += 1 + size / 16) {
        assert_int_equal(vmdg_around(p + i, &b), 0);
        assert_ptr_equal(b.addr, p);
    }
    assert_int_equal(vmdg_around(p - 1, &b), 0);
    assert_ptr_equal(b.addr, p);
    assert_int_equal(vmdg_around(p + size, &b), 0);
    assert_ptr_equal(b.addr, p);
}

/* One region, blocks of one size after blocks of another: the same pages with other rules. */
static void test_sizes(void **state)
{
    static const size_t sizes[] = {1, 16, 40, 100, 200, 480, 1000, 3000, 4096, 9000, 40000, 24, 500, 8};
    Vmalloc_t *vm = vmopen(Vmdcsystem, Vmdebug, 0);
    static char *p[N];
    size_t seats = 0, i;
    (void)state;
    assert_non_null(vm);
    for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++) {
        size_t n = sizes[s] > 4096 ? N / 10 : N;
        for (i = 0; i < n; i++) {
            assert_non_null(p[i] = vmalloc(vm, sizes[s]));
            memset(p[i], (int)i, sizes[s]);
            seats += (size_t)isseated(p[i]);
        }
        for (i = 0; i < n; i += 7)
            known(p[i], sizes[s]);
        for (i = 0; i < n; i++)
            assert_int_equal(vmfree(vm, p[i]), 0);
    }
    assert_true(seats > N * 8); /* nearly all, but where a page still had blocks of another size */
    assert_int_equal(vmdbcheck(vm), 0);
    assert_int_equal(vmclose(vm), 0);
}

/* The seat that the rule of its page makes of an address now. */
static vmdg_seat_t seatat(const void *p)
{
    vmdg_leaf_t *l = vmdg_leafof((uintptr_t)p);
    const uint64_t *at = &l->rule[vmdg_pageof((uintptr_t)p)];
    return (vmdg_seat_t){at, *at, vmdg_seatof(*at, (uintptr_t)p)};
}

/* Who saw the rule of a page before it was cut anew takes no seat by it: the descriptor may be another page's now. */
static void test_late(void **state)
{
    Vmalloc_t *vm = vmopen(Vmdcsystem, Vmdebug, 0);
    static char *p[N], *q[N];
    static vmdg_seat_t s[N];
    uint64_t what;
    size_t i, late = 0;
    (void)state;
    memset(s, 0, sizeof s);
    for (i = 0; i < N; i++) {
        assert_non_null(p[i] = vmalloc(vm, 200));
        if (isseated(p[i])) {
            s[i] = seatat(p[i]);
            assert_int_equal(vmdg_seat_take(&s[i]), -1); /* the block has it */
        }
    }
    for (i = 0; i < N; i++)
        assert_int_equal(vmfree(vm, p[i]), 0);
    for (i = 0; i < N; i++)
        assert_non_null(q[i] = vmalloc(vm, 700));
    for (i = 0; i < N; i++) {
        if (s[i].at == NULL || *s[i].at == s[i].rule)
            continue;
        late++;
        what = vmdg_what(vmdg_desc(s[i].id));
        assert_int_equal(vmdg_seat_take(&s[i]), -1);
        assert_true(vmdg_what(vmdg_desc(s[i].id)) == what);
    }
    assert_true(late > 0);
    for (i = 0; i < N; i++)
        assert_int_equal(vmfree(vm, q[i]), 0);
    assert_int_equal(vmdbcheck(vm), 0);
    assert_int_equal(vmclose(vm), 0);
}

/* With more alignment, in a page that has a rule. */
static void test_aligned(void **state)
{
    Vmalloc_t *vm = vmopen(Vmdcsystem, Vmdebug, 0);
    char *p[64], *q[64];
    (void)state;
    for (int i = 0; i < 64; i++) {
        p[i] = vmalloc(vm, 80);
        q[i] = vmalign(vm, 24, 64);
        assert_non_null(p[i]);
        assert_non_null(q[i]);
    }
    for (int i = 0; i < 64; i++) {
        known(p[i], 80);
        known(q[i], 24);
        assert_false(isseated(q[i]));
        assert_int_equal(vmfree(vm, q[i]), 0);
    }
    for (int i = 0; i < 64; i++)
        assert_int_equal(vmfree(vm, p[i]), 0);
    assert_int_equal(vmdbcheck(vm), 0);
    assert_int_equal(vmclose(vm), 0);
}

/* Cleared blocks still have their seats when their memory is given out again. */
static void test_cleared(void **state)
{
    Vmalloc_t *vm = vmopen(Vmdcsystem, Vmdebug, 0);
    char *p[40];
    (void)state;
    for (int round = 0; round < 20; round++) {
        for (int i = 0; i < 40; i++)
            assert_non_null(p[i] = vmalloc(vm, 60));
        for (int i = 0; i < 40; i++)
            known(p[i], 60);
        assert_int_equal(vmfree(vm, p[round]), 0);
        assert_int_equal(vmclear(vm), 0);
    }
    assert_int_equal(vmclose(vm), 0);
}

/* Nor do those of other sizes hide new ones, which go straight again where none of them begins. */
static void test_gone(void **state)
{
    Vmalloc_t *gone = vmopen(Vmdcsystem, Vmdebug, 0), *vm = vmopen(Vmdcsystem, Vmdebug, 0);
    char *p[N];
    (void)state;
    assert_non_null(vmalloc(gone, 100));
    assert_int_equal(vmclose(gone), 0);
    for (size_t round = 0; round < 12; round++) {
        size_t size = round >= 6 ? 17 + round * 29 % 120 : round % 2 ? 65 : 81; /* 112 bytes fit the rule for 128 */
        for (size_t i = 0; i < N; i++)
            assert_non_null(p[i] = vmalloc(vm, size + i % 8));
        for (size_t i = 0; i < N; i++)
            known(p[i], size + i % 8);
        assert_true(round > 0 || isseated(p[N / 2]));
        for (size_t i = 0; i < N; i += 2) /* most of which leave quarantine at once, and their seats */
            assert_int_equal(vmfree(vm, p[i]), 0);
        assert_int_equal(vmclear(vm), 0);
    }
    assert_int_equal(vmclose(vm), 0);
}

/* ---- threads ---- */

static Vmalloc_t *shared;

static void *work(void *arg)
{
    uintptr_t seed = (uintptr_t)arg, size;
    char *p[50] = {NULL};
    for (int i = 0; i < 6000; i++) {
        size_t k = (seed = seed * 1103515245 + 12345) / 65536 % 50;
        size = (i / 500 % 4 + 1) * 48 * (1 + k % 3);
        if (p[k] != NULL && vmfree(shared, p[k]) != 0)
            return arg;
        p[k] = vmalloc(shared, size);
        if (p[k] == NULL)
            return arg;
        memset(p[k], 1, size);
    }
    for (int k = 0; k < 50; k++)
        if (p[k] != NULL && vmfree(shared, p[k]) != 0)
            return arg;
    return NULL;
}

static void test_threads(void **state)
{
    uint64_t errors = vmdg_errors();
    pthread_t t[4];
    void *bad;
    (void)state;
    shared = vmopen(Vmdcsystem, Vmdebug, 0);
    for (uintptr_t i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&t[i], NULL, work, (void *)(i + 1)), 0);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(pthread_join(t[i], &bad), 0);
        assert_null(bad);
    }
    assert_int_equal(vmdbcheck(shared), 0);
    assert_int_equal(vmclose(shared), 0);
    assert_int_equal(vmdg_errors(), errors);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_sizes, setup, teardown),
        cmocka_unit_test_setup_teardown(test_late, setup, teardown),
        cmocka_unit_test_setup_teardown(test_aligned, setup, teardown),
        cmocka_unit_test_setup_teardown(test_cleared, setup, teardown),
        cmocka_unit_test_setup_teardown(test_gone, setup, teardown),
        cmocka_unit_test_setup_teardown(test_threads, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
