/* SPDX-License-Identifier: MIT */
/* Tests of locks that hold on every platform; the file that includes this one chooses it. */
#include "_test.h"

#define THREADS 4
#define TURNS 20000

static vmos_lock_t lock;
static size_t counter; /* under the lock, and not atomic */

static void states(void **state)
{
    vmos_lock_t lk = {0, 0};
    (void)state;
    assert_false(vmos_locked(&lk));
    assert_false(vmos_lockedbyme(&lk));
    vmos_lock(&lk);
    assert_true(vmos_locked(&lk));
    assert_true(vmos_lockedbyme(&lk));
    assert_int_equal(vmos_trylock(&lk), -1);
    vmos_unlock(&lk);
    assert_int_equal(vmos_trylock(&lk), 0);
    assert_true(vmos_lockedbyme(&lk));
    vmos_unlock(&lk);
    assert_false(vmos_locked(&lk));
    assert_int_equal(lk.wait, 0);
    assert_int_equal(lk.word, 0);
}

static void *contend(void *arg)
{
    (void)arg;
    errno = 77;
    for (int i = 0; i < TURNS; i++) {
        vmos_lock(&lock);
        counter++;
        if (i % 1000 == 0)
            vmos_yield(); /* while others wait */
        vmos_unlock(&lock);
    }
    return errno == 77 ? NULL : &lock;
}

static void threads_contend(void **state)
{
    pthread_t t[THREADS];
    void *bad;
    (void)state;
    counter = 0;
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&t[i], NULL, contend, NULL), 0);
    for (int i = 0; i < THREADS; i++) {
        pthread_join(t[i], &bad);
        assert_null(bad);
    }
    assert_int_equal(counter, THREADS * TURNS);
    assert_false(vmos_locked(&lock));
}

static void *waiter(void *arg)
{
    assert_true(vmos_locked(&lock) && !vmos_lockedbyme(&lock));
    assert_int_equal(vmos_trylock(&lock), -1);
    vmos_lock(&lock);
    counter = 1;
    vmos_unlock(&lock);
    return arg;
}

static void waiting_is_counted(void **state)
{
    pthread_t t;
    uint32_t before = lock.wait;
    (void)state;
    counter = 0;
    vmos_lock(&lock);
    assert_int_equal(pthread_create(&t, NULL, waiter, NULL), 0);
    while (__atomic_load_n(&lock.wait, __ATOMIC_RELAXED) == before)
        vmos_yield();
    usleep(20000); /* long enough to sleep in the system */
    assert_int_equal(counter, 0);
    vmos_unlock(&lock);
    pthread_join(t, NULL);
    assert_int_equal(counter, 1);
    assert_int_equal(lock.wait, before + 1);
}

/* Handing over in turns: each wait ends, also when the other sleeps. */
static size_t turn;

static void *pingpong(void *arg)
{
    size_t mine = (size_t)(uintptr_t)arg;
    for (size_t i = 0; i < 2000;) {
        vmos_lock(&lock);
        if (turn % 2 == mine) {
            turn++;
            i++;
        }
        vmos_unlock(&lock);
        vmos_yield();
    }
    return NULL;
}

static void threads_take_turns(void **state)
{
    pthread_t a, b;
    (void)state;
    turn = 0;
    pthread_create(&a, NULL, pingpong, (void *)0);
    pthread_create(&b, NULL, pingpong, (void *)1);
    pthread_join(a, NULL);
    pthread_join(b, NULL);
    assert_int_equal(turn, 4000);
}

static int run_lock(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(states),
        cmocka_unit_test(threads_contend),
        cmocka_unit_test(waiting_is_counted),
        cmocka_unit_test(threads_take_turns),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
