/* SPDX-License-Identifier: MIT */
/* Printing: every format against snprintf(), and every length of buffer. */
#include "_test.h"

#include <inttypes.h>

static char got[256], want[256];

static const char *print(size_t size, const char *format, ...)
{
    vmb_out_t o;
    va_list ap;
    memset(got, '#', sizeof(got));
    vmb_out_init(&o, got, size);
    va_start(ap, format);
    vmb_vprintf(&o, format, ap);
    va_end(ap);
    if (size > 0)
        assert_int_equal(o.len, strlen(got));
    for (size_t i = size; i < sizeof(got); i++)
        assert_int_equal(got[i], '#');
    return got;
}

/* Same call, same text. */
#define SAME(...)                                                                                \
    do {                                                                                         \
        snprintf(want, sizeof(want), __VA_ARGS__);                                               \
        assert_string_equal(print(sizeof(got), __VA_ARGS__), want);                              \
    } while (0)

static void numbers(void **state)
{
    static const long v[] = {0, 1, -1, 9, 10, 99, INT_MAX, INT_MIN, 123456789};
    (void)state;
    for (size_t i = 0; i < sizeof(v) / sizeof(*v); i++) {
        SAME("%d %i %u %x", (int)v[i], (int)v[i], (unsigned)v[i], (unsigned)v[i]);
        SAME("%ld|%lu|%lx", v[i], (unsigned long)v[i], (unsigned long)v[i]);
        SAME("%zu %zx %zd", (size_t)v[i], (size_t)v[i], (ssize_t)v[i]);
        SAME("%lld%llu%llx", (long long)v[i], (unsigned long long)v[i], (unsigned long long)v[i]);
        SAME("[%8d] [%-8d] [%08d] [%3ld] [%012lx]", (int)v[i], (int)v[i], (int)v[i], v[i],
             (unsigned long)v[i]);
    }
    SAME("%ld %ld %lu %zu", LONG_MAX, LONG_MIN, ULONG_MAX, SIZE_MAX);
    SAME("%lld %lld %llu", LLONG_MAX, LLONG_MIN, ULLONG_MAX);
}

static void texts(void **state)
{
    (void)state;
    SAME("%s", "plain");
    SAME("%s%s|%s", "a", "", "bcd");
    SAME("[%10s] [%-10s] [%2s]", "right", "left", "wide");
    SAME("%.3s %.0s %.*s %.*s", "abcdef", "abc", 2, "xyz", 9, "xyz");
    SAME("%c%c %3c %-3c|", 'a', 'z', 'r', 'l');
    SAME("100%% of %d%%", 5);
    SAME("no conversions");
    assert_string_equal(print(sizeof(got), "%s-%6s", (char *)NULL, "x"), "(null)-     x");
    assert_string_equal(print(sizeof(got), "%.2s", "ab\xff"), "ab");
}

static void pointers(void **state)
{
    (void)state;
    assert_string_equal(print(sizeof(got), "%p", (void *)0x1234abcd), "0x1234abcd");
    assert_string_equal(print(sizeof(got), "%p", NULL), "0x0");
    assert_string_equal(print(sizeof(got), "[%10p]", (void *)0xff), "[      0xff]");
    assert_string_equal(print(sizeof(got), "[%-10p]", (void *)0xff), "[0xff      ]");
    snprintf(want, sizeof(want), "0x%" PRIxPTR, (uintptr_t)got); /* libc has its own %p */
    assert_string_equal(print(sizeof(got), "%p", (void *)got), want);
}

/* A format that is wrong is told as it stands, and read no further than its end. */
static void odd_formats(void **state)
{
    const char *end = "10 %", *odd = "%y %5", *width = "%099999999999999999d", *flag = "%-";
    (void)state;
    assert_string_equal(print(sizeof(got), end, 1), "10 %");
    assert_string_equal(print(sizeof(got), odd, 1), "%y %");
    assert_string_equal(print(sizeof(got), flag, 1), "%");
    print(20, width, 1);
    assert_string_equal(got, "0000000000000000000");
}

static void cuts_off(void **state)
{
    static const char text[] = "0x2a -17 right---- 000042 string";
    (void)state;
    for (size_t size = 0; size <= sizeof(text) + 1; size++) {
        print(size, "%p %d %s%.4s %06u %s", (void *)42, -17, "right", "-----", 42u, "string");
        if (size > 0) {
            assert_int_equal(strlen(got), VMB_MIN(size - 1, sizeof(text) - 1));
            assert_memory_equal(got, text, strlen(got));
        }
    }
}

static void appends(void **state)
{
    vmb_out_t o;
    (void)state;
    vmb_out_init(&o, got, 10);
    assert_string_equal(got, "");
    vmb_printf(&o, "%s", "abc");
    vmb_printf(&o, "%d", 12345);
    assert_string_equal(got, "abc12345");
    assert_int_equal(o.len, 8);
    vmb_printf(&o, "%d", 678);
    assert_string_equal(got, "abc123456");
    vmb_printf(&o, "more");
    assert_string_equal(got, "abc123456");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers),     cmocka_unit_test(texts),    cmocka_unit_test(pointers),
        cmocka_unit_test(odd_formats), cmocka_unit_test(cuts_off), cmocka_unit_test(appends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
