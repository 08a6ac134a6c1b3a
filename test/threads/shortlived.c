/* SPDX-License-Identifier: MIT */
/* Thousands of threads that live shortly, and regions that come and go among them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <vmalloc.h>

#include "support/pattern.h"
#include "support/team.h"

#define MANY (3000 / TEAM_SLOW)

static Vmalloc_t *vm;
static size_t bad;

static void *shortly(void *arg)
{
    char *p[10];
    size_t i;
    for (i = 0; i < 10; i++) {
        p[i] = (char *)vmalloc(vm, 40);
        if (p[i] == NULL)
            __atomic_fetch_add(&bad, 1, __ATOMIC_RELAXED);
        else
            pat_fill(p[i], 0, 40, (size_t)arg + i);
    }
    for (i = 10; i-- > 0;) {
        if (p[i] != NULL && pat_differs(p[i], 40, (size_t)arg + i) != 40)
            __atomic_fetch_add(&bad, 1, __ATOMIC_RELAXED);
        if (vmfree(vm, p[i]) != 0 && (vmset(vm, 0, 0) & VM_METHODS) != VM_MTLAST)
            __atomic_fetch_add(&bad, 1, __ATOMIC_RELAXED);
    }
    return NULL;
}

/* Four at a time; memory must not grow with the number of threads that have been. */
static void thousands(Vmethod_t *meth)
{
    size_t i, k, extent = 0;
    pthread_t t[4];
    Vmstat_t st;
    vm = vmopen(Vmdcsystem, meth, 0);
    assert_non_null(vm);
    bad = 0;
    for (i = 0; i < MANY / 4; i++) {
        for (k = 0; k < 4; k++)
            assert_int_equal(pthread_create(&t[k], NULL, shortly, (void *)(i * 4 + k)), 0);
        for (k = 0; k < 4; k++)
            pthread_join(t[k], NULL);
        if (i == MANY / 16) {
            assert_int_equal(vmstat(vm, &st), 0);
            extent = st.extent;
        }
    }
    assert_int_equal(bad, 0);
    assert_int_equal(vmdbcheck(vm), 0);
    assert_int_equal(vmstat(vm, &st), 0);
    if (meth != Vmlast) {
        assert_int_equal(st.n_busy, 0);
        assert_in_range(st.extent, 0, 2 * extent + ((size_t)128 << 10));
    }
    assert_int_equal(vmclose(vm), 0);
}

static void best_thousands(void **state)
{
    (void)state;
    thousands(Vmbest);
}

static void last_thousands(void **state)
{
    (void)state;
    thousands(Vmlast);
}

static void pool_thousands(void **state)
{
    (void)state;
    thousands(Vmpool);
}

/* Each thread opens, fills and closes regions of its own, all the time. */
static void regions(size_t me, void *arg)
{
    Vmethod_t *meth[3] = {Vmbest, Vmlast, Vmpool};
    size_t turn, i;
    (void)arg;
    for (turn = 0; turn < 150 / TEAM_SLOW + 1; turn++) {
        Vmalloc_t *own = vmopen(turn % 2 ? Vmdcheap : Vmdcsystem, meth[(turn + me) % 3], 0);
        char *p = NULL;
        for (i = 0; own != NULL && i < 40; i++)
            p = (char *)vmalloc(own, 100);
        if (p == NULL || vmregion(p) != own || vmdbcheck(own) != 0 || vmclose(own) != 0)
            __atomic_fetch_add(&bad, 1, __ATOMIC_RELAXED);
    }
}

static void own_regions(void **state)
{
    Vmstat_t before, after;
    (void)state;
    bad = 0;
    assert_int_equal(vmstat(Vmheap, &before), 0);
    assert_int_equal(team_run(6, regions, NULL), 0);
    assert_int_equal(bad, 0);
    assert_int_equal(vmstat(Vmheap, &after), 0);
    assert_int_equal(after.n_busy, before.n_busy);
    assert_int_equal(vmdbcheck(Vmheap), 0);
}

/* A region is closed or cleared that other living threads have used; they use the next one. */
static pthread_barrier_t turn_begins, turn_ends;

static void user(size_t me, void *arg)
{
    size_t turn, i;
    (void)arg;
    for (turn = 0; turn < 200 / TEAM_SLOW; turn++) {
        pthread_barrier_wait(&turn_begins);
        for (i = 0; i < 20; i++) {
            char *p = (char *)vmalloc(vm, 64), *q = (char *)vmalloc(vm, 64);
            if (p == NULL || q == NULL || vmregion(p) != vm)
                __atomic_fetch_add(&bad, 1, __ATOMIC_RELAXED);
            else {
                pat_fill(p, 0, 64, me);
                pat_fill(q, 0, 64, me + 1);
                if (pat_differs(p, 64, me) != 64)
                    __atomic_fetch_add(&bad, 1, __ATOMIC_RELAXED);
                vmfree(vm, q);
            }
        }
        pthread_barrier_wait(&turn_ends);
    }
}

static void under_their_feet(Vmethod_t *meth)
{
    size_t turn;
    team_t t;
    Vmstat_t st;
    bad = 0;
    pthread_barrier_init(&turn_begins, NULL, 5);
    pthread_barrier_init(&turn_ends, NULL, 5);
    assert_int_equal(team_start(&t, 4, user, NULL), 0);
    for (turn = 0; turn < 200 / TEAM_SLOW; turn++) {
        if (turn % 3 == 0)
            vm = vmopen(turn % 2 ? Vmdcheap : Vmdcsystem, meth, 0);
        assert_non_null(vm);
        pthread_barrier_wait(&turn_begins);
        pthread_barrier_wait(&turn_ends);
        assert_int_equal(vmstat(vm, &st), 0);
        assert_int_equal(vmdbcheck(vm), 0);
        if (meth != Vmlast)
            assert_int_equal(st.n_busy, 80);
        if (turn % 3 == 2)
            assert_int_equal(vmclose(vm), 0);
        else
            assert_int_equal(vmclear(vm), 0);
    }
    team_join(&t);
    if (turn % 3 != 0)
        assert_int_equal(vmclose(vm), 0);
    assert_int_equal(bad, 0);
}

static void best_feet(void **state)
{
    (void)state;
    under_their_feet(Vmbest);
}

static void last_feet(void **state)
{
    (void)state;
    under_their_feet(Vmlast);
}

static void pool_feet(void **state)
{
    (void)state;
    under_their_feet(Vmpool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(best_thousands), cmocka_unit_test(last_thousands),
        cmocka_unit_test(pool_thousands), cmocka_unit_test(own_regions),
        cmocka_unit_test(best_feet),      cmocka_unit_test(last_feet),
        cmocka_unit_test(pool_feet),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
