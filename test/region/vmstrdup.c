/* SPDX-License-Identifier: MIT */
#include "_bump.h"

static void copies(void **state)
{
    chk_t *c;
    Vmalloc_t *vm = bump_open(&c, 0);
    const char *s = "a string";
    char *copy = vmstrdup(vm, s);

    (void)state;
    assert_string_equal(copy, s);
    assert_ptr_not_equal(copy, s);
    assert_string_equal(vmstrdup(vm, ""), "");
    assert_null(vmstrdup(vm, NULL));
    errno = 0;
    assert_null(vmstrdup(NULL, s));
    assert_int_equal(errno, EINVAL);
    bump_close(vm, c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(copies)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
