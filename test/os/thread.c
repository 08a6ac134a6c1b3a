/* SPDX-License-Identifier: MIT */
/* Threads: who they are, that their end is noticed, and fork(). */
#include "_test.h"

static int ends;            /* calls of gone() */
static uintptr_t lastended; /* vmos_self() in the last one */
static void (*inend)(void);

static void gone(void)
{
    __atomic_add_fetch(&ends, 1, __ATOMIC_RELAXED);
    __atomic_store_n(&lastended, vmos_self(), __ATOMIC_RELAXED);
    if (inend != NULL)
        inend();
}

static void othergone(void)
{
}

/* Run body in a thread of its own, to its end. */
static void *inthread(void *(*body)(void *), void *arg)
{
    pthread_t t;
    void *r;
    assert_int_equal(pthread_create(&t, NULL, body, arg), 0);
    pthread_join(t, &r);
    return r;
}

static void *watched(void *arg)
{
    errno = 77;
    vmos_watchthread();
    vmos_watchthread();
    *(uintptr_t *)arg = vmos_self();
    return errno == 77 ? NULL : arg;
}

static void *notwatched(void *arg)
{
    *(uintptr_t *)arg = vmos_self();
    return NULL;
}

static void registers_once(void **state)
{
    uintptr_t self;
    (void)state;
    assert_null(inthread(watched, &self)); /* too early: nothing happens */
    assert_int_equal(ends, 0);
    assert_int_equal(vmos_onthreadexit(gone), 0);
    assert_int_equal(vmos_onthreadexit(gone), 0);
    errno = 0;
    assert_int_equal(vmos_onthreadexit(othergone), -1);
    assert_int_equal(errno, EBUSY);
}

static void ends_are_noticed(void **state)
{
    uintptr_t self;
    (void)state;
    ends = 0;
    assert_null(inthread(notwatched, &self));
    assert_int_equal(ends, 0);
    assert_int_not_equal(self, 0);
    assert_int_not_equal(self, vmos_self());
    for (int i = 1; i <= 50; i++) {
        assert_null(inthread(watched, &self));
        assert_int_equal(ends, i);
        assert_int_equal(lastended, self);
    }
}

/* A destructor of the program that has work in several rounds, and memory to free in each. */
static pthread_key_t laterkey;
static int rounds, endsseen[8];

static void later(void *value)
{
    int round = (int)(uintptr_t)value;
    endsseen[round] = ends;
    vmos_watchthread();
    if (round < rounds)
        pthread_setspecific(laterkey, (void *)(uintptr_t)(round + 1));
}

static void *withlater(void *arg)
{
    vmos_watchthread();
    pthread_setspecific(laterkey, (void *)1);
    return arg;
}

static void late_destructors_are_served(void **state)
{
    (void)state;
    assert_int_equal(pthread_key_create(&laterkey, later), 0);
    for (rounds = 1; rounds <= 2; rounds++) {
        ends = 0;
        inthread(withlater, NULL);
        assert_int_equal(endsseen[1], 0); /* those that free once come before our end */
        assert_int_equal(ends, rounds); /* and those that free in the second once more */
    }
    pthread_key_delete(laterkey);
}

/* f() itself may have the thread watched: it is called again. */
static void comeback(void)
{
    inend = NULL;
    vmos_watchthread();
}

static void an_end_that_comes_back(void **state)
{
    uintptr_t self;
    (void)state;
    ends = 0;
    inend = comeback;
    inthread(watched, &self);
    assert_int_equal(ends, 2);
}

/* ---- fork ---- */

static vmos_lock_t forklock;
static int stopping, steps[3];

static void prepare(void)
{
    vmos_lock(&forklock);
    steps[0]++;
}

static void parent(void)
{
    steps[1]++;
    vmos_unlock(&forklock);
}

static void child(void)
{
    steps[2]++;
    vmos_unlock(&forklock);
}

static void *busy(void *arg)
{
    while (!__atomic_load_n(&stopping, __ATOMIC_RELAXED)) {
        vmos_lock(&forklock);
        vmos_unlock(&forklock);
    }
    return arg;
}

static void forks_with_a_contended_lock(void **state)
{
    pthread_t t[2];
    (void)state;
    assert_int_equal(vmos_onfork(prepare, parent, child), 0);
    for (int i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&t[i], NULL, busy, NULL), 0);
    for (int i = 1; i <= 20; i++) {
        int status;
        pid_t pid = fork();
        if (pid == 0) {
            uintptr_t self = vmos_self();
            vmos_lock(&forklock);
            _exit(vmos_lockedbyme(&forklock) && self != 0 && steps[2] == 1 && steps[1] == i - 1 ? 0
                                                                                               : 1);
        }
        assert_true(pid > 0);
        waitpid(pid, &status, 0);
        assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
        assert_int_equal(steps[0], i);
        assert_int_equal(steps[1], i);
        assert_int_equal(steps[2], 0);
    }
    __atomic_store_n(&stopping, 1, __ATOMIC_RELAXED);
    for (int i = 0; i < 2; i++)
        pthread_join(t[i], NULL);
}

static void *slowself(void *arg)
{
    *(uintptr_t *)arg = vmos_self_slow();
    return NULL;
}

static void selves_differ(void **state)
{
    uintptr_t other;
    (void)state;
    assert_int_not_equal(vmos_self(), 0);
    assert_int_equal(vmos_self(), vmos_self());
    inthread(slowself, &other);
    assert_int_not_equal(other, 0);
    assert_int_not_equal(other, vmos_self_slow());
}

static void processors(void **state)
{
    (void)state;
    errno = 77;
    vmos_yield();
    assert_true(vmos_cpus() >= 1);
    assert_true(vmos_cpus() <= (int)sysconf(_SC_NPROCESSORS_CONF));
    assert_int_equal(errno, 77);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(registers_once),
        cmocka_unit_test(ends_are_noticed),
        cmocka_unit_test(late_destructors_are_served),
        cmocka_unit_test(an_end_that_comes_back),
        cmocka_unit_test(forks_with_a_contended_lock),
        cmocka_unit_test(selves_differ),
        cmocka_unit_test(processors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
