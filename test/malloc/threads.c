/* SPDX-License-Identifier: MIT */
/* Threads that allocate, free what others allocated, end with blocks in use, and fork. */
#define _GNU_SOURCE 1
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "support/pattern.h"
#include <dlfcn.h>
#include <malloc.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

/* The structure of Vmheap is sound: vmdbcheck() of the preloaded library finds no fault. */
static int sound(void)
{
    int (*check)(void *) = (int (*)(void *))(uintptr_t)dlsym(RTLD_DEFAULT, "vmdbcheck");
    return check(*(void **)dlsym(RTLD_DEFAULT, "Vmheap")) == 0;
}

/* ---- blocks wander between threads ---- */

enum { SLOTS = 4096, WORKERS = 4, STEPS = 150000 };
static _Atomic(unsigned char *) slots[SLOTS];
static atomic_int broken;

/* Byte 0 tells the length's low byte, the last byte repeats it. */
static unsigned char *make(uint64_t *seed)
{
    uint64_t kind = rnd_next(seed);
    size_t n = rnd_below(seed, (kind & 255) == 0 ? 100000 : 400) + 8;
    unsigned char *p = kind & 256 ? malloc(n) : calloc(1, n);
    uint32_t length = (uint32_t)n;
    if (p == NULL)
        abort();
    memcpy(p, &length, sizeof length);
    p[n - 1] = (unsigned char)(n * 7);
    return p;
}

static void unmake(unsigned char *p)
{
    uint32_t n;
    if (p == NULL)
        return;
    memcpy(&n, p, sizeof n);
    if (p[n - 1] != (unsigned char)(n * 7))
        atomic_fetch_add(&broken, 1);
    free(p);
}

static void *wander(void *arg)
{
    uint64_t seed = (uint64_t)(uintptr_t)arg;
    int step;
    for (step = 0; step < STEPS; step++)
        unmake(atomic_exchange(&slots[rnd_below(&seed, SLOTS)], make(&seed)));
    return NULL;
}

static void test_blocks_wander(void **state)
{
    pthread_t t[WORKERS];
    int i;
    (void)state;
    for (i = 0; i < WORKERS; i++)
        pthread_create(&t[i], NULL, wander, (void *)(uintptr_t)(i + 1));
    for (i = 0; i < WORKERS; i++)
        pthread_join(t[i], NULL);
    for (i = 0; i < SLOTS; i++)
        unmake(atomic_exchange(&slots[i], NULL));
    assert_int_equal(atomic_load(&broken), 0);
    assert_true(sound());
}

/* ---- threads end, their blocks stay ---- */

static pthread_key_t key;

/* Called while the thread ends, and once more for what it sets itself. */
static void at_end(void *p)
{
    char *q = malloc(333);
    memset(q, 1, 333);
    free(p);
    if (malloc_usable_size(q) >= 333)
        free(q);
    q = calloc(10, 50);
    free(realloc(q, 40000));
}

static void *leave_blocks(void *arg)
{
    void **blocks = malloc(100 * sizeof *blocks);
    size_t i;
    (void)arg;
    pthread_setspecific(key, malloc(77));
    for (i = 0; i < 100; i++)
        blocks[i] = memset(malloc(i * 40 + 1), (int)i, i * 40 + 1);
    return blocks;
}

static void test_threads_end(void **state)
{
    int round, k;
    size_t i;
    (void)state;
    pthread_key_create(&key, at_end);
    for (round = 0; round < 200; round++) {
        pthread_t t[3];
        for (k = 0; k < 3; k++)
            pthread_create(&t[k], NULL, leave_blocks, NULL);
        for (k = 0; k < 3; k++) {
            void *result;
            unsigned char **blocks;
            pthread_join(t[k], &result);
            blocks = result;
            for (i = 0; i < 100; i++) {
                assert_int_equal(blocks[i][i * 40], i);
                free(blocks[i]);
            }
            free(blocks);
        }
    }
    pthread_key_delete(key);
    assert_true(sound());
}

/* Bytes of blocks, by mallinfo2(), which glibc declares from 2.33 on. */
static size_t in_use(void)
{
    struct numbers {
        size_t arena, ordblks, smblks, hblks, hblkhd, usmblks, fsmblks, uordblks, fordblks,
            keepcost;
    } (*ask)(void) = (struct numbers(*)(void))(uintptr_t)dlsym(RTLD_DEFAULT, "mallinfo2");
    return ask().uordblks;
}

/* What dead threads freed and left is used again. */
static void test_memory_of_ended_threads_is_used_again(void **state)
{
    size_t busy = in_use();
    int i;
    (void)state;
    pthread_key_create(&key, at_end);
    for (i = 0; i < 300; i++) {
        pthread_t t;
        void *result;
        size_t k;
        pthread_create(&t, NULL, leave_blocks, NULL);
        pthread_join(t, &result);
        for (k = 0; k < 100; k++)
            free(((void **)result)[k]);
        free(result);
    }
    pthread_key_delete(key);
    assert_true(in_use() < busy + 100000);
}

/* ---- fork while others allocate ---- */

static atomic_int stop;

static void *churn(void *arg)
{
    uint64_t seed = (uint64_t)(uintptr_t)arg;
    while (!atomic_load(&stop))
        unmake(atomic_exchange(&slots[rnd_below(&seed, SLOTS)], make(&seed)));
    return NULL;
}

/* 0 when all is well in the child, which has a thread of its own, too. */
static int in_the_child(uint64_t seed)
{
    pthread_t t;
    int i;
    for (i = 0; i < 3000; i++) {
        unsigned char *p = make(&seed), *q = realloc(make(&seed), 5000);
        unmake(p);
        free(q);
    }
    if (pthread_create(&t, NULL, leave_blocks, NULL) != 0 || pthread_join(t, NULL) != 0)
        return 1;
    return sound() ? 0 : 2;
}

static void test_fork_under_load(void **state)
{
    pthread_t t[WORKERS];
    int i, status;
    (void)state;
    pthread_key_create(&key, at_end);
    for (i = 0; i < WORKERS; i++)
        pthread_create(&t[i], NULL, churn, (void *)(uintptr_t)(i + 1));
    for (i = 0; i < 60; i++) {
        pid_t pid = fork();
        if (pid == 0) {
            alarm(30);
            _exit(in_the_child((uint64_t)i + 1));
        }
        assert_true(pid > 0);
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_int_equal(status, 0);
    }
    atomic_store(&stop, 1);
    for (i = 0; i < WORKERS; i++)
        pthread_join(t[i], NULL);
    for (i = 0; i < SLOTS; i++)
        unmake(atomic_exchange(&slots[i], NULL));
    assert_int_equal(atomic_load(&broken), 0);
    assert_true(sound());
}

/* ---- fork from a thread that is not the first ---- */

static void *fork_here(void *arg)
{
    void **blocks = leave_blocks(NULL);
    pid_t pid = fork();
    int status = 1;
    size_t i;
    (void)arg;
    if (pid == 0) {
        for (i = 0; i < 100; i++)
            free(blocks[i]);
        _exit(in_the_child(5));
    }
    waitpid(pid, &status, 0);
    for (i = 0; i < 100; i++)
        free(blocks[i]);
    free(blocks);
    return (void *)(uintptr_t)status;
}

static void test_fork_from_a_thread(void **state)
{
    int i;
    (void)state;
    for (i = 0; i < 20; i++) {
        pthread_t t;
        void *status;
        pthread_create(&t, NULL, fork_here, NULL);
        pthread_join(t, &status);
        assert_null(status);
    }
    pthread_key_delete(key);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_blocks_wander),
        cmocka_unit_test(test_threads_end),
        cmocka_unit_test(test_memory_of_ended_threads_is_used_again),
        cmocka_unit_test(test_fork_under_load),
        cmocka_unit_test(test_fork_from_a_thread),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
