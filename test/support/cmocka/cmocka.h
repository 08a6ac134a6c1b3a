/* SPDX-License-Identifier: MIT */
/*
 * What the tests use of cmocka, in a few lines, for systems that have no cmocka: those that the
 * library is built for across (cmake/ports.sh).  Same names, same meaning; a check that fails ends
 * its test by longjmp(), a crash ends the program.  Include <setjmp.h>, <stdarg.h> and
 * <stddef.h> first, as with the real one.
 */
#ifndef CMOCKA_H
#define CMOCKA_H 1

#include <stdint.h>

typedef uintmax_t LargestIntegralType;

struct CMUnitTest {
    const char *name;
    void (*test_func)(void **state);
    int (*setup_func)(void **state);
    int (*teardown_func)(void **state);
    void *initial_state;
};

#define cmocka_unit_test(f) {#f, f, NULL, NULL, NULL}
#define cmocka_unit_test_setup(f, setup) {#f, f, setup, NULL, NULL}
#define cmocka_unit_test_setup_teardown(f, setup, teardown) {#f, f, setup, teardown, NULL}

#define cmocka_run_group_tests(tests, setup, teardown)                                             \
    cmocka_run_group_tests_name(#tests, tests, setup, teardown)
#define cmocka_run_group_tests_name(name, tests, setup, teardown)                                  \
    _cmocka_run_group_tests(name, tests, sizeof(tests) / sizeof((tests)[0]), setup, teardown)

#define assert_true(c) check_true((c) ? 1 : 0, #c, __FILE__, __LINE__)
#define assert_false(c) check_true((c) ? 0 : 1, "not " #c, __FILE__, __LINE__)
#define assert_int_equal(a, b)                                                                     \
    check_equal((uintmax_t)(a), (uintmax_t)(b), 1, #a " == " #b, __FILE__, __LINE__)
#define assert_int_not_equal(a, b)                                                                 \
    check_equal((uintmax_t)(a), (uintmax_t)(b), 0, #a " != " #b, __FILE__, __LINE__)
#define assert_ptr_equal(a, b) assert_int_equal((uintptr_t)(a), (uintptr_t)(b))
#define assert_ptr_not_equal(a, b) assert_int_not_equal((uintptr_t)(a), (uintptr_t)(b))
#define assert_null(p) assert_int_equal((uintptr_t)(p), 0)
#define assert_non_null(p) assert_int_not_equal((uintptr_t)(p), 0)
#define assert_string_equal(a, b) check_string(a, b, 1, #a " == " #b, __FILE__, __LINE__)
#define assert_string_not_equal(a, b) check_string(a, b, 0, #a " != " #b, __FILE__, __LINE__)
#define assert_memory_equal(a, b, n) check_memory(a, b, n, #a " == " #b, __FILE__, __LINE__)
#define assert_in_range(v, low, high)                                                              \
    check_range((uintmax_t)(v), (uintmax_t)(low), (uintmax_t)(high), #v, __FILE__, __LINE__)

#define fail_msg(...) (print_error(__VA_ARGS__), check_true(0, "see above", __FILE__, __LINE__))
#define skip() check_skip(__FILE__, __LINE__)

#ifdef __MINGW32__
#define PRINTS __attribute__((format(gnu_printf, 1, 2)))
#else
#define PRINTS __attribute__((format(printf, 1, 2)))
#endif
void print_message(const char *format, ...) PRINTS;
void print_error(const char *format, ...) PRINTS;
void cmocka_set_test_filter(const char *pattern);
int _cmocka_run_group_tests(const char *name, const struct CMUnitTest *tests, size_t n,
                            int (*setup)(void **state), int (*teardown)(void **state));

void _fail(const char *file, int line);
void check_true(int is, const char *what, const char *file, int line);
void check_equal(uintmax_t a, uintmax_t b, int equal, const char *what, const char *file, int line);
void check_string(const char *a, const char *b, int equal, const char *what, const char *file,
                  int line);
void check_memory(const void *a, const void *b, size_t n, const char *what, const char *file,
                  int line);
void check_range(uintmax_t v, uintmax_t low, uintmax_t high, const char *what, const char *file,
                 int line);
void check_skip(const char *file, int line) __attribute__((noreturn));

#endif
