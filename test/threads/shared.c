/* SPDX-License-Identifier: MIT */
/* One region, many threads: everybody's blocks keep their contents, the statistics agree at the end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <vmalloc.h>

#include "support/pattern.h"
#include "support/team.h"

#define THREADS 6
#define TURNS (20000 / TEAM_SLOW)
#define SLOTS 100
#define POOLSIZE 72

typedef struct shared {
    Vmalloc_t *vm;
    size_t bad, left, kept; /* faults; blocks and their bytes that are still allocated */
    size_t most;            /* sizes go up to this */
} shared_t;

typedef struct slot {
    char *p;
    size_t size;
    uint64_t id;
} slot_t;

static void check(shared_t *s, const slot_t *b)
{
    if (pat_differs(b->p, b->size, b->id) != b->size)
        __atomic_fetch_add(&s->bad, 1, __ATOMIC_RELAXED);
}

static void get(shared_t *s, slot_t *b, size_t size, uint64_t id, int how)
{
    b->p = (char *)(how ? vmalign(s->vm, size, (size_t)32 << how) : vmalloc(s->vm, size));
    b->size = size;
    b->id = id;
    if (b->p == NULL || vmregion(b->p) != s->vm)
        __atomic_fetch_add(&s->bad, 1, __ATOMIC_RELAXED);
    else
        pat_fill(b->p, 0, size, id);
}

static void change(shared_t *s, slot_t *b, size_t size)
{
    size_t n = size < b->size ? size : b->size;
    char *q = (char *)vmresize(s->vm, b->p, size, VM_RSCOPY | VM_RSMOVE);
    if (q == NULL || pat_differs(q, n, b->id) != n)
        __atomic_fetch_add(&s->bad, 1, __ATOMIC_RELAXED);
    b->p = q;
    b->size = size;
    pat_fill(q, 0, size, b->id);
}

static void drop(shared_t *s, slot_t *b)
{
    check(s, b);
    if (vmfree(s->vm, b->p) != 0)
        __atomic_fetch_add(&s->bad, 1, __ATOMIC_RELAXED);
    b->p = NULL;
}

static void best(size_t me, void *arg)
{
    shared_t *s = (shared_t *)arg;
    slot_t slot[SLOTS] = {{NULL, 0, 0}};
    uint64_t r = me + 1;
    size_t k, i;
    for (k = 0; k < TURNS; k++) {
        slot_t *b = &slot[rnd_below(&r, SLOTS)];
        size_t size = 1 + rnd_below(&r, rnd_below(&r, 50) ? s->most : 40000);
        if (b->p == NULL)
            get(s, b, size, me * TURNS + k, rnd_below(&r, 20) == 0);
        else if (rnd_below(&r, 3) == 0)
            check(s, b), change(s, b, size);
        else
            drop(s, b);
        if (k % 5000 == 4999)
            vmcompact(s->vm);
    }
    for (i = 0; i < SLOTS; i++)
        if (slot[i].p != NULL && i % 2)
            drop(s, &slot[i]);
        else if (slot[i].p != NULL) {
            __atomic_fetch_add(&s->left, 1, __ATOMIC_RELAXED);
            __atomic_fetch_add(&s->kept, (size_t)vmsize(s->vm, slot[i].p), __ATOMIC_RELAXED);
        }
}

static void pool(size_t me, void *arg)
{
    shared_t *s = (shared_t *)arg;
    slot_t slot[SLOTS] = {{NULL, 0, 0}};
    uint64_t r = me + 1;
    size_t k;
    for (k = 0; k < TURNS; k++) {
        slot_t *b = &slot[rnd_below(&r, SLOTS)];
        if (b->p == NULL)
            get(s, b, POOLSIZE, me * TURNS + k, 0);
        else
            drop(s, b);
    }
    for (k = 0; k < SLOTS; k++)
        if (slot[k].p != NULL) {
            check(s, &slot[k]);
            __atomic_fetch_add(&s->left, 1, __ATOMIC_RELAXED);
            __atomic_fetch_add(&s->kept, POOLSIZE, __ATOMIC_RELAXED);
        }
}

/* Vmlast cannot free what is not last; whoever tries gets an answer, and no block is harmed. */
static void last(size_t me, void *arg)
{
    shared_t *s = (shared_t *)arg;
    slot_t slot[SLOTS] = {{NULL, 0, 0}};
    uint64_t r = me + 1;
    size_t k;
    for (k = 0; k < TURNS; k++) {
        slot_t *b = &slot[k % SLOTS];
        if (b->p != NULL)
            check(s, b);
        get(s, b, 1 + rnd_below(&r, s->most), me * TURNS + k, rnd_below(&r, 20) == 0);
        if (rnd_below(&r, 4) == 0) {
            check(s, b);
            if (vmfree(s->vm, b->p) == 0)
                b->p = NULL;
        }
    }
    for (k = 0; k < SLOTS; k++)
        if (slot[k].p != NULL)
            check(s, &slot[k]);
}

static void run(Vmdisc_t *disc, Vmethod_t *meth, void (*work)(size_t, void *), size_t most)
{
    shared_t s = {NULL, 0, 0, 0, most};
    Vmstat_t st;
    s.vm = vmopen(disc, meth, 0);
    assert_non_null(s.vm);
    assert_int_equal(team_run(THREADS, work, &s), 0);
    assert_int_equal(s.bad, 0);
    assert_int_equal(vmdbcheck(s.vm), 0);
    assert_int_equal(vmstat(s.vm, &st), 0);
    if (meth != Vmlast) {
        assert_int_equal(st.n_busy, s.left);
        assert_int_equal(st.s_busy, s.kept);
    }
    assert_int_equal(vmstat(s.vm, NULL), 0);
    assert_int_equal(vmclose(s.vm), 0);
}

static void best_small(void **state)
{
    (void)state;
    run(Vmdcheap, Vmbest, best, 200);
}

static void best_mixed(void **state)
{
    (void)state;
    run(Vmdcsystem, Vmbest, best, 5000);
}

static void pool_shared(void **state)
{
    (void)state;
    run(Vmdcsystem, Vmpool, pool, 0);
}

static void last_shared(void **state)
{
    (void)state;
    run(Vmdcsystem, Vmlast, last, 200);
}

/* The first block fixes the size of a pool: of two threads one wins, and both see the same. */
static void fix(size_t me, void *arg)
{
    shared_t *s = (shared_t *)arg;
    char *p = (char *)vmalloc(s->vm, 16 + me);
    if (p != NULL) {
        if (vmsize(s->vm, p) != (long)(16 + me))
            __atomic_fetch_add(&s->bad, 1, __ATOMIC_RELAXED);
        __atomic_fetch_add(&s->left, 1, __ATOMIC_RELAXED);
    }
}

static void pool_race(void **state)
{
    int i;
    (void)state;
    for (i = 0; i < 50; i++) {
        shared_t s = {vmopen(Vmdcheap, Vmpool, 0), 0, 0, 0, 0};
        assert_int_equal(team_run(4, fix, &s), 0);
        assert_int_equal(s.bad, 0);
        assert_int_equal(s.left, 1);
        vmclose(s.vm);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(best_small),  cmocka_unit_test(best_mixed), cmocka_unit_test(pool_shared),
        cmocka_unit_test(last_shared), cmocka_unit_test(pool_race),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
