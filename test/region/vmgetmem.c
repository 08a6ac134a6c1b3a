/* SPDX-License-Identifier: MIT */
#include "_bump.h"

static void a_life_through_one_call(void **state)
{
    int before;
    Vmalloc_t *vm;
    char *p;

    (void)state;
    vmr_heap();
    before = regions();
    vm = vmgetmem(NULL, NULL, 0);
    assert_non_null(vm);
    assert_int_equal(regions(), before + 1);
    p = vmgetmem(vm, NULL, 40);
    assert_int_equal(p[0] | p[39], 0);
    p[39] = 7;
    p = vmgetmem(vm, p, 4000);
    assert_int_equal(p[39], 7);
    assert_int_equal(p[40] | p[3999], 0);
    assert_null(vmgetmem(vm, p, 0));
    assert_null(vmgetmem(vm, NULL, 0));
    assert_int_equal(regions(), before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_life_through_one_call)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
