/* SPDX-License-Identifier: MIT */
/* malloc, calloc, realloc, free and their next of kin, as any program sees them. */
#define _GNU_SOURCE 1
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "support/pattern.h"
#include <dlfcn.h>
#include <errno.h>
#include <malloc.h>
#include <stdlib.h>

/* Kept from the compiler, which knows too much about malloc. */
static size_t opaque(size_t n)
{
    volatile size_t v = n;
    return v;
}

static void test_it_is_ours(void **state)
{
    Dl_info info;
    (void)state;
    assert_int_not_equal(dladdr((void *)(uintptr_t)&malloc, &info), 0);
    assert_non_null(strstr(info.dli_fname, "libvmalloc-malloc"));
}

static void test_all_sizes(void **state)
{
    static void *blocks[5000];
    size_t n;
    (void)state;
    for (n = 0; n < 5000; n++) {
        blocks[n] = malloc(opaque(n));
        assert_non_null(blocks[n]);
        assert_int_equal((uintptr_t)blocks[n] % 16, 0);
        assert_true(malloc_usable_size(blocks[n]) >= n);
        pat_fill(blocks[n], 0, n, n);
    }
    for (n = 0; n < 5000; n++) {
        assert_int_equal(pat_differs(blocks[n], n, n), n);
        free(blocks[n]);
    }
}

static void test_size_zero_is_distinct(void **state)
{
    void *a = malloc(opaque(0)), *b = malloc(opaque(0)), *c = calloc(opaque(0), 8);
    (void)state;
    assert_non_null(a);
    assert_non_null(b);
    assert_non_null(c);
    assert_ptr_not_equal(a, b);
    assert_ptr_not_equal(b, c);
    free(a);
    free(b);
    free(c);
}

static void test_large(void **state)
{
    size_t n;
    (void)state;
    for (n = (size_t)1 << 15; n <= (size_t)1 << 28; n *= 2) {
        char *p = malloc(n + 1);
        assert_non_null(p);
        p[0] = 1;
        p[n] = 2;
        assert_true(malloc_usable_size(p) > n);
        free(p);
    }
}

static void test_calloc_clears_dirty_memory(void **state)
{
    static const size_t sizes[] = {1,    16,    24,    100,   1000,   1024,   1025,
                                   5000, 32768, 32769, 70000, 300000, 5000000};
    size_t i;
    int round;
    (void)state;
    for (i = 0; i < sizeof sizes / sizeof *sizes; i++)
        for (round = 0; round < 3; round++) {
            char *p = malloc(sizes[i]), *q;
            memset(p, 0xa5, sizes[i]);
            free(p);
            q = calloc(sizes[i], 1);
            assert_non_null(q);
            assert_int_equal(pat_notzero(q, 0, sizes[i]), sizes[i]);
            memset(q, 0x5a, sizes[i]);
            free(q);
        }
}

static void fails_with_nomem(void *p)
{
    assert_null(p);
    assert_int_equal(errno, ENOMEM);
    errno = 0;
}

static void test_sizes_that_cannot_be(void **state)
{
    char *volatile p = malloc(100);
    (void)state;
    pat_fill(p, 0, 100, 7);
    errno = 0;
    fails_with_nomem(malloc(opaque(SIZE_MAX)));
    fails_with_nomem(malloc(opaque(SIZE_MAX - 15)));
    fails_with_nomem(malloc(opaque((size_t)PTRDIFF_MAX + 1)));
    fails_with_nomem(malloc(opaque(PTRDIFF_MAX)));
    fails_with_nomem(calloc(opaque(SIZE_MAX / 2), 3));
    fails_with_nomem(calloc(3, opaque(SIZE_MAX / 2)));
    fails_with_nomem(calloc(opaque(SIZE_MAX / 0xffff), opaque(0x10000)));
    fails_with_nomem(realloc(p, opaque(SIZE_MAX)));
    fails_with_nomem(realloc(p, opaque(SIZE_MAX - 4096)));
    fails_with_nomem(realloc(p, opaque(PTRDIFF_MAX)));
    fails_with_nomem(reallocarray(p, opaque(SIZE_MAX / 2), 3));
    fails_with_nomem(reallocarray(NULL, opaque(SIZE_MAX), 2));
    assert_int_equal(pat_differs(p, 100, 7), 100);
    free(p);
}

static void test_errno_is_left_alone(void **state)
{
    size_t n;
    (void)state;
    errno = EXDEV;
    free(NULL);
    for (n = 1; n < 3000000; n = n * 3 + 1) {
        void *p = malloc(n);
        p = realloc(p, n * 2);
        p = realloc(p, n / 2 + 1);
        free(p);
        p = calloc(n, 1);
        free(p);
        assert_int_equal(errno, EXDEV);
    }
}

static void test_realloc_as_malloc_and_free(void **state)
{
    void *p = realloc(NULL, opaque(100));
    (void)state;
    assert_non_null(p);
    assert_null(realloc(p, opaque(0)));
    p = reallocarray(NULL, 10, 10);
    assert_non_null(p);
    free(p);
}

static void test_realloc_stays_where_it_can(void **state)
{
    char *p = malloc(60), *q;
    (void)state;
    assert_ptr_equal(realloc(p, malloc_usable_size(p)), p);
    assert_ptr_equal(realloc(p, 1), p);
    free(p);
    p = malloc(1000);
    assert_ptr_equal(realloc(p, 600), p);
    q = realloc(p, 100);
    assert_ptr_not_equal(q, p);
    assert_true(malloc_usable_size(q) < 200);
    free(q);
}

static void test_realloc_keeps_contents(void **state)
{
    static const size_t sizes[] = {1,      15,     16,     17,      100,     600,
                                   1024,   4000,   32768,  32769,   40000,   65536,
                                   100000, 262144, 262145, 1000000, 4194304, 9000000};
    enum { N = sizeof sizes / sizeof *sizes };
    size_t i, k;
    (void)state;
    for (i = 0; i < N; i++)
        for (k = 0; k < N; k++) {
            size_t least = sizes[i] < sizes[k] ? sizes[i] : sizes[k];
            char *p = malloc(sizes[i]);
            pat_fill(p, 0, sizes[i], i + 1);
            p = realloc(p, sizes[k]);
            assert_non_null(p);
            assert_int_equal(pat_differs(p, least, i + 1), least);
            assert_true(malloc_usable_size(p) >= sizes[k]);
            pat_fill(p, 0, sizes[k], k);
            free(p);
        }
}

static void test_growth_by_steps(void **state)
{
    size_t n;
    char *p = NULL;
    (void)state;
    for (n = 1; n < 3000000; n += n < 20000 ? 37 : 4001) {
        p = realloc(p, n);
        assert_non_null(p);
        p[n - 1] = (char)(n % 251);
    }
    assert_int_equal(p[0], 1);
    assert_int_equal(p[37], 38);
    free(p);
}

static void test_other_names_of_free(void **state)
{
    void (*sized)(void *, size_t) =
        (void (*)(void *, size_t))(uintptr_t)dlsym(RTLD_DEFAULT, "free_sized");
    void (*aligned)(void *, size_t, size_t) =
        (void (*)(void *, size_t, size_t))(uintptr_t)dlsym(RTLD_DEFAULT, "free_aligned_sized");
    void (*old)(void *) = (void (*)(void *))(uintptr_t)dlsym(RTLD_DEFAULT, "cfree");
    void *p = malloc(40);
    (void)state;
    sized(p, 40);
    assert_int_equal(malloc_usable_size(p), 0);
    p = malloc(40);
    old(p);
    assert_int_equal(malloc_usable_size(p), 0);
    p = aligned_alloc(64, 128);
    aligned(p, 64, 128);
    assert_int_equal(malloc_usable_size(p), 0);
    sized(NULL, 1);
    aligned(NULL, 64, 1);
    old(NULL);
}

/* Blocks of random sizes come, go and change, and none ever touches another. */
static void test_against_a_model(void **state)
{
    enum { N = 3000, STEPS = 400000 };
    static struct {
        unsigned char *p;
        size_t n;
    } model[N];
    uint64_t seed = 20261122;
    size_t step;
    (void)state;
    for (step = 0; step < STEPS; step++) {
        size_t i = rnd_below(&seed, N), n;
        uint64_t kind = rnd_next(&seed);
        n = rnd_below(&seed, (kind & 1023) == 0 ? 400000 : (kind & 31) == 0 ? 9000 : 300) + 1;
        if (model[i].p != NULL) {
            assert_int_equal(model[i].p[0], (unsigned char)i);
            assert_int_equal(model[i].p[model[i].n - 1], (unsigned char)i);
        }
        if (model[i].p != NULL && (kind >> 20 & 3) != 0) {
            free(model[i].p);
            model[i].p = NULL;
            continue;
        }
        model[i].p = model[i].p == NULL && (kind >> 22 & 1) ? calloc(1, n) : realloc(model[i].p, n);
        assert_non_null(model[i].p);
        model[i].n = n;
        model[i].p[0] = model[i].p[n - 1] = (unsigned char)i;
    }
    for (step = 0; step < N; step++)
        free(model[step].p);
    assert_int_equal(((int (*)(void *))(uintptr_t)dlsym(RTLD_DEFAULT, "vmdbcheck"))(
                         *(void **)dlsym(RTLD_DEFAULT, "Vmheap")),
                     0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_it_is_ours),
        cmocka_unit_test(test_all_sizes),
        cmocka_unit_test(test_size_zero_is_distinct),
        cmocka_unit_test(test_large),
        cmocka_unit_test(test_calloc_clears_dirty_memory),
        cmocka_unit_test(test_sizes_that_cannot_be),
        cmocka_unit_test(test_errno_is_left_alone),
        cmocka_unit_test(test_realloc_as_malloc_and_free),
        cmocka_unit_test(test_realloc_stays_where_it_can),
        cmocka_unit_test(test_realloc_keeps_contents),
        cmocka_unit_test(test_growth_by_steps),
        cmocka_unit_test(test_other_names_of_free),
        cmocka_unit_test(test_against_a_model),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
