/* SPDX-License-Identifier: MIT */
/* Of libraries a text shows what the program called, and the program's own functions all. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "../../tools/report_fold.c"

/* Letters, innermost first: p of the program, l of a library, c of the C++ library. */
static void check(const char *stack, const char *wanted)
{
    static const report_frame_t kinds[] = {{.library = 1}, {.inner = 1}, {.library = 0}};
    report_frame_t frames[32];
    uint32_t numbers[32];
    char left[33];
    size_t n = strlen(stack), i;

    for (i = 0; i < n; i++) {
        frames[i] = kinds[stack[i] == 'l' ? 0 : stack[i] == 'c' ? 1 : 2];
        numbers[i] = (uint32_t)i;
    }
    n = report_fold(frames, numbers, n);
    for (i = 0; i < n; i++)
        left[i] = stack[numbers[i]];
    left[n] = '\0';
    assert_string_equal(left, wanted);
}

static void test_the_function_that_was_called_stays(void **state)
{
    (void)state;
    check("p", "p");
    check("lllpp", "lpp");
    check("pllllpp", "plpp");
    check("lpl", "lpl");
}

static void test_of_the_cxx_library_nothing_stays_at_the_inner_end(void **state)
{
    (void)state;
    check("ccp", "p");
    check("lcp", "p");
    check("pccp", "pcp");
    check("clp", "lp");
}

static void test_what_is_beyond_the_program_stays(void **state)
{
    (void)state;
    check("llpplll", "lpplll");
    check("pcc", "pc");
}

static void test_a_stack_without_the_program_stays(void **state)
{
    (void)state;
    check("", "");
    check("llll", "llll");
    check("lccl", "lccl");
}

static void test_folders_tell_libraries(void **state)
{
    (void)state;
    assert_true(report_is_library("/usr/lib/x86_64-linux-gnu/libsqlite3.so.0", "/home/me/prog"));
    assert_true(report_is_library("/lib64/ld-linux-x86-64.so.2", "/usr/local/bin/prog"));
    assert_true(report_is_library("/usr/libx32/libc.so.6", "/home/me/prog"));
    assert_true(report_is_library("/libexec/ld-elf.so.1", "/home/me/prog"));
    assert_false(report_is_library("/library/me/libmine.so", "/library/me/prog"));
    assert_false(report_is_library("/usr/liberty/libmine.so", "/home/me/prog"));
    assert_true(report_is_library("/lib/liba.so", "/library/me/prog"));
    assert_false(report_is_library("/usr/local/lib/libmine.so", "/home/me/prog"));
    assert_false(report_is_library("/home/me/prog", "/home/me/prog"));
    assert_false(report_is_library("/usr/lib/x86_64-linux-gnu/liblua5.4.so.0", "/usr/bin/lua5.4"));
    assert_false(report_is_library("/usr/lib/liba.so", "/usr/lib/gcc/x86_64-linux-gnu/12/cc1"));
    assert_false(report_is_library("/usr/lib/liba.so", "/usr/libexec/gcc/x86_64-linux-gnu/14/cc1"));
    assert_false(report_is_library("/usr/lib/liba.so", ""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_function_that_was_called_stays),
        cmocka_unit_test(test_of_the_cxx_library_nothing_stays_at_the_inner_end),
        cmocka_unit_test(test_what_is_beyond_the_program_stays),
        cmocka_unit_test(test_a_stack_without_the_program_stays),
        cmocka_unit_test(test_folders_tell_libraries),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
