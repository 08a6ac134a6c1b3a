/* SPDX-License-Identifier: MIT */
/* Size classes: tables against their rule, and the index of a block at every offset of a slab. */
#include "_best.h"

static void sizes(void **state)
{
    unsigned c, k, j = 0;
    (void)state;
    for (c = 0, k = 0; c < BE_CLASSES; c++) {
        if (c == 16 || (c > 16 && c % 8 == 0))
            k++, j = 9;
        else
            j++;
        assert_int_equal(vmbe_classbytes[c], (size_t)16 * j << k);
        assert_int_equal(vmbe_class_size(c), vmbe_classbytes[c]);
        assert_int_equal(vmbe_class_k(c), k);
        assert_int_equal(j * (size_t)BE_PAGE, (256u >> k) * (size_t)vmbe_classbytes[c]);
        assert_int_equal(vmbe_class_pages(c) % j, 0);
        assert_in_range(vmbe_class_pages(c), j, BE_KEEPMAX(c));
        assert_in_range(vmbe_class_pages(c) * (size_t)BE_PAGE / vmbe_classbytes[c], 4, 256);
    }
    assert_int_equal(vmbe_classbytes[BE_CLASSES - 1], BE_SMALLMAX);
}

static void smallest_class(void **state)
{
    size_t size;
    unsigned c = 0;
    (void)state;
    for (size = 1; size <= BE_SMALLMAX; size++) {
        while (vmbe_classbytes[c] < size)
            c++;
        assert_int_equal(vmbe_class(size), c);
        assert_int_equal(vmbe_class_of(size), c);
        if (size <= BE_TABLEMAX)
            assert_int_equal(vmbe_cursortab[(size + 15) >> 4], offsetof(vmbe_lane_t, cur[c]));
    }
    assert_int_equal(vmbe_class(0), 0);
}

/* At most an eighth of a reduced slab is lost, and it has 1 to 64 blocks or whole words of them. */
static void reduced(void **state)
{
    unsigned c;
    (void)state;
    for (c = 0; c < BE_CLASSES; c++) {
        size_t n = vmbe_class_leastpages(c), size = vmbe_classbytes[c], cap = n * BE_PAGE / size;
        assert_in_range(n, 1, vmbe_class_pages(c));
        cap = cap > 64 ? cap & ~(size_t)63 : cap;
        assert_in_range(cap, 1, 256);
        assert_true(n * BE_PAGE - cap * size <= n * BE_PAGE / 8);
    }
}

/* In a region that grows slabs do, too, and no whole slab loses anything. */
static void within(void **state)
{
    unsigned c;
    (void)state;
    for (c = 0; c < BE_CLASSES; c++) {
        size_t pages, n, before = 0, j = vmbe_class_j(c);
        for (pages = 1; pages <= 8192; pages++, before = n) {
            n = vmbe_class_pageswithin(c, pages);
            assert_true(n >= before);
            assert_true(n == vmbe_class_leastpages(c) || (n % j == 0 && n * 64 <= pages));
        }
        assert_int_equal(before, vmbe_class_pages(c));
    }
}

static void index_exact(void **state)
{
    unsigned c;
    (void)state;
    for (c = 0; c < BE_CLASSES; c++) {
        size_t size = vmbe_classbytes[c], off, end = vmbe_class_pages(c) * (size_t)BE_PAGE;
        vmbe_run_t run = {.base = (char *)0x10000000, .cls = (uint8_t)c};
        assert_int_equal(vmbe_classrecip[c], (((uint64_t)1 << 32) + size - 1) / size);
        for (off = 0; off < end; off++) {
            size_t i = vmbe_index(&run, run.base + off);
            if (i != (off % size ? (size_t)-1 : off / size))
                fail_msg("class of %zu, offset %zu: index %zu", size, off, i);
        }
    }
}

/* Every size is served by its class, and the rest of the block is cleared. */
static void served(void **state)
{
    Vmalloc_t *vm = vmopen(Vmdcsystem, Vmbest, 0);
    size_t size, step;
    int round;
    (void)state;
    for (round = 0; round < 2; round++)
        for (size = 0, step = 1; size <= BE_SMALLMAX; size += step) {
            int paged = engine(vm)->hub != NULL;
            char *p = vmalloc(vm, size);
            size_t have = (size_t)vmsize(vm, p);
            assert_non_null(p);
            if (paged)
                assert_int_equal(have, vmbe_classbytes[vmbe_class(size)]);
            assert_int_equal(pat_notzero(p, size, have), have);
            memset(p, 0xa5, have);
            assert_int_equal(vmfree(vm, p), 0);
            step = size < 2048 ? 1 : 61;
        }
    sound(vm);
    assert_int_equal(statof(vm).n_busy, 0);
    vmclose(vm);
}

static void layout(void **state)
{
    (void)state;
    assert_int_equal(sizeof(vmbe_run_t), 128);
    assert_int_equal((uintptr_t)&vmbe_nolane.none % sizeof(vmbe_run_t), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sizes),   cmocka_unit_test(smallest_class), cmocka_unit_test(reduced),
        cmocka_unit_test(within),  cmocka_unit_test(index_exact),    cmocka_unit_test(served),
        cmocka_unit_test(layout),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
