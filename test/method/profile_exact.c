/* SPDX-License-Identifier: MIT */
/* Vmprofile records every block: programs whose figures are known. */
#include "_profile.h"

#include <errno.h>
#include <stdlib.h>
#include <vmalloc.h>

static Vmalloc_t *opened(Vmethod_t *under, int flags)
{
    Vmalloc_t *vm = vmopen(Vmdcheap, vmover(Vmprofile, under), flags);
    assert_non_null(vm);
    return vm;
}

static void test_blocks_and_bytes_are_those_asked_for(void **state)
{
    Vmalloc_t *vm = opened(Vmbest, 0);
    figures_t f;
    char *p[100];
    (void)state;
    for (int i = 0; i < 100; i++)
        p[i] = vmalloc(vm, (size_t)i);
    for (int i = 0; i < 40; i++)
        assert_int_equal(vmfree(vm, p[i]), 0);
    f = of_region(vm);
    assert_int_equal(f.calls, 100);
    assert_int_equal(f.bytes, 99 * 100 / 2);
    assert_int_equal(f.live, 60);
    assert_int_equal(f.livebytes, 99 * 100 / 2 - 39 * 40 / 2);
    assert_int_equal(f.sizes, 100);
    assert_int_equal(f.lives, 40);
    vmclose(vm);
}

static void test_two_lines_are_two_sites(void **state)
{
    Vmalloc_t *vm = opened(Vmbest, 0);
    (void)state;
    for (int i = 0; i < 10; i++) {
        assert_non_null(vmalloc(vm, 10));
        assert_non_null(vmalloc(vm, 20));
    }
    assert_int_equal(of_region(vm).sites, 2);
    assert_int_equal(of_region(vm).bytes, 300);
    vmclose(vm);
}

static void test_a_resize_frees_and_allocates(void **state)
{
    Vmalloc_t *vm = opened(Vmbest, 0);
    char *p = vmalloc(vm, 100), *was = p;
    figures_t f;
    (void)state;
    memset(p, 7, 100);
    p = vmresize(vm, p, 5000, VM_RSCOPY | VM_RSMOVE | VM_RSZERO);
    assert_non_null(p);
    for (int i = 0; i < 5000; i++)
        assert_int_equal(p[i], i < 100 ? 7 : 0);
    f = of_region(vm);
    assert_int_equal(f.calls, 2);
    assert_int_equal(f.live, 1);
    assert_int_equal(f.livebytes, 5000);
    assert_int_equal(f.resizes, 1);
    assert_int_equal(f.growth, 4900);
    assert_int_equal(f.copied, p != was ? 100 : 0);
    assert_int_equal(vmsize(vm, p), 5000);
    assert_null(vmresize(vm, p, 0, 0));
    assert_int_equal(of_region(vm).live, 0);
    vmclose(vm);
}

static void test_a_resize_in_place_clears_what_is_new(void **state)
{
    static const size_t from[] = {0, 1, 15, 16, 17, 40, 4000, 70000};
    Vmalloc_t *vm = opened(Vmbest, 0);
    (void)state;
    for (size_t i = 0; i < sizeof from / sizeof *from; i++)
        for (size_t more = 1; more < 60; more += 7) {
            unsigned char *p = vmalloc(vm, from[i]);
            memset(p, 9, from[i]);
            p = vmresize(vm, p, from[i] + more, VM_RSCOPY | VM_RSMOVE | VM_RSZERO);
            for (size_t k = 0; k < from[i] + more; k++)
                assert_int_equal(p[k], k < from[i] ? 9 : 0);
            vmfree(vm, p);
        }
    vmclose(vm);
}

static void test_what_fails_is_not_counted(void **state)
{
    Vmalloc_t *vm = opened(Vmbest, 0);
    char *p = vmalloc(vm, 10);
    (void)state;
    assert_null(vmalloc(vm, SIZE_MAX));
    assert_null(vmalloc(vm, SIZE_MAX - 8));
    assert_null(vmalign(vm, SIZE_MAX - 8, 64));
    assert_null(vmresize(vm, p, SIZE_MAX / 2 + 1, VM_RSCOPY));
    assert_int_equal(errno, ENOMEM);
    assert_int_equal(vmfree(vm, p + 1), -1);
    assert_int_equal(vmfree(vm, p), 0);
    assert_int_equal(vmfree(vm, p), -1);
    assert_int_equal(of_region(vm).calls, 1);
    assert_int_equal(of_region(vm).live, 0);
    vmclose(vm);
}

static void test_the_high_water_mark_is_that_of_all_regions(void **state)
{
    Vmalloc_t *a = opened(Vmbest, 0), *b = opened(Vmbest, 0);
    uint64_t before = figures(0).livebytes;
    void *p = vmalloc(a, 3 << 20), *q = vmalloc(b, 4 << 20);
    (void)state;
    vmfree(a, p);
    p = vmalloc(a, 1 << 20); /* 5 MiB now, 7 MiB at the mark */
    assert_int_equal(figures(0).highbytes, before + (7 << 20));
    assert_int_equal(vmpf.head->peak, before + (7 << 20));
    assert_int_equal(of_region(a).highbytes, 3 << 20);
    assert_int_equal(of_region(b).highbytes, 4 << 20);
    vmfree(b, q);
    q = vmalloc(b, 9 << 20); /* a new mark */
    assert_int_equal(vmpf.head->peak, before + (10 << 20));
    assert_int_equal(of_region(a).highbytes, 1 << 20);
    assert_int_equal(of_region(b).highbytes, 9 << 20);
    assert_non_null(q);
    assert_int_equal(record_of(b)->peak, 9 << 20);
    vmclose(b);
    assert_int_equal(of_region(a).highbytes, 1 << 20);
    assert_int_equal(figures(0).highbytes, vmpf.head->peak); /* those of the closed one are kept */
    vmclose(a);
    assert_int_equal(figures(0).highbytes, vmpf.head->peak);
}

static void test_short_lives_are_told_from_long_ones(void **state)
{
    Vmalloc_t *vm = opened(Vmbest, 0);
    void *keep = vmalloc(vm, 8);
    (void)state;
    for (int i = 0; i < 50; i++)
        vmfree(vm, vmalloc(vm, 8));
    assert_int_equal(of_region(vm).shortlived, 50);
    vmfree(vm, keep);
    assert_int_equal(of_region(vm).shortlived, 50);
    assert_int_equal(of_region(vm).live, 0);
    vmclose(vm);
}

static void test_clearing_and_closing_drop_what_lives(void **state)
{
    Vmalloc_t *vm = opened(Vmlast, 0);
    figures_t before = figures(0);
    (void)state;
    for (int i = 0; i < 10; i++)
        assert_non_null(vmalloc(vm, 50));
    assert_int_equal(vmclear(vm), 0);
    assert_int_equal(of_region(vm).live, 0);
    assert_int_equal(of_region(vm).calls, 10);
    assert_non_null(vmalloc(vm, 50));
    assert_int_equal(of_region(vm).livebytes, 50);
    vmclose(vm);
    assert_int_equal(figures(0).live, before.live);
    assert_int_equal(figures(0).calls, before.calls + 11);
}

static void test_a_region_for_each_request_is_one_record(void **state)
{
    size_t used;
    uint64_t calls = figures(0).calls;
    (void)state;
    for (int i = 0; i < 3000; i++) {
        Vmalloc_t *vm = opened(Vmlast, 0);
        assert_non_null(vmalloc(vm, 10));
        assert_non_null(vmalloc(vm, 11));
        vmclose(vm);
        if (i == 0)
            used = vmpf.used;
    }
    assert_int_equal(vmpf.used, used);
    assert_int_equal(figures(0).calls, calls + 6000);
}

static void works_over(Vmethod_t *under, int flags)
{
    Vmalloc_t *vm = opened(under, flags);
    char *p[300];
    for (int i = 0; i < 300; i++) {
        p[i] = vmalloc(vm, 21);
        assert_non_null(p[i]);
        assert_int_equal((uintptr_t)p[i] % VM_ALIGN, 0);
        memset(p[i], i, 21);
    }
    for (int i = 0; i < 300; i++)
        for (int k = 0; k < 21; k++)
            assert_int_equal(p[i][k], (char)i);
    assert_int_equal(vmsize(vm, p[299]), 21);
    assert_int_equal(vmaddr(vm, p[299] + 20), 20);
    assert_int_equal(vmaddr(vm, p[299] + 21), -1);
    assert_int_equal(of_region(vm).bytes, 300 * 21);
    assert_int_equal(vmdbcheck(vm), 0);
    assert_int_equal(vmclear(vm), 0);
    assert_non_null(vmalloc(vm, 21));
    assert_int_equal(of_region(vm).live, 1);
    assert_int_equal(vmclose(vm), 0);
}

static void test_it_works_over_each_method(void **state)
{
    (void)state;
    works_over(Vmbest, 0);
    works_over(Vmlast, 0);
    works_over(Vmpool, 0);
    works_over(Vmbest, VM_SINGLE);
    works_over(Vmlast, VM_SINGLE);
    works_over(Vmpool, VM_SINGLE);
    works_over(Vmlast, VM_MEMORYF);
}

static void test_vmlast_keeps_what_it_cannot_free(void **state)
{
    Vmalloc_t *vm = opened(Vmlast, 0);
    void *p = vmalloc(vm, 10), *q = vmalloc(vm, 20);
    (void)state;
    assert_int_equal(vmfree(vm, p), -1);
    assert_int_equal(of_region(vm).live, 2);
    assert_int_equal(vmfree(vm, q), 0);
    assert_int_equal(of_region(vm).livebytes, 10);
    vmclose(vm);
}

static void test_vmpool_keeps_its_size(void **state)
{
    Vmalloc_t *vm = opened(Vmpool, 0);
    (void)state;
    assert_null(vmalloc(vm, 0));
    assert_non_null(vmalloc(vm, 15));
    assert_null(vmalloc(vm, 16));
    assert_int_equal(of_region(vm).calls, 1);
    vmclose(vm);
}

static void test_statistics_are_of_what_was_asked_for(void **state)
{
    Vmalloc_t *vm = opened(Vmbest, 0);
    Vmstat_t st;
    (void)state;
    vmalloc(vm, 100);
    vmalloc(vm, 23);
    assert_int_equal(vmstat(vm, &st), 0);
    assert_int_equal(st.n_busy, 2);
    assert_int_equal(st.s_busy, 123);
    vmclose(vm);
}

static int count_sizes(Vmalloc_t *vm, Void_t *addr, size_t size, int busy, Void_t *handle)
{
    (void)vm, (void)addr;
    *(size_t *)handle += busy ? size : 0;
    return 0;
}

static void test_a_walk_tells_sizes_as_asked_for(void **state)
{
    Vmalloc_t *vm = opened(Vmbest, 0);
    size_t sum = 0;
    (void)state;
    vmalloc(vm, 100);
    vmalloc(vm, 70000);
    assert_int_equal(vmblkwalk(vm, count_sizes, &sum), 0);
    assert_int_equal(sum, 70100);
    vmclose(vm);
}

static void test_an_overrun_into_the_tail_is_told_and_not_believed(void **state)
{
    Vmalloc_t *vm = opened(Vmbest, 0);
    char *p = vmalloc(vm, 32);
    uint64_t damaged = vmpf.head->damaged;
    (void)state;
    memset(p, 1, 48);
    assert_int_equal(vmfree(vm, p), 0);
    assert_int_equal(vmpf.head->damaged, damaged + 1);
    assert_int_equal(of_region(vm).live, 1);
    vmclose(vm);
}

static void test_what_is_set_is_checked(void **state)
{
    (void)state;
    assert_int_equal(vmprofileset(VM_PFDEPTH, 20), -1);
    assert_int_equal(errno, EBUSY);
    assert_int_equal(vmprofilefile(""), -1);
    assert_int_equal(errno, EINVAL);
    assert_int_equal(vmprofilefile("/nowhere/at/all"), -1);
    assert_int_equal(errno, ENOENT);
    assert_int_equal(vmprofile(NULL, -1), -1);
    assert_int_equal(errno, EBADF);
    assert_int_equal(vmprofile(Vmheap, 1), -1);
    assert_int_equal(errno, EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_blocks_and_bytes_are_those_asked_for),
        cmocka_unit_test(test_two_lines_are_two_sites),
        cmocka_unit_test(test_a_resize_frees_and_allocates),
        cmocka_unit_test(test_a_resize_in_place_clears_what_is_new),
        cmocka_unit_test(test_what_fails_is_not_counted),
        cmocka_unit_test(test_the_high_water_mark_is_that_of_all_regions),
        cmocka_unit_test(test_short_lives_are_told_from_long_ones),
        cmocka_unit_test(test_clearing_and_closing_drop_what_lives),
        cmocka_unit_test(test_a_region_for_each_request_is_one_record),
        cmocka_unit_test(test_it_works_over_each_method),
        cmocka_unit_test(test_vmlast_keeps_what_it_cannot_free),
        cmocka_unit_test(test_vmpool_keeps_its_size),
        cmocka_unit_test(test_statistics_are_of_what_was_asked_for),
        cmocka_unit_test(test_a_walk_tells_sizes_as_asked_for),
        cmocka_unit_test(test_an_overrun_into_the_tail_is_told_and_not_believed),
        cmocka_unit_test(test_what_is_set_is_checked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
