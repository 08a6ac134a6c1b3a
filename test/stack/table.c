/* SPDX-License-Identifier: MIT */
/* The table of stacks: one number for one stack, from many threads, after fork, up to its bound. */
#include "_test.h"

#define THREADS 4
#define STACKS 40000

static size_t make(void **pcs, size_t i)
{
    size_t n = 1 + i % 13;
    for (size_t k = 0; k < n; k++)
        pcs[k] = (void *)(0x10000 + i * 16 + k % 3);
    return n;
}

static void same_and_different(void **state)
{
    void *pcs[300] = {(void *)1, (void *)2, (void *)3};
    void *const *back;
    uint32_t a, b;
    size_t n;
    (void)state;
    a = vmsk_intern(pcs, 3);
    assert_int_not_equal(a, 0);
    assert_int_equal(vmsk_intern(pcs, 3), a);
    b = vmsk_intern(pcs, 2);
    assert_int_not_equal(b, a);
    back = vmsk_lookup(a, &n);
    assert_int_equal(n, 3);
    assert_memory_equal(back, pcs, 3 * sizeof(*pcs));
    assert_int_equal(vmsk_intern(pcs, 0), 0);
    assert_null(vmsk_lookup(0, &n));
    assert_int_equal(n, 0);
    assert_null(vmsk_lookup(0x7fffffff, &n));
    for (size_t i = 0; i < 300; i++)
        pcs[i] = pcs;
    back = vmsk_lookup(vmsk_intern(pcs, 300), &n);
    assert_non_null(back);
    assert_int_equal(n, VMSK_DEPTH);
}

static uint32_t ids[THREADS][STACKS];

static void *intern_all(void *arg)
{
    uint32_t *mine = arg;
    void *pcs[16];
    for (size_t i = 0; i < STACKS; i++)
        mine[i] = vmsk_intern(pcs, make(pcs, i));
    return NULL;
}

/* Enough of them for all stages but the last, and for two chunks. */
static void many_at_once(void **state)
{
    pthread_t t[THREADS];
    void *pcs[16];
    vmsk_usage_t before, after;
    size_t n;
    (void)state;
    vmsk_usage(&before);
    for (size_t i = 0; i < THREADS; i++)
        pthread_create(&t[i], NULL, intern_all, ids[i]);
    for (size_t i = 0; i < THREADS; i++)
        pthread_join(t[i], NULL);
    vmsk_usage(&after);
    assert_int_equal(after.stacks - before.stacks, STACKS);
    for (size_t i = 0; i < STACKS; i++) {
        size_t want = make(pcs, i);
        void *const *got = vmsk_lookup(ids[0][i], &n);
        for (size_t k = 1; k < THREADS; k++)
            assert_int_equal(ids[k][i], ids[0][i]);
        assert_int_equal(n, want);
        assert_memory_equal(got, pcs, n * sizeof(*pcs));
    }
}

static int stop;
static void *busy(void *arg)
{
    void *pcs[16];
    for (size_t i = STACKS; !__atomic_load_n(&stop, __ATOMIC_RELAXED); i++)
        vmsk_intern(pcs, make(pcs, i % (2 * STACKS)));
    return arg;
}

static void in_children(void **state)
{
    pthread_t t;
    (void)state;
    pthread_create(&t, NULL, busy, NULL);
    for (int i = 0; i < 20; i++) {
        int status;
        pid_t child = fork();
        if (child == 0) {
            void *pcs[16];
            size_t n, want = make(pcs, 17);
            uint32_t id = vmsk_intern(pcs, want);
            for (size_t k = 0; k < 100; k++)
                vmsk_intern(pcs, make(pcs, 3 * STACKS + k));
            _exit(id == ids[0][17] && vmsk_lookup(id, &n) != NULL && n == want ? 0 : 1);
        }
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_int_equal(status, 0);
    }
    __atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
    pthread_join(t, NULL);
}

static void full(void **state)
{
    vmsk_usage_t before, after;
    void *pcs[200] = {0};
    size_t n;
    uint32_t known = vmsk_intern(pcs, 7), id = 1;
    (void)state;
    vmsk_usage(&before);
    vmsk_limit(before.memory);
    for (size_t i = 0; id != 0 && i < 100000; i++) {
        pcs[5] = (void *)(i + 1);
        id = vmsk_intern(pcs, 200);
    }
    assert_int_equal(id, 0);
    vmsk_usage(&after);
    assert_true(after.unknown == before.unknown + 1);
    assert_true(after.memory <= 2 * before.memory + (4 << 20));
    pcs[5] = NULL;
    assert_int_equal(vmsk_intern(pcs, 7), known);
    assert_non_null(vmsk_lookup(known, &n));
    vmsk_limit(VMSK_MOST);
    pcs[5] = (void *)-1;
    assert_int_not_equal(vmsk_intern(pcs, 200), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(same_and_different), cmocka_unit_test(many_at_once),
        cmocka_unit_test(in_children),        cmocka_unit_test(full),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
