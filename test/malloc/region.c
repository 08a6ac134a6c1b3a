/* SPDX-License-Identifier: MIT */
/* Vmregion sends malloc to another region.  The regions' calls are found in the preloaded
 * library. */
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
#include <pthread.h>
#include <stdlib.h>
#include <vmalloc.h>

static struct {
    Vmalloc_t **heap, **region;
    Vmethod_t **best, **last, **pool;
    Vmdisc_t **system;
    Vmalloc_t *(*open)(Vmdisc_t *, Vmethod_t *, int);
    int (*close)(Vmalloc_t *);
    int (*clear)(Vmalloc_t *);
    Vmalloc_t *(*of)(void *);
    int (*stat)(Vmalloc_t *, Vmstat_t *);
    int (*check)(Vmalloc_t *);
} vm;

static void *symbol(const char *name)
{
    void *p = dlsym(RTLD_DEFAULT, name);
    if (p == NULL)
        abort();
    return p;
}

static int find(void **state)
{
    (void)state;
    vm.heap = symbol("Vmheap");
    vm.region = symbol("Vmregion");
    vm.best = symbol("Vmbest");
    vm.last = symbol("Vmlast");
    vm.pool = symbol("Vmpool");
    vm.system = symbol("Vmdcsystem");
    vm.open = (Vmalloc_t * (*)(Vmdisc_t *, Vmethod_t *, int))(uintptr_t)symbol("vmopen");
    vm.close = (int (*)(Vmalloc_t *))(uintptr_t)symbol("vmclose");
    vm.clear = (int (*)(Vmalloc_t *))(uintptr_t)symbol("vmclear");
    vm.of = (Vmalloc_t * (*)(void *))(uintptr_t)symbol("vmregion");
    vm.stat = (int (*)(Vmalloc_t *, Vmstat_t *))(uintptr_t)symbol("vmstat");
    vm.check = (int (*)(Vmalloc_t *))(uintptr_t)symbol("vmdbcheck");
    return 0;
}

static size_t opaque(size_t n)
{
    volatile size_t v = n;
    return v;
}

/* From here on, until back(): nothing that asserts, for that allocates. */
static Vmalloc_t *redirect(Vmethod_t *method)
{
    Vmalloc_t *r = vm.open(*vm.system, method, 0);
    *vm.region = r;
    return r;
}

static void back(void)
{
    *vm.region = *vm.heap;
}

static void test_at_first_it_is_vmheap(void **state)
{
    void *p = malloc(100);
    (void)state;
    assert_ptr_equal(*vm.region, *vm.heap);
    assert_ptr_equal(vm.of(p), *vm.heap);
    free(p);
}

static void test_all_calls_go_there(void **state)
{
    enum { N = 11 };
    Vmalloc_t *r = redirect(*vm.best), *of[N];
    void *p[N];
    int i;
    (void)state;
    p[0] = malloc(opaque(40));
    p[1] = malloc(opaque(40000));
    p[2] = malloc(opaque(4000000));
    p[3] = calloc(opaque(100), 10);
    p[4] = realloc(NULL, opaque(77));
    p[5] = memalign(opaque(64), 100);
    p[6] = aligned_alloc(opaque(8192), 100);
    p[7] = valloc(opaque(100));
    p[8] = strdup("a string");
    p[9] = realloc(malloc(opaque(100)), opaque(50000));
    p[10] = calloc(opaque(100000), 10);
    for (i = 0; i < N; i++)
        of[i] = vm.of(p[i]);
    back();
    for (i = 0; i < N; i++)
        assert_ptr_equal(of[i], r);
    assert_int_equal(pat_notzero(p[3], 0, 1000), 1000);
    assert_int_equal(pat_notzero(p[10], 0, 1000000), 1000000);
    assert_int_equal((uintptr_t)p[6] % 8192, 0);
    for (i = 0; i < N; i++)
        free(p[i]);
    assert_int_equal(vm.check(r), 0);
    assert_int_equal(vm.close(r), 0);
}

static void test_blocks_stay_in_their_region(void **state)
{
    char *a = malloc(100), *b = malloc(100000), *c, *d;
    Vmalloc_t *r, *of[4];
    Vmstat_t st;
    (void)state;
    pat_fill(a, 0, 100, 1);
    pat_fill(b, 0, 100000, 2);
    r = redirect(*vm.best);
    c = malloc(opaque(100));
    d = malloc(opaque(100000));
    a = realloc(a, opaque(5000));
    b = realloc(b, opaque(1000000));
    of[0] = vm.of(a);
    of[1] = vm.of(b);
    back();
    pat_fill(c, 0, 100, 3);
    pat_fill(d, 0, 100000, 4);
    c = realloc(c, opaque(5000));
    d = realloc(d, opaque(1000000));
    of[2] = vm.of(c);
    of[3] = vm.of(d);
    assert_ptr_equal(of[0], *vm.heap);
    assert_ptr_equal(of[1], *vm.heap);
    assert_ptr_equal(of[2], r);
    assert_ptr_equal(of[3], r);
    assert_int_equal(pat_differs(a, 100, 1), 100);
    assert_int_equal(pat_differs(b, 100000, 2), 100000);
    assert_int_equal(pat_differs(c, 100, 3), 100);
    assert_int_equal(pat_differs(d, 100000, 4), 100000);
    assert_true(malloc_usable_size(c) >= 5000);
    free(a);
    free(b);
    free(c);
    free(d);
    assert_int_equal(vm.stat(r, &st), 0);
    assert_int_equal(st.n_busy, 0);
    assert_int_equal(vm.check(r), 0);
    assert_int_equal(vm.check(*vm.heap), 0);
    assert_int_equal(vm.close(r), 0);
}

/* Scratch memory for code that knows nothing of it. */
static void test_drop_all_that_a_library_left(void **state)
{
    int round, i;
    (void)state;
    for (round = 0; round < 50; round++) {
        Vmalloc_t *r = redirect(*vm.last);
        for (i = 0; i < 1000; i++) {
            char *p = malloc(opaque((size_t)i + 1));
            p[i] = 1;
            if (i % 3 == 0)
                free(p);
        }
        back();
        assert_int_equal(vm.close(r), 0);
    }
}

static void test_pool(void **state)
{
    Vmalloc_t *r = redirect(*vm.pool);
    void *a = malloc(opaque(48)), *b = malloc(opaque(48)), *c;
    int e;
    (void)state;
    errno = 0;
    c = malloc(opaque(64));
    e = errno;
    back();
    assert_non_null(a);
    assert_non_null(b);
    assert_null(c);
    assert_int_equal(e, ENOMEM);
    assert_int_equal(malloc_usable_size(a), 48);
    free(a);
    free(b);
    assert_int_equal(vm.close(r), 0);
}

static void *other_thread(void *arg)
{
    void **blocks = arg;
    int i;
    for (i = 0; i < 100; i++)
        free(blocks[i]);
    for (i = 0; i < 100; i++)
        blocks[i] = malloc(opaque((size_t)i * 50 + 1));
    return NULL;
}

static void test_threads_follow(void **state)
{
    void *blocks[100];
    pthread_t t;
    Vmalloc_t *r;
    int i, wrong = 0;
    (void)state;
    for (i = 0; i < 100; i++)
        blocks[i] = malloc(opaque((size_t)i * 100 + 1));
    r = redirect(*vm.best);
    pthread_create(&t, NULL, other_thread, blocks);
    pthread_join(t, NULL);
    for (i = 0; i < 100; i++)
        wrong += vm.of(blocks[i]) != r;
    back();
    assert_int_equal(wrong, 0);
    for (i = 0; i < 100; i++)
        free(blocks[i]);
    assert_int_equal(vm.check(r), 0);
}

static void test_null_is_vmheap(void **state)
{
    void *p, *q;
    (void)state;
    *vm.region = NULL;
    p = malloc(opaque(100));
    q = malloc(opaque(100000));
    back();
    assert_ptr_equal(vm.of(p), *vm.heap);
    assert_ptr_equal(vm.of(q), *vm.heap);
    free(p);
    free(q);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_at_first_it_is_vmheap),
        cmocka_unit_test(test_all_calls_go_there),
        cmocka_unit_test(test_blocks_stay_in_their_region),
        cmocka_unit_test(test_drop_all_that_a_library_left),
        cmocka_unit_test(test_pool),
        cmocka_unit_test(test_threads_follow),
        cmocka_unit_test(test_null_is_vmheap),
    };
    return cmocka_run_group_tests(tests, find, NULL);
}
