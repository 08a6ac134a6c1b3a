/* SPDX-License-Identifier: MIT */
/* With VM_PFUNUSED bytes at the ends of blocks that were never written are counted, to the byte. */
#include "_profile.h"

#include <pthread.h>
#include <vmalloc.h>

#define LARGE ((size_t)300 << 10)

static Vmalloc_t *opened(Vmethod_t *under)
{
    Vmalloc_t *vm = vmopen(Vmdcsystem, vmover(Vmprofile, under), 0);
    assert_non_null(vm);
    return vm;
}

/* A block of size bytes of which the first ones are written. */
static char *asked(Vmalloc_t *vm, size_t size, size_t written, int type)
{
    char *p = vmresize(vm, NULL, size, type);
    assert_non_null(p);
    memset(p, 'x', written);
    return p;
}

static uint64_t unused(Vmalloc_t *vm)
{
    return of_region(vm).unused;
}

static void check_sizes(Vmethod_t *under, int type)
{
    static const size_t sizes[] = {1, 7, 8, 16, 17, 100, 4096, 65536, 65537, LARGE};
    Vmalloc_t *vm = opened(under);
    uint64_t sum = 0;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        for (size_t part = 0; part <= 4; part++) {
            size_t written = sizes[i] * part / 4;
            assert_int_equal(vmfree(vm, asked(vm, sizes[i], written, type)), 0);
            sum += sizes[i] - written;
            assert_int_equal(unused(vm), sum);
        }
    vmclose(vm);
}

static void test_blocks_of_all_sizes(void **state)
{
    (void)state;
    check_sizes(Vmbest, 0);
    check_sizes(Vmbest, VM_RSZERO);
    check_sizes(Vmlast, 0);
    check_sizes(Vmlast, VM_RSZERO);
}

static void test_a_hole_is_not_at_the_end(void **state)
{
    Vmalloc_t *vm = opened(Vmbest);
    char *p = asked(vm, 1000, 10, 0), *q = asked(vm, 1000, 0, VM_RSZERO);
    (void)state;
    p[899] = 0; /* a byte that is written with zero is written */
    q[499] = 1;
    vmfree(vm, p);
    assert_int_equal(unused(vm), 100);
    vmfree(vm, q);
    assert_int_equal(unused(vm), 600);
    vmclose(vm);
}

static void test_a_resize_counts_what_was_and_begins_anew(void **state)
{
    static const size_t to[] = {50, 100, 3000, 65536, 65537, LARGE};
    Vmalloc_t *vm = opened(Vmbest);
    uint64_t sum = 0;
    (void)state;
    for (int zero = 0; zero < 2; zero++)
        for (int later = 0; later < 2; later++)
            for (size_t i = 0; i < sizeof to / sizeof *to; i++) {
                int type = later ? VM_RSZERO : 0;
                char *p = asked(vm, 100, 40, zero ? VM_RSZERO : 0);
                p = vmresize(vm, p, to[i], VM_RSCOPY | VM_RSMOVE | type);
                assert_non_null(p);
                for (size_t k = 0; k < to[i]; k++) {
                    if (k < 40)
                        assert_int_equal(p[k], 'x');
                    else if ((zero && k < 100) || (later && k >= 100))
                        assert_int_equal(p[k], 0);
                }
                vmfree(vm, p);
                sum += 60 + to[i] - 40;
                assert_int_equal(unused(vm), sum);
            }
    vmclose(vm);
}

/* A block that is full of what new ones are filled with keeps it, however it is resized. */
static void test_what_is_written_is_kept(void **state)
{
    static const size_t from[] = {100, 4096, 65536, LARGE}, to[] = {1, 99, 104, 5000, 65537, LARGE + 1};
    static const int types[] = {0, VM_RSZERO, VM_RSCOPY | VM_RSMOVE, VM_RSCOPY | VM_RSMOVE | VM_RSZERO};
    static const unsigned char fills[] = {0, 0xf9, 'x'};
    Vmalloc_t *vm = opened(Vmbest);
    int inplace = 0;
    (void)state;
    for (size_t i = 0; i < 4 * 6 * 4 * 3 * 2; i++) {
        size_t old = from[i % 4], new = to[i / 4 % 6];
        int type = types[i / 24 % 4], fill = fills[i / 96 % 3];
        char *p = asked(vm, old, 0, i / 288 ? VM_RSZERO : 0), *q;
        memset(p, fill, old);
        q = vmresize(vm, p, new, type);
        inplace += q != NULL && !(type & VM_RSMOVE);
        for (size_t k = 0; k < (q != NULL && new < old ? new : old); k++)
            if ((unsigned char)(q != NULL ? q : p)[k] != fill)
                fail_msg("%zu -> %zu bytes, type %d: byte %zu of %d is %d", old, new, type, k, fill,
                         (unsigned char)(q != NULL ? q : p)[k]);
        vmfree(vm, q != NULL ? q : p);
    }
    assert_true(inplace > 0);
    vmclose(vm);
}

static void test_growth_by_doubling_wastes_only_the_last_step(void **state)
{
    Vmalloc_t *vm = opened(Vmbest);
    char *p = NULL;
    size_t have = 0;
    (void)state;
    for (size_t i = 0; i < 200000; i++) {
        if (i == have) {
            have = have > 0 ? 2 * have : 16;
            p = vmresize(vm, p, have, VM_RSCOPY | VM_RSMOVE);
            assert_non_null(p);
        }
        p[i] = 'y';
    }
    vmfree(vm, p);
    assert_int_equal(unused(vm), 262144 - 200000);
    vmclose(vm);
}

static void test_aligned_blocks(void **state)
{
    Vmalloc_t *vm = opened(Vmbest);
    char *p = vmalign(vm, 1000, 256), *q = vmalign(vm, LARGE, 8192);
    (void)state;
    memset(p, 1, 300);
    vmfree(vm, p);
    assert_int_equal(unused(vm), 700);
    vmfree(vm, q); /* of large ones nothing is known */
    assert_int_equal(unused(vm), 700);
    vmclose(vm);
}

static void test_a_clearing_looks_at_what_is_left(void **state)
{
    Vmalloc_t *vm = opened(Vmbest);
    figures_t before, after;
    (void)state;
    for (int i = 0; i < 10; i++) {
        asked(vm, 500, 100, 0);
        asked(vm, LARGE, LARGE - 1000, 0);
    }
    assert_int_equal(unused(vm), 0);
    assert_int_equal(vmclear(vm), 0);
    assert_int_equal(unused(vm), 14000);
    asked(vm, 48, 0, 0);
    before = figures(0);
    vmclose(vm); /* its sites are now those of the closed ones */
    after = figures(0);
    assert_int_equal(after.unused - before.unused, 48);
}

static Vmalloc_t *theirs;

static void *work(void *arg)
{
    char **p = arg;
    for (int i = 0; i < 100; i++)
        vmfree(theirs, p[i]);
    return NULL;
}

static void test_another_thread_frees(void **state)
{
    char *p[100];
    pthread_t t;
    (void)state;
    theirs = opened(Vmbest);
    for (int i = 0; i < 100; i++)
        p[i] = asked(theirs, 128, (size_t)i, 0);
    assert_int_equal(pthread_create(&t, NULL, work, p), 0);
    pthread_join(t, NULL);
    assert_int_equal(unused(theirs), 100 * 128 - 99 * 100 / 2);
    assert_int_equal(of_region(theirs).live, 0);
    vmclose(theirs);
}

static int setup(void **state)
{
    (void)state;
    return vmprofileset(VM_PFUNUSED, 2) == -1 ? vmprofileset(VM_PFUNUSED, 1) : -1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_blocks_of_all_sizes),
        cmocka_unit_test(test_a_hole_is_not_at_the_end),
        cmocka_unit_test(test_a_resize_counts_what_was_and_begins_anew),
        cmocka_unit_test(test_what_is_written_is_kept),
        cmocka_unit_test(test_growth_by_doubling_wastes_only_the_last_step),
        cmocka_unit_test(test_aligned_blocks),
        cmocka_unit_test(test_a_clearing_looks_at_what_is_left),
        cmocka_unit_test(test_another_thread_frees),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
