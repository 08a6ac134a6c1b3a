/* SPDX-License-Identifier: MIT */
/* What programs ask malloc about itself. */
#define _GNU_SOURCE 1
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "spawn.h"
#include <dlfcn.h>
#include <malloc.h>

static void test_usable_size(void **state)
{
    static char data[64];
    char *p = malloc(100);
    (void)state;
    assert_true(malloc_usable_size(p) >= 100 && malloc_usable_size(p) < 128);
    assert_int_equal(malloc_usable_size(NULL), 0);
    assert_int_equal(malloc_usable_size(p + 16), 0);
    assert_int_equal(malloc_usable_size(p + 1), 0);
    assert_int_equal(malloc_usable_size(data), 0);
    assert_int_equal(malloc_usable_size(&data), 0);
    free(p);
    assert_int_equal(malloc_usable_size(p), 0);
}

/* As glibc declares it from 2.33 on. */
struct numbers {
    size_t arena, ordblks, smblks, hblks, hblkhd, usmblks, fsmblks, uordblks, fordblks, keepcost;
};

static void test_mallinfo2(void **state)
{
    struct numbers (*ask)(void) =
        (struct numbers(*)(void))(uintptr_t)dlsym(RTLD_DEFAULT, "mallinfo2");
    struct numbers before = ask(), during, after;
    void *p = malloc(1000000), *q = malloc(40);
    (void)state;
    during = ask();
    free(p);
    free(q);
    after = ask();
    assert_true(during.uordblks >= before.uordblks + 1000040);
    assert_true(during.uordblks < before.uordblks + 1100000);
    assert_int_equal(after.uordblks, before.uordblks);
    assert_true(during.arena >= during.uordblks);
    assert_true(during.ordblks > 0);
}

static void test_mallinfo(void **state)
{
    struct mallinfo (*ask)(void) =
        (struct mallinfo(*)(void))(uintptr_t)dlsym(RTLD_DEFAULT, "mallinfo");
    struct mallinfo m;
    void *p = sizeof(size_t) > 4 ? malloc((size_t)5000000000u) : NULL;
    (void)state;
    if (sizeof(size_t) <= 4)
        skip(); /* so much cannot be had */
    m = ask();
    assert_non_null(p);
    assert_int_equal(m.uordblks, 0x7fffffff);
    free(p);
    assert_true(ask().uordblks < 0x7fffffff);
}

static void test_trim_gives_back(void **state)
{
    size_t n = (size_t)64 << 20;
    char *p = malloc(n);
    long before, after, pages;
    FILE *f;
    (void)state;
    memset(p, 1, n);
    free(p);
    f = fopen("/proc/self/statm", "r");
    assert_int_equal(fscanf(f, "%*d %ld", &before), 1);
    fclose(f);
    assert_int_equal(malloc_trim(0), 1);
    f = fopen("/proc/self/statm", "r");
    assert_int_equal(fscanf(f, "%*d %ld", &after), 1);
    fclose(f);
    pages = (long)(n / (size_t)sysconf(_SC_PAGESIZE));
    assert_true(after < before || before < pages);
    assert_true(after < pages);
}

static void test_mallopt(void **state)
{
    (void)state;
    assert_int_equal(mallopt(M_MMAP_THRESHOLD, 65536), 0);
}

static void test_malloc_info(void **state)
{
    char text[2000];
    FILE *f = tmpfile();
    size_t n;
    (void)state;
    assert_int_equal(malloc_info(0, f), 0);
    assert_int_not_equal(malloc_info(1, f), 0);
    rewind(f);
    n = fread(text, 1, sizeof text - 1, f);
    text[n] = '\0';
    fclose(f);
    assert_int_equal(strncmp(text, "<malloc version=", 16), 0);
    assert_string_equal(text + n - 10, "</malloc>\n");
}

static void test_malloc_stats(void **state)
{
    child_t c = spawn("stats", NULL);
    (void)state;
    assert_true(spawn_succeeded(&c));
    assert_true(spawn_said(&c,
                           "region Vmheap at 0x*: extent #, segments #, busy #% (# in #), free #, "
                           "cached # in #, most #"));
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_usable_size),  cmocka_unit_test(test_mallinfo2),
        cmocka_unit_test(test_mallinfo),     cmocka_unit_test(test_trim_gives_back),
        cmocka_unit_test(test_mallopt),      cmocka_unit_test(test_malloc_info),
        cmocka_unit_test(test_malloc_stats),
    };
    if (argc > 1 && strcmp(argv[1], "stats") == 0) {
        malloc_stats();
        return 0;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
