/* SPDX-License-Identifier: MIT */
/* The page map: addresses here are numbers, nothing is at them. */
#define _DEFAULT_SOURCE 1
#include "_test.h"

#include <pthread.h>
#include <sys/mman.h>
#include <unistd.h>

#define LEAF ((uintptr_t)VMB_LEAFSIZE * VMB_PAGE) /* bytes that a leaf speaks for */
#define BASE (7 * LEAF)
#define PAGES 6000u /* of the window that the random test works in */

static void *at(uintptr_t addr)
{
    return (void *)addr;
}

static void nothing_is_there(void **state)
{
    (void)state;
    assert_null(vmb_map_get(NULL));
    assert_null(vmb_map_get(at(BASE)));
    assert_null(vmb_map_get(at(UINTPTR_MAX)));
    assert_null(vmb_map_get(at(UINTPTR_MAX / 2 + 1)));
    assert_null(vmb_map_before(at(UINTPTR_MAX), NULL));
    vmb_map_clear(at(BASE), 100 * LEAF);
    vmb_map_clear(at(UINTPTR_MAX - LEAF), LEAF);
    assert_null(vmb_map_root[7]);
}

static void limits(void **state)
{
    (void)state;
    errno = 0;
    assert_int_equal(vmb_map_reserve(at(UINTPTR_MAX - VMB_PAGE), 2 * VMB_PAGE), -1);
    assert_int_equal(errno, ENOMEM);
    assert_int_equal(vmb_map_reserve(at(BASE), 0), 0);
#if UINTPTR_MAX > 0xffffffffu
    {
        uintptr_t end = (uintptr_t)1 << VMB_MAPBITS;
        assert_int_equal(vmb_map_reserve(at(end), 1), -1);
        assert_int_equal(vmb_map_reserve(at(end - VMB_PAGE), VMB_PAGE + 1), -1);
        errno = 77;
        assert_int_equal(vmb_map_reserve(at(end - VMB_PAGE), VMB_PAGE), 0);
        assert_int_equal(errno, 77);
        vmb_map_set(at(end - VMB_PAGE), 1, &errno);
        assert_ptr_equal(vmb_map_get(at(end - 1)), &errno);
        assert_ptr_equal(vmb_map_before(at(UINTPTR_MAX), NULL), &errno);
        vmb_map_clear(at(end - VMB_PAGE), VMB_PAGE);
        assert_null(vmb_map_get(at(end - 1)));
    }
#endif
}

/* A leaf of the caller's is found as it was left, and goes without a trace. */
static void adopted(void **state)
{
    uintptr_t base = BASE + 100 * LEAF;
    static char memory[2 * VMB_LEAFBYTES + 64];
    char *leaf = (char *)VMB_UP(memory, 64);
    int value;
    (void)state;
    assert_int_equal(VMB_LEAFSPAN, LEAF);
    errno = 0;
    assert_int_equal(vmb_map_adopt(at(base + VMB_PAGE), leaf), -1);
    assert_int_equal(errno, EINVAL);
    assert_int_equal(vmb_map_adopt(at(base), leaf), 0);
    assert_int_equal(vmb_map_adopt(at(base), leaf + VMB_LEAFBYTES), -1);
    assert_int_equal(errno, EEXIST);
    assert_int_equal(vmb_map_reserve(at(base), LEAF), 0);
    vmb_map_set(at(base + 5 * VMB_PAGE), 3, &value);
    vmb_map_set(at(base + LEAF - VMB_PAGE), 1, &errno);
    vmb_map_drop(at(base), leaf + 1);
    assert_ptr_equal(vmb_map_get(at(base + 7 * VMB_PAGE + 1)), &value);
    vmb_map_drop(at(base), leaf);
    assert_null(vmb_map_get(at(base + 7 * VMB_PAGE + 1)));
    assert_null(vmb_map_before(at(base + LEAF), at(base)));
    assert_int_equal(vmb_map_adopt(at(base), leaf), 0);
    assert_ptr_equal(vmb_map_get(at(base + 7 * VMB_PAGE + 1)), &value);
    assert_ptr_equal(vmb_map_before(at(base + LEAF - 1), at(base)), &errno);
    assert_ptr_equal(vmb_map_before(at(base + LEAF - VMB_PAGE - 1), at(base)), &value);
    vmb_map_drop(at(base), leaf);
}

/* A window that spans the border of two leaves, beside a model of one pointer for a page. */
static void random_against_model(void **state)
{
    static void *model[PAGES];
    uintptr_t base = BASE + LEAF - PAGES / 2 * VMB_PAGE;
    uint64_t seed = 3;
    (void)state;
    assert_int_equal(vmb_map_reserve(at(base), PAGES * VMB_PAGE), 0);
    for (int turn = 0; turn < 4000; turn++) {
        size_t from = rnd_below(&seed, PAGES), most = rnd_below(&seed, 4) ? 10 : 2000;
        size_t n = rnd_below(&seed, VMB_MIN(most, PAGES - from) + 1), low, i;
        void *value = rnd_below(&seed, 2) ? NULL : (void *)&model[rnd_below(&seed, PAGES)];
        if (value == NULL && rnd_below(&seed, 2))
            vmb_map_clear(at(base + from * VMB_PAGE), n * VMB_PAGE);
        else
            vmb_map_set(at(base + from * VMB_PAGE), n, value);
        for (i = from; i < from + n; i++)
            model[i] = value;
        for (i = 0; i < 50; i++) {
            size_t page = rnd_below(&seed, PAGES);
            assert_ptr_equal(vmb_map_get(at(base + page * VMB_PAGE + rnd_below(&seed, VMB_PAGE))),
                             model[page]);
        }
        from = rnd_below(&seed, PAGES);
        low = rnd_below(&seed, from + 1);
        for (i = from; i > low && model[i] == NULL; i--)
            continue;
        assert_ptr_equal(vmb_map_before(at(base + from * VMB_PAGE + 5), at(base + low * VMB_PAGE)),
                         model[i]);
    }
    for (size_t i = 0; i < PAGES; i++)
        assert_ptr_equal(vmb_map_get(at(base + i * VMB_PAGE)), model[i]);
    vmb_map_clear(at(base), PAGES * VMB_PAGE);
    assert_null(vmb_map_before(at(base + LEAF), at(base)));
}

/* Bytes, not pages: a range clears every page that it touches. */
static void partial_pages(void **state)
{
    int x;
    (void)state;
    assert_int_equal(vmb_map_reserve(at(BASE + 100), 3 * VMB_PAGE), 0);
    vmb_map_set(at(BASE), 4, &x);
    vmb_map_clear(at(BASE + VMB_PAGE + 4095), 2);
    assert_ptr_equal(vmb_map_get(at(BASE)), &x);
    assert_null(vmb_map_get(at(BASE + VMB_PAGE)));
    assert_null(vmb_map_get(at(BASE + 2 * VMB_PAGE)));
    assert_ptr_equal(vmb_map_get(at(BASE + 3 * VMB_PAGE)), &x);
    vmb_map_clear(at(BASE), 0);
    assert_ptr_equal(vmb_map_get(at(BASE)), &x);
    vmb_map_clear(at(BASE), 4 * VMB_PAGE);
}

static void looks_back_far(void **state)
{
    int x;
    (void)state;
    assert_int_equal(vmb_map_reserve(at(BASE), VMB_PAGE), 0);
    vmb_map_set(at(BASE), 1, &x);
    assert_ptr_equal(vmb_map_before(at(BASE + 60 * LEAF), NULL), &x);
    assert_ptr_equal(vmb_map_before(at(BASE), at(BASE)), &x);
    assert_null(vmb_map_before(at(BASE + 60 * LEAF), at(BASE + VMB_PAGE)));
    assert_null(vmb_map_before(at(BASE - 1), NULL));
    assert_null(vmb_map_before(at(BASE), at(BASE + VMB_PAGE)));
    vmb_map_clear(at(BASE), VMB_PAGE);
    assert_null(vmb_map_before(at(BASE + 60 * LEAF), NULL));
}

static size_t resident(void **leaf)
{
    static unsigned char vec[4096];
    size_t size = VMB_LEAFSIZE * sizeof(void *), n = 0;
    if (mincore(leaf, size, (void *)vec) != 0)
        skip();
    for (size_t i = 0; i < size / (size_t)sysconf(_SC_PAGESIZE); i++) /* what mincore() counts by */
        n += vec[i] & 1;
    return n;
}

/* What was never set is not even read. */
static void clearing_touches_nothing(void **state)
{
    uintptr_t base = BASE + 200 * LEAF;
    int x;
    (void)state;
    assert_int_equal(vmb_map_reserve(at(base), 4 * LEAF), 0);
    vmb_map_clear(at(base), 4 * LEAF);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(resident(vmb_map_root[base / LEAF + i]), 0);
    vmb_map_set(at(base + LEAF + LEAF / 2), 1, &x);
    vmb_map_set(at(base + 2 * LEAF), VMB_LEAFSIZE, NULL);
    assert_ptr_equal(vmb_map_before(at(base + 4 * LEAF), at(base)), &x);
    vmb_map_clear(at(base), 4 * LEAF);
    assert_null(vmb_map_get(at(base + LEAF + LEAF / 2)));
    assert_int_equal(resident(vmb_map_root[base / LEAF + 1]), 1);
    assert_int_equal(resident(vmb_map_root[base / LEAF + 2]), 0);
}

/* Threads that make the same leaves, and set words side by side, while others read. */
#define THREADS 4
#define RACES 40

static pthread_barrier_t barrier;

static void *race(void *arg)
{
    uintptr_t base = BASE + 300 * LEAF, mine = (uintptr_t)arg;
    for (uintptr_t i = 0; i < RACES; i++) {
        uintptr_t a = base + i * LEAF + mine * VMB_PAGE;
        pthread_barrier_wait(&barrier);
        if (vmb_map_reserve(at(a), VMB_PAGE) != 0)
            return arg;
        vmb_map_set(at(a), 1, &barrier);
        if (vmb_map_get(at(a)) != (void *)&barrier)
            return arg;
        for (uintptr_t j = 0; j < THREADS; j++) {
            void *v = vmb_map_get(at(base + i * LEAF + j * VMB_PAGE));
            if (v != NULL && v != (void *)&barrier)
                return arg;
        }
        if (mine & 1)
            vmb_map_clear(at(a), VMB_PAGE);
    }
    return NULL;
}

static void threads_share_leaves(void **state)
{
    pthread_t t[THREADS];
    void *bad;
    (void)state;
    pthread_barrier_init(&barrier, NULL, THREADS);
    for (uintptr_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&t[i], NULL, race, (void *)i), 0);
    for (size_t i = 0; i < THREADS; i++) {
        pthread_join(t[i], &bad);
        assert_null(bad);
    }
    for (uintptr_t i = 0; i < RACES; i++)
        for (uintptr_t j = 0; j < THREADS; j++)
            assert_ptr_equal(vmb_map_get(at(BASE + (300 + i) * LEAF + j * VMB_PAGE)),
                             j & 1 ? NULL : (void *)&barrier);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_there),
        cmocka_unit_test(limits),
        cmocka_unit_test(adopted),
        cmocka_unit_test(random_against_model),
        cmocka_unit_test(partial_pages),
        cmocka_unit_test(looks_back_far),
        cmocka_unit_test(clearing_touches_nothing),
        cmocka_unit_test(threads_share_leaves),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
