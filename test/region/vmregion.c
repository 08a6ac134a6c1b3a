/* SPDX-License-Identifier: MIT */
#include "_bump.h"

static void the_innermost(void **state)
{
    Vmalloc_t *vm = vmopen(Vmdcheap, BUMP, 0);
    char *p = vmalloc(vm, 100), here;

    (void)state;
    errno = 4711;
    assert_ptr_equal(vmregion(p), vm);
    assert_ptr_equal(vmregion(p + 50), vm);
    assert_ptr_equal(vmregion(vm), Vmheap);
    assert_ptr_equal(vmregion(Vmheap->data), Vmheap);
    assert_null(vmregion(NULL));
    assert_null(vmregion(&here));
    assert_null(vmregion((void *)(UINTPTR_MAX - 1)));
    assert_int_equal(errno, 4711);
    assert_int_equal(vmclose(vm), 0);
    assert_ptr_equal(vmregion(p), Vmheap); /* in memory that Vmheap may use again */
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_innermost)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
