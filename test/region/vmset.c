/* SPDX-License-Identifier: MIT */
#include "_bump.h"

static void gives_the_mode_before(void **state)
{
    chk_t *c;
    Vmalloc_t *vm = bump_open(&c, VM_SINGLE);

    (void)state;
    errno = 4711;
    assert_int_equal(vmset(vm, 0, 0), VM_MTLAST | VM_SINGLE);
    assert_int_equal(vmset(vm, VM_TRACE | VM_DBABORT, 1), VM_MTLAST | VM_SINGLE);
    assert_int_equal(vmset(vm, VM_TRACE, 0), VM_MTLAST | VM_SINGLE | VM_TRACE | VM_DBABORT);
    assert_int_equal(vmset(vm, 0, 0), VM_MTLAST | VM_SINGLE | VM_DBABORT);
    assert_int_equal(errno, 4711);
    bump_close(vm, c);
}

static void leaves_what_vmopen_fixes(void **state)
{
    chk_t *c;
    Vmalloc_t *vm = bump_open(&c, 0);

    (void)state;
    vmset(vm, VM_SINGLE | VM_MEMORYF | VM_METHODS, 1);
    assert_int_equal(vmset(vm, ~0, 0), VM_MTLAST);
    assert_int_equal(vmset(vm, 0, 0), VM_MTLAST);
    errno = 0;
    assert_int_equal(vmset(NULL, 0, 0), -1);
    assert_int_equal(errno, EINVAL);
    bump_close(vm, c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gives_the_mode_before),
        cmocka_unit_test(leaves_what_vmopen_fixes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
