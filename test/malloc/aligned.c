/* SPDX-License-Identifier: MIT */
/* Blocks at aligned addresses. */
#define _GNU_SOURCE 1
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "support/pattern.h"
#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <unistd.h>

static size_t opaque(size_t n)
{
    volatile size_t v = n;
    return v;
}

static const size_t sizes[] = {0,    1,    7,    64,    100,   1000,   1024,
                               3000, 4096, 5000, 32768, 40000, 1000000};
enum { SIZES = sizeof sizes / sizeof *sizes };

static void check(void *p, size_t align, size_t size)
{
    assert_non_null(p);
    assert_int_equal((uintptr_t)p % align, 0);
    assert_int_equal((uintptr_t)p % 16, 0);
    assert_true(malloc_usable_size(p) >= size);
    pat_fill(p, 0, size, align);
}

static void test_memalign_powers(void **state)
{
    size_t align, i;
    (void)state;
    for (align = 1; align <= (size_t)1 << 24; align *= 2)
        for (i = 0; i < SIZES; i++) {
            void *p = memalign(align, sizes[i]), *q = memalign(align, sizes[i]);
            check(p, align, sizes[i]);
            check(q, align, sizes[i]);
            assert_ptr_not_equal(p, q);
            assert_int_equal(pat_differs(p, sizes[i], align), sizes[i]);
            free(p);
            free(q);
        }
}

/* Any number will do. */
static void test_memalign_others(void **state)
{
    static const size_t aligns[] = {3, 13, 24, 48, 100, 1000, 4097, 12288, 99991};
    size_t a, i;
    (void)state;
    for (a = 0; a < sizeof aligns / sizeof *aligns; a++)
        for (i = 0; i < SIZES; i++) {
            void *p = memalign(aligns[a], sizes[i]);
            check(p, aligns[a], sizes[i]);
            free(p);
        }
}

static void test_memalign_by_nothing(void **state)
{
    void *p = memalign(opaque(0), 100);
    (void)state;
    check(p, 16, 100);
    free(p);
}

static void test_memalign_that_cannot_be(void **state)
{
    (void)state;
    errno = 0;
    assert_null(aligned_alloc(opaque(0), 10));
    assert_int_equal(errno, EINVAL);
    assert_null(memalign(64, opaque(SIZE_MAX - 63)));
    assert_int_equal(errno, ENOMEM);
    errno = 0;
    assert_null(memalign(opaque(SIZE_MAX / 2 + 1), 10));
    assert_int_equal(errno, ENOMEM);
    errno = 0;
    assert_null(memalign(opaque(SIZE_MAX - 4), 10));
    assert_int_equal(errno, ENOMEM);
}

static void test_posix_memalign(void **state)
{
    void *p = &p;
    size_t align, i;
    (void)state;
    errno = EXDEV;
    assert_int_equal(posix_memalign(&p, opaque(0), 10), EINVAL);
    assert_int_equal(posix_memalign(&p, opaque(sizeof(void *) / 2), 10), EINVAL);
    assert_int_equal(posix_memalign(&p, opaque(24), 10), EINVAL);
    assert_int_equal(posix_memalign(&p, opaque(12), 10), EINVAL);
    assert_int_equal(posix_memalign(&p, 64, opaque(SIZE_MAX - 100)), ENOMEM);
    assert_ptr_equal(p, &p);
    for (align = sizeof(void *); align <= 65536; align *= 2)
        for (i = 0; i < SIZES; i++) {
            assert_int_equal(posix_memalign(&p, align, sizes[i]), 0);
            check(p, align, sizes[i]);
            free(p);
        }
    assert_int_equal(errno, EXDEV);
}

static void test_aligned_alloc(void **state)
{
    size_t align, i;
    (void)state;
    for (align = 1; align <= 65536; align *= 2)
        for (i = 0; i < SIZES; i++) {
            void *p = aligned_alloc(align, sizes[i]);
            check(p, align, sizes[i]);
            free(p);
        }
}

static void test_pages(void **state)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE), i;
    (void)state;
    for (i = 0; i < SIZES; i++) {
        void *p = valloc(sizes[i]), *q = pvalloc(sizes[i]);
        check(p, page, sizes[i]);
        check(q, page, (sizes[i] + page - 1) / page * page);
        free(p);
        free(q);
    }
    errno = 0;
    assert_null(pvalloc(opaque(SIZE_MAX)));
    assert_int_equal(errno, ENOMEM);
}

static void test_resizing_aligned_blocks(void **state)
{
    size_t align, i, k;
    (void)state;
    for (align = 16; align <= 65536; align *= 4)
        for (i = 0; i < SIZES; i++)
            for (k = 1; k < SIZES; k++) {
                size_t least = sizes[i] < sizes[k] ? sizes[i] : sizes[k];
                void *p = memalign(align, sizes[i]);
                check(p, align, sizes[i]);
                p = realloc(p, sizes[k]);
                assert_non_null(p);
                assert_int_equal(pat_differs(p, least, align), least);
                free(p);
            }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_memalign_powers),         cmocka_unit_test(test_memalign_others),
        cmocka_unit_test(test_memalign_that_cannot_be), cmocka_unit_test(test_posix_memalign),
        cmocka_unit_test(test_memalign_by_nothing),     cmocka_unit_test(test_aligned_alloc),
        cmocka_unit_test(test_pages),
        cmocka_unit_test(test_resizing_aligned_blocks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
