/* SPDX-License-Identifier: MIT */
/* vmprofileset(): each setting takes values that make sense and no others, until a profile is there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <vmalloc.h>
#include <vmalloc/profile.h>

static void refused(int what, size_t value, int e)
{
    errno = 0;
    assert_int_equal(vmprofileset(what, value), -1);
    assert_int_equal(errno, e);
}

static void test_settings(void **state)
{
    static const struct {
        int what;
        size_t good[3];
    } set[] = {
        {VM_PFDEPTH, {1, 128, 20}},         {VM_PFPERIOD, {1 << 20, 1, 0}}, {VM_PFNEAR, {1, 100, 16}},
        {VM_PFSEED, {1, 77, 0}},            {VM_PFINTERVAL, {1, 3600, 0}},  {VM_PFINHERIT, {1, 1, 0}},
        {VM_PFMEMORY, {1 << 26, 1 << 28, 1 << 27}}, {VM_PFEXACT, {1, 1000000, 0}},
        {VM_PFUNUSED, {0, 1, 0}},
    };
    Vmalloc_t *vm;
    (void)state;
    for (size_t i = 0; i < sizeof set / sizeof *set; i++)
        for (size_t j = 0; j < 3; j++)
            assert_int_equal(vmprofileset(set[i].what, set[i].good[j]), 0);
    refused(VM_PFDEPTH, 0, EINVAL);
    refused(VM_PFDEPTH, 129, EINVAL);
    refused(VM_PFMEMORY, 1, EINVAL);
    refused(VM_PFINHERIT, 2, EINVAL);
    refused(VM_PFUNUSED, 2, EINVAL);
    refused(0, 1, EINVAL);
    refused(99, 1, EINVAL);
    vm = vmopen(Vmdcheap, Vmprofile, 0);
    assert_non_null(vm);
    for (size_t i = 0; i < sizeof set / sizeof *set; i++)
        refused(set[i].what, set[i].good[0], EBUSY);
    vmclose(vm);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_settings)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
