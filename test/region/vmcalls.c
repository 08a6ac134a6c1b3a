/* SPDX-License-Identifier: MIT */
#include "_bump.h"

static void behind_the_macros(void **state)
{
    void *(*f)(Vmalloc_t *, size_t) = vmalloc;
    chk_t *c;
    Vmalloc_t *vm = bump_open(&c, 0);
    char *p;

    (void)state;
    p = f(vm, 100);
    assert_int_equal((vmsize)(vm, p), 112);
    assert_int_equal((vmaddr)(vm, p), 0);
    assert_int_equal((uintptr_t)(vmalign)(vm, 10, 256) % 256, 0);
    p = (vmresize)(vm, p, 200, VM_RSCOPY);
    assert_int_equal(vmsize(vm, p), 208);
    assert_int_equal((vmfree)(vm, p), 0);
    assert_int_equal((vmcompact)(vm), 0);
    bump_close(vm, c);
}

static void refuse_no_region(void **state)
{
    (void)state;
    errno = 0;
    assert_null((vmalloc)(NULL, 1));
    assert_int_equal(errno, EINVAL);
    assert_null((vmalign)(NULL, 1, 1));
    assert_null((vmresize)(NULL, NULL, 1, 0));
    assert_int_equal((vmfree)(NULL, NULL), -1);
    assert_int_equal((vmaddr)(NULL, NULL), -1);
    assert_int_equal((vmsize)(NULL, NULL), -1);
    assert_int_equal((vmcompact)(NULL), -1);
}

static void sizes_of_arrays(void **state)
{
    chk_t *c;
    Vmalloc_t *vm = bump_open(&c, 0);
    int *p;

    (void)state;
    assert_int_equal(_vmsizeof(8, 10, 3), 83);
    assert_int_equal(_vmsizeof(0, SIZE_MAX, 0), 0);
    assert_int_equal(_vmsizeof(8, SIZE_MAX / 8 + 1, 0), SIZE_MAX);
    assert_int_equal(_vmsizeof(8, SIZE_MAX / 8, 8), SIZE_MAX);
    p = vmnewof(vm, NULL, int, 100, 0);
    assert_int_equal(p[99], 0);
    p[99] = 5;
    p = vmnewof(vm, p, int, 200, 0);
    assert_int_equal(p[99], 5);
    assert_int_equal(p[199], 0);
    errno = 0;
    assert_null(vmnewof(vm, p, int, SIZE_MAX / 4, 100));
    assert_int_equal(errno, ENOMEM);
    assert_non_null(vmoldof(vm, p, int, 300, 5));
    bump_close(vm, c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(behind_the_macros),
        cmocka_unit_test(refuse_no_region),
        cmocka_unit_test(sizes_of_arrays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
