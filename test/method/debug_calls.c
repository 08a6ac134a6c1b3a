/* SPDX-License-Identifier: MIT */
/* The calls of <vmalloc/debug.h>: what they answer, what they write, and that they keep errno. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>
#include <vmalloc.h>
#include <vmalloc/debug.h>

/* The scan reads all memory that there is, and a sanitizer's shadow is a lot of it: minutes.
 * examples/09-find-the-error.c does it once. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { SHADOWED = 1 };
#elif defined(__has_feature)
enum { SHADOWED = __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) };
#else
enum { SHADOWED = 0 };
#endif

static int channel[2], before;
static char text[65536];

static int setup(void **state)
{
    (void)state;
    if (pipe(channel) != 0 || fcntl(channel[0], F_SETFL, O_NONBLOCK) != 0)
        return -1;
    before = vmdebug(channel[1]);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    vmdebug(before);
    return close(channel[0]) | close(channel[1]);
}

static const char *written(void)
{
    ssize_t n = read(channel[0], text, sizeof text - 1);
    text[n > 0 ? n : 0] = '\0';
    return text;
}

static void test_sums(void **state)
{
    Vmalloc_t *vm = vmopen(Vmdcheap, Vmdebug, 0);
    char *p = vmalloc(vm, 100), *q = vmalloc(vm, 50);
    (void)state;
    assert_non_null(p);
    vmfree(vm, q);
    errno = 99;
    assert_int_equal(vmdbstat(vm), 0);
    assert_int_equal(errno, 99);
    assert_non_null(strstr(written(), "n_busy=1, s_busy="));
    assert_non_null(strstr(text, "\nn_segment="));
    vmclose(vm);
    assert_int_equal(vmdbstat(NULL), -1);
    assert_int_equal(errno, EINVAL);
    assert_string_equal(written(), "");
}

static void __attribute__((noinline)) lose(Vmalloc_t *vm)
{
    char *volatile p = NULL;
    for (int i = 0; i < 100; i++)
        p = vmalloc(vm, 64 + (size_t)i);
    assert_non_null(p);
    p = NULL;
}

/* What an old stack frame still says may hide some of them, not all. */
static void test_leaks(void **state)
{
    Vmalloc_t *vm = vmopen(Vmdcheap, Vmdebug, 0), *other = vmopen(Vmdcheap, Vmbest, 0);
    static char *volatile kept; /* a pointer that the scan must find */
    long lost;
    (void)state;
    if (SHADOWED) {
        vmclose(vm), vmclose(other);
        skip();
    }
    kept = vmalloc(vm, 10);
    assert_non_null(kept);
    lost = vmdbleaks(vm);
    if (lost < 0 && errno == ENOTSUP) { /* not every system tells what memory there is */
        vmclose(vm), vmclose(other);
        skip();
    }
    assert_int_equal(lost, 0);
    lose(vm);
    errno = 99;
    lost = vmdbleaks(vm);
    if (lost >= 0)
        assert_int_equal(errno, 99);
    assert_in_range(lost, 50, 100);
    assert_non_null(strstr(written(), "debug_calls"));
    assert_int_equal(vmdbleaks(other), -1);
    assert_int_equal(errno, EINVAL);
    vmclose(vm);
    vmclose(other);
}

static void test_the_function_to_stop_at_does_nothing(void **state)
{
    (void)state;
    errno = 99;
    vmdbwarn();
    assert_int_equal(errno, 99);
    assert_string_equal(written(), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_sums, setup, teardown),
        cmocka_unit_test_setup_teardown(test_leaks, setup, teardown),
        cmocka_unit_test_setup_teardown(test_the_function_to_stop_at_does_nothing, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
