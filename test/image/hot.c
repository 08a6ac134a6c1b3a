/* SPDX-License-Identifier: MIT */
/*
 * Which pages are hot after rows of commits; and commits of some hundred pages, the same, others and more than can be
 * hot, of which none may be overlooked.
 */
#include "_test.h"

#include "image.h"

#define PAGES 4096

static vmi_t img;
static uint64_t ishot[PAGES / 64], wasin[PAGES / 64];
static vmi_entry_t list[PAGES];

static void begin(void)
{
    memset(&img, 0, sizeof img);
    memset(ishot, 0, sizeof ishot);
    memset(wasin, 0, sizeof wasin);
    img.ishot = ishot;
    img.wasin = wasin;
}

/* A commit of n pages from `from` on; what is told of hot ones is whole after it. */
static void commit(uint64_t from, uint64_t n)
{
    int k, bits = 0;
    for (uint64_t i = 0; i < n; i++)
        list[i].page = (from + i) | (i % 3 ? VMI_LINED : VMI_INLINE);
    vmi_hot_learn(&img, list, n);
    for (k = 0; k < PAGES; k++)
        bits += vmb_bit(ishot, (size_t)k);
    assert_int_equal(bits, img.nhot);
    for (k = 0; k < img.nhot; k++)
        assert_true(vmb_bit(ishot, (size_t)img.hot[k]));
    assert_in_range(img.nhot, 0, VMI_HOT);
}

static void two_in_a_row_make_a_page_hot(void **state)
{
    int k;
    (void)state;
    begin();
    commit(100, 500);
    assert_int_equal(img.nhot, 0);
    commit(300, 500);
    assert_int_equal(img.nhot, 300);
    for (k = 0; k < 100; k++)
        commit(300, 500);
    assert_int_equal(img.nhot, 500);
    img.calm = 1;
    for (k = 0; k < 5; k++) /* another kind of work: they go soon */
        commit(2000, 3);
    assert_int_equal(img.nhot, 3);
    assert_int_equal(img.calm, 0);
    for (k = 0; k < 17; k++)
        commit(3000 + (uint64_t)k, 1);
    assert_int_equal(img.nhot, 0);
}

static void too_many_are_not_hot(void **state)
{
    int k;
    (void)state;
    begin();
    for (k = 0; k < 3; k++)
        commit(0, VMI_HOT);
    assert_int_equal(img.nhot, VMI_HOT);
    commit(0, VMI_HOT + 1);
    assert_int_equal(img.nhot, 0);
    commit(0, VMI_HOT);
    commit(1, VMI_HOT);
    assert_int_equal(img.nhot, VMI_HOT - 1);
    vmi_hot_none(&img); /* so many others were written: only small commits have hot pages for a while */
    for (k = 0; k < 10; k++)
        commit(0, 500);
    assert_int_equal(img.nhot, 0);
    for (k = 0; k < 3; k++)
        commit(0, 10);
    assert_int_equal(img.nhot, 10);
    for (k = 0; k < 60; k++)
        commit(0, 500);
    assert_int_equal(img.nhot, 500);
}

static size_t ps;
static long *model;

static void store(long *words, size_t page, long k)
{
    size_t i = page * ps + ((size_t)k * 37 + page) % ps;
    words[i] = model[i] = k;
}

/* 300 pages nearly all of the time, 80 here and there among others, all of 1200, one. */
static void none_is_overlooked(void **state)
{
    enum { N = 1200 };
    Vmalloc_t *vm = must_open(file, 0, NULL);
    long *words, k;
    size_t p;
    (void)state;
    ps = vmos_pagesize() / sizeof *words;
    if (ps > 4096 / sizeof *words)
        skip(); /* the same, with more memory */
    words = vmresize(vm, NULL, N * ps * sizeof *words, VM_RSZERO);
    model = calloc(N * ps, sizeof *model);
    assert_true(words != NULL && model != NULL);
    assert_int_equal(vmrootset(vm, "words", words, 1, 1), 0);
    for (k = 1; k < 160; k++) {
        for (p = 0; k % 40 < 25 && p < 300; p++)
            if ((p + (size_t)k) % 9 != 0)
                store(words, 2 * p, k);
        for (p = 0; k % 20 > 16 && p < 80; p++)
            store(words, (13 * p + (size_t)k) % N, k);
        for (p = 0; k % 50 == 30 && p < N; p++)
            store(words, p, k);
        store(words, (size_t)k % N, k);
        assert_int_equal(vmcommit(vm), 0);
        if (k % 4 == 0)
            assert_int_equal(vmrollback(vm), 0); /* what was overlooked would be as it was */
        assert_memory_equal(words, model, N * ps * sizeof *words);
    }
    assert_int_equal(vmclose(vm), 0);
    vm = must_open(file, VM_IMGREAD | VM_IMGEXIST, NULL);
    assert_memory_equal(vmrootget(vm, "words", NULL), model, N * ps * sizeof *words);
    assert_int_equal(vmclose(vm), 0);
    free(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_in_a_row_make_a_page_hot),
        cmocka_unit_test(too_many_are_not_hot),
        cmocka_unit_test_setup_teardown(none_is_overlooked, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
