/* SPDX-License-Identifier: MIT */
#include "_bump.h"

static void keeps_a_copy(void **state)
{
    char text[] = "0123456789012345678901234567890123456789";
    chk_t *c;
    Vmalloc_t *vm = bump_open(&c, 0);

    (void)state;
    assert_string_equal(vmname(vm, NULL), "");
    assert_string_equal(vmname(vm, text), "0123456789012345678901234567890");
    assert_string_equal(vmname(vm, "short"), "short");
    text[0] = 'x';
    assert_string_equal(vmname(vm, NULL), "short");
    assert_string_equal(vmname(vm, ""), "");
    errno = 0;
    assert_null(vmname(NULL, "x"));
    assert_int_equal(errno, EINVAL);
    bump_close(vm, c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(keeps_a_copy)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
