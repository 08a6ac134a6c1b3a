/* SPDX-License-Identifier: MIT */
/*
 * fork() while other threads allocate: the child, in which they are gone, can use every region.
 *
 * One region's discipline sleeps in memoryf, so that its lock is nearly always held by a thread
 * that the child does not have.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <signal.h>
#include <sys/wait.h>
#include <vmalloc.h>

#include "support/pattern.h"
#include "support/team.h"

#define REGIONS 5
#define FORKS (25 / TEAM_SLOW + 3)
#define LIMIT 10 /* seconds that a child may take */

static Vmalloc_t *vm[REGIONS]; /* best, last, pool, slow best, Vmheap */
static int stop;
static char *held[REGIONS];

static void *slow(Vmalloc_t *region, void *addr, size_t csize, size_t nsize, Vmdisc_t *disc)
{
    usleep(3000);
    return Vmdcsystem->memoryf(region, addr, csize, nsize, disc);
}

static Vmdisc_t slowdisc = {slow, NULL, 4096, 0};

/* One block in eight lives on for a while, in ring[]. */
#define RING 64

static void turn(Vmalloc_t *region, char **ring, size_t k)
{
    int method = vmset(region, 0, 0) & VM_METHODS;
    char *p = (char *)vmalloc(region, method == VM_MTPOOL ? 64 : 1 + k % 900), *q;
    if (p != NULL)
        *p = 1;
    if (method == VM_MTBEST && k % 2)
        p = (char *)vmresize(region, p, 1 + k % 5000, VM_RSCOPY);
    if (k % 8 == 0 && method != VM_MTLAST) {
        q = ring[k / 8 % RING];
        ring[k / 8 % RING] = p;
    } else
        q = p;
    vmfree(region, q);
}

static void load(size_t me, void *arg)
{
    size_t k;
    char *ring[RING] = {NULL};
    (void)arg;
    for (k = 0; !__atomic_load_n(&stop, __ATOMIC_RELAXED); k++) {
        if (me == REGIONS) { /* opens and closes: the locks of the lists */
            Vmalloc_t *own = vmopen(Vmdcheap, Vmbest, 0);
            vmalloc(own, 50);
            vmclose(own);
        } else
            turn(vm[me], ring, k);
        if (me == 3 && k % 50 == 49) {
            vmclear(vm[3]);
            memset(ring, 0, sizeof ring);
            vmcompact(vm[3]);
        }
        if (me < 3 && k % 500 == 499)
            usleep(2000); /* or the extent outgrows what a child can walk in time */
    }
}

static void *inchild(void *arg)
{
    size_t i, k;
    (void)arg;
    for (i = 0; i < REGIONS; i++) {
        char *ring[RING] = {NULL};
        for (k = 0; k < 200; k++)
            turn(vm[i], ring, k);
    }
    return NULL;
}

/* 0, or where the child failed. */
static int child(void)
{
    size_t i;
    pthread_t t;
    Vmalloc_t *own;
    alarm(LIMIT);
    for (i = 0; i < REGIONS; i++) {
        if (i != 3 && pat_differs(held[i], 64, i) != 64)
            return 10 + (int)i;
        if (vmstat(vm[i], NULL) != 0)
            return 20 + (int)i;
        if (vmdbcheck(vm[i]) != 0)
            return 30 + (int)i;
    }
    inchild(NULL);
    if (TEAM_INCHILD && (pthread_create(&t, NULL, inchild, NULL) != 0 || pthread_join(t, NULL) != 0))
        return 2;
    own = vmopen(Vmdcheap, Vmbest, 0);
    if (own == NULL || vmalloc(own, 1000) == NULL || vmclose(own) != 0)
        return 3;
    for (i = 0; i < REGIONS; i++)
        if (vmdbcheck(vm[i]) != 0)
            return 40 + (int)i;
    for (i = 0; i < REGIONS - 1; i++)
        if (vmclose(vm[i]) != 0)
            return 50 + (int)i;
    return 0;
}

static void under_load(void **state)
{
    size_t i;
    team_t t;
    int status, n;
    (void)state;
    vm[0] = vmopen(Vmdcsystem, Vmbest, 0);
    vm[1] = vmopen(Vmdcsystem, Vmlast, 0);
    vm[2] = vmopen(Vmdcheap, Vmpool, 0);
    vm[3] = vmopen(&slowdisc, Vmbest, 0);
    vm[4] = Vmheap;
    for (i = 0; i < REGIONS; i++) {
        held[i] = (char *)vmalloc(vm[i], 64);
        assert_non_null(held[i]);
        pat_fill(held[i], 0, 64, i);
    }
    assert_int_equal(team_start(&t, REGIONS + 1, load, NULL), 0);
    for (n = 0; n < FORKS; n++) {
        pid_t pid;
        usleep(20000);
        pid = fork();
        if (pid == 0) {
            team_child();
            _exit(child());
        }
        assert_true(pid > 0);
        assert_int_equal(waitpid(pid, &status, 0), pid);
        if (WIFSIGNALED(status))
            print_error("the child died of signal %d\n", WTERMSIG(status));
        else if (WEXITSTATUS(status))
            print_error("the child says %d\n", WEXITSTATUS(status));
        if (status != 0)
            __atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
        assert_int_equal(status, 0);
    }
    __atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
    team_join(&t);
    for (i = 0; i < REGIONS; i++) {
        assert_int_equal(vmdbcheck(vm[i]), 0);
        if (i < REGIONS - 1)
            assert_int_equal(vmclose(vm[i]), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(under_load)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
