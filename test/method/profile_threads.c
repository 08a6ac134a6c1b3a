/* SPDX-License-Identifier: MIT */
/* Vmprofile with threads, signal handlers and forks: nothing is lost, nothing counts twice. */
#include "_profile.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <vmalloc.h>

#define THREADS 4
#define BLOCKS 4000

static Vmalloc_t *vm;
static void *handed[THREADS][BLOCKS];

static void *churn(void *arg)
{
    void **mine = handed[*(int *)arg];
    for (int i = 0; i < BLOCKS; i++) {
        mine[i] = vmalloc(vm, 50);
        if (i % 4 == 0)
            vmfree(vm, vmalloc(vm, 20));
    }
    return NULL;
}

/* Frees what the thread beside it made. */
static void *release(void *arg)
{
    void **others = handed[(*(int *)arg + 1) % THREADS];
    for (int i = 0; i < BLOCKS; i += 2)
        vmfree(vm, others[i]);
    return NULL;
}

static void all(void *(*f)(void *))
{
    pthread_t t[THREADS];
    int number[THREADS];
    for (int i = 0; i < THREADS; i++) {
        number[i] = i;
        assert_int_equal(pthread_create(&t[i], NULL, f, &number[i]), 0);
    }
    for (int i = 0; i < THREADS; i++)
        pthread_join(t[i], NULL);
}

static void test_all_that_threads_do_is_counted(void **state)
{
    figures_t f;
    (void)state;
    vm = vmopen(Vmdcheap, Vmprofile, 0);
    all(churn);
    f = of_region(vm);
    assert_int_equal(f.calls, THREADS * (BLOCKS + BLOCKS / 4));
    assert_int_equal(f.live, THREADS * BLOCKS);
    assert_int_equal(f.livebytes, THREADS * BLOCKS * 50);
    all(release);
    f = of_region(vm);
    assert_int_equal(f.live, THREADS * BLOCKS / 2);
    assert_int_equal(f.lives, THREADS * (BLOCKS / 2 + BLOCKS / 4));
    assert_true(vmpf.head->peak >= THREADS * BLOCKS * 50u * 99 / 100);
    assert_true(vmpf.head->peak <= THREADS * (BLOCKS * 50u + 20) + 16384);
    assert_int_equal(vmpf.head->missed, 0);
    vmclose(vm);
}

static void test_threads_that_end_leave_their_books(void **state)
{
    uint32_t books;
    (void)state;
    vm = vmopen(Vmdcheap, Vmprofile, 0);
    all(churn);
    books = vmpf.nbooks;
    for (int i = 0; i < 5; i++)
        all(churn);
    assert_int_equal(of_region(vm).calls, 6 * THREADS * (BLOCKS + BLOCKS / 4));
    assert_true(vmpf.nbooks <= books + THREADS);
    vmclose(vm);
}

static volatile sig_atomic_t blocks_of_handler;

static void handler(int signal)
{
    void *p = vmalloc(vm, 30);
    (void)signal;
    if (p != NULL)
        blocks_of_handler++;
    vmfree(vm, p);
}

/* What a handler does while the books are open is missed, and told so; all else is counted. */
static void test_signal_handlers_do_no_harm(void **state)
{
    struct sigaction a = {.sa_handler = handler}, old;
    uint64_t missed = vmpf.head->missed;
    pthread_t self = pthread_self();
    figures_t f;
    (void)state;
    vm = vmopen(Vmdcheap, Vmprofile, VM_SINGLE);
    sigaction(SIGUSR1, &a, &old);
    for (int i = 0; i < 2000; i++) {
        assert_non_null(vmalloc(vm, 10));
        pthread_kill(self, SIGUSR1);
    }
    sigaction(SIGUSR1, &old, NULL);
    f = of_region(vm);
    assert_int_equal(f.calls + (vmpf.head->missed - missed), 2000u + (unsigned)blocks_of_handler);
    assert_int_equal(f.livebytes, 20000);
    vmclose(vm);
}

static int child_counts_anew(Vmalloc_t *r, void *old)
{
    uint64_t calls = figures(0).calls;
    void *p = vmalloc(r, 500);
    int ok = calls == 0 && vmpf.head->pid == (uint64_t)getpid() && of_region(r).livebytes == 500;
    ok = ok && vmfree(r, old) == 0 && of_region(r).livebytes == 500 && vmpf.head->damaged == 0;
    ok = ok && vmfree(r, p) == 0 && of_region(r).live == 0;
    return ok;
}

static void test_a_child_begins_from_nothing(void **state)
{
    Vmalloc_t *r = vmopen(Vmdcheap, Vmprofile, 0), *single;
    void *p = vmalloc(r, 100), *q;
    uint64_t calls;
    int status;
    pid_t pid;
    (void)state;
    single = vmopen(Vmdcheap, vmover(Vmprofile, Vmlast), VM_SINGLE);
    q = vmalloc(single, 60);
    calls = figures(0).calls;
    pid = fork();
    if (pid == 0)
        _exit(child_counts_anew(r, p) && child_counts_anew(single, q) == 0 ? 0 : 1);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    assert_int_equal(figures(0).calls, calls);
    vmfree(r, p);
    assert_int_equal(of_region(r).live, 0);
    vmclose(single);
    vmclose(r);
}

/* Each in a process of its own: settings hold before the first region. */
static double estimate(unsigned long seed, size_t size, int n, int *outside)
{
    int tube[2];
    double got[3];
    assert_int_equal(pipe(tube), 0);
    if (fork() == 0) {
        Vmalloc_t *r;
        figures_t f;
        vmpf.head = NULL; /* as if nothing had been recorded */
        vmprofileset(VM_PFPERIOD, 10000);
        vmprofileset(VM_PFSEED, seed);
        r = vmopen(Vmdcheap, Vmprofile, 0);
        for (int i = 0; i < n; i++)
            vmalloc(r, size);
        f = of_region(r);
        got[0] = (double)f.bytes;
        got[1] = (double)f.calls;
        got[2] = (double)f.samples;
        _exit(write(tube[1], got, sizeof got) != sizeof got);
    }
    close(tube[1]);
    assert_int_equal(read(tube[0], got, sizeof got), sizeof got);
    close(tube[0]);
    wait(NULL);
    double exact = (double)size * n, off = got[0] - exact;
    *outside += off * off > 4.0 * 10000 * 10000 * got[2];
    return got[0] / exact;
}

static void sampled_well(size_t size, int n)
{
    double sum = 0;
    int outside = 0;
    for (unsigned long seed = 1; seed <= 60; seed++)
        sum += estimate(seed, size, n, &outside);
    assert_true(outside <= 8); /* two standard errors: 1 in 20; more than 8 of 60: 1 in 200 */
    assert_true(sum / 60 > 0.95 && sum / 60 < 1.05);
}

static void test_samples_are_right_on_average_and_within_their_bounds(void **state)
{
    (void)state;
    sampled_well(16, 50000);
    sampled_well(9000, 300);
    sampled_well(50000, 40);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_that_threads_do_is_counted),
        cmocka_unit_test(test_threads_that_end_leave_their_books),
        cmocka_unit_test(test_signal_handlers_do_no_harm),
        cmocka_unit_test(test_a_child_begins_from_nothing),
        cmocka_unit_test(test_samples_are_right_on_average_and_within_their_bounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
