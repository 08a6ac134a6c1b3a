/* SPDX-License-Identifier: MIT */
/*
 * Signals that leave an allocation by longjmp, after vmclrlock(0): the region goes on working, and
 * nothing hangs.  What the broken call was about may be lost; other blocks are not touched.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <signal.h>
#include <stdio.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <vmalloc.h>
#include <vmalloc/method.h>

#include "support/pattern.h"
#include "support/team.h"

#define SECONDS 1.0
#define LIMIT 5 /* a child that takes longer hangs */
#define KEPT 100

static Vmalloc_t *vm;
static sigjmp_buf jump;
static volatile sig_atomic_t jumps, asked, inside;

static void leave(int sig)
{
    (void)sig;
    if (!inside)
        return;
    inside = 0;
    asked += vmstat(vm, NULL) >= 0; /* does not wait */
    vmclrlock(0);
    jumps++;
    siglongjmp(jump, 1);
}

static void every(long microseconds)
{
    struct itimerval it;
    it.it_interval.tv_sec = it.it_value.tv_sec = 0;
    it.it_interval.tv_usec = it.it_value.tv_usec = microseconds;
    setitimer(ITIMER_REAL, &it, NULL);
}

static double now(void)
{
    struct timeval tv;
    gettimeofday(&tv, NULL);
    return (double)tv.tv_sec + (double)tv.tv_usec / 1e6;
}

/* Vmlast keeps large blocks in another way. */
static size_t somesize(uint64_t *r, int last)
{
    return 1 + rnd_below(r, last && *r % 16 == 0 ? 100000 : 3000);
}

/* Allocation, resizing and freeing that a signal may break anywhere. */
static void work(int pool, int last)
{
    static char *slot[64];
    static size_t at; /* no automatic variable is changed between setjmp and longjmp */
    static uint64_t r = 3;
    for (;;) {
        size_t i = at = (at + 1) % 64;
        char *p = slot[i];
        slot[i] = NULL; /* whatever happens, this one is not used again */
        inside = 1;
        if (p == NULL)
            p = (char *)vmalloc(vm, pool ? 80 : somesize(&r, last));
        else if (!pool && r % 3 == 0)
            p = (char *)vmresize(vm, p, somesize(&r, last), VM_RSCOPY);
        else {
            vmfree(vm, p);
            p = NULL;
        }
        inside = 0;
        slot[i] = p;
        if (last && r % 500 == 0) {
            rnd_next(&r);
            return;
        }
        rnd_next(&r);
        if (jumps % 2 == 0 && r % 4096 == 0)
            return;
    }
}

/* In a child: 0, or what went wrong. */
static int flags;
static int bombard(Vmethod_t *meth)
{
    char *kept[KEPT];
    int pool = meth == Vmpool, last = meth == Vmlast;
    size_t i;
    double end;
    vm = vmopen(Vmdcsystem, meth, flags);
    if (vm == NULL)
        return 1;
    for (i = 0; i < KEPT; i++) {
        kept[i] = (char *)vmalloc(vm, 80);
        pat_fill(kept[i], 0, 80, i);
    }
    signal(SIGALRM, leave);
    end = now() + SECONDS;
    every(200);
    while (now() < end)
        if (sigsetjmp(jump, 1) == 0)
            work(pool, last);
    every(0);
    signal(SIGALRM, SIG_DFL);
    if (jumps < 20)
        return 2;
    for (i = 0; i < KEPT; i++)
        if (pat_differs(kept[i], 80, i) != 80)
            return 3;
    if (vmstat(vm, NULL) != 0)
        return 4;
    if (vmdbcheck(vm) != 0)
        return 5;
    for (i = 0; i < 1000; i++)
        if (vmalloc(vm, pool ? 80 : 100) == NULL)
            return 6;
    if (vmdbcheck(vm) != 0 || vmdbcheck(Vmheap) != 0)
        return 7;
    return vmclose(vm) == 0 ? 0 : 8;
}

/* Run f(meth) in a child: how that ended. */
static int inchild(int (*f)(Vmethod_t *), Vmethod_t *meth)
{
    int status, waited;
    pid_t pid = fork();
    if (pid == 0) {
        team_child();
        _exit(f(meth));
    }
    for (waited = 0; waitpid(pid, &status, WNOHANG) == 0; waited++) {
        if (waited == LIMIT * 100 * TEAM_SLOW) {
            kill(pid, SIGKILL);
            waitpid(pid, &status, 0);
            fail_msg("hangs");
        }
        usleep(10000);
    }
    return status;
}

static void survives(Vmethod_t *meth)
{
    int status = inchild(bombard, meth);
    if (WIFSIGNALED(status))
        fail_msg("died of signal %d", WTERMSIG(status));
    if (WEXITSTATUS(status) != 0)
        fail_msg("failed at %d", WEXITSTATUS(status));
}

static void best(void **state)
{
    (void)state;
    survives(Vmbest);
}

static void last(void **state)
{
    (void)state;
    survives(Vmlast);
}

static void pool(void **state)
{
    (void)state;
    survives(Vmpool);
}

static void single(void **state)
{
    (void)state;
    flags = VM_SINGLE;
    survives(Vmbest);
    survives(Vmlast);
    survives(Vmpool);
    flags = 0;
}

/* Another thread waits for the lock that the signal broke: it gets it. */
static int stop;
static size_t turns;

static void neighbour(size_t me, void *arg)
{
    (void)me, (void)arg;
    while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
        char *p = (char *)vmalloc(vm, 80);
        if (p != NULL)
            memset(p, 1, 80);
        vmfree(vm, p);
        __atomic_fetch_add(&turns, 1, __ATOMIC_RELAXED);
    }
}

static int with_neighbours(Vmethod_t *meth)
{
    double end;
    size_t before;
    team_t t;
    sigset_t alarms;
    vm = vmopen(Vmdcsystem, meth, 0);
    sigemptyset(&alarms);
    sigaddset(&alarms, SIGALRM);
    pthread_sigmask(SIG_BLOCK, &alarms, NULL); /* which they inherit */
    if (vm == NULL || vmalloc(vm, 80) == NULL || team_start(&t, 2, neighbour, NULL) != 0)
        return 1;
    pthread_sigmask(SIG_UNBLOCK, &alarms, NULL);
    signal(SIGALRM, leave);
    end = now() + SECONDS;
    every(500);
    while (now() < end)
        if (sigsetjmp(jump, 1) == 0)
            work(meth == Vmpool, meth == Vmlast);
    every(0);
    signal(SIGALRM, SIG_DFL);
    before = __atomic_load_n(&turns, __ATOMIC_RELAXED);
    usleep(200000);
    if (__atomic_load_n(&turns, __ATOMIC_RELAXED) == before)
        return 2; /* they wait for ever */
    __atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
    team_join(&t);
    return vmdbcheck(vm) == 0 ? 0 : 3;
}

static void neighbours_of(Vmethod_t *meth)
{
    int status = inchild(with_neighbours, meth);
    if (status != 0)
        print_error("with %s\n", meth->more->name);
    assert_int_equal(status, 0);
}

static void neighbours(void **state)
{
    (void)state;
    neighbours_of(Vmbest);
    neighbours_of(Vmlast);
    neighbours_of(Vmpool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(best),
        cmocka_unit_test(last),
        cmocka_unit_test(single),
        cmocka_unit_test(pool),
        cmocka_unit_test(neighbours),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
