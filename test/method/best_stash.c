/* SPDX-License-Identifier: MIT */
/* Large blocks that a lane keeps after they were freed: they are free for all who ask, and go back. */
#include "_best.h"

#include <pthread.h>
#include <sched.h>
#include <vmalloc/discipline.h>

#define KEPT 40000 /* bytes of a block that is kept: ten pages */
#define MANY 64

static vmbe_lane_t *lane_of(Vmalloc_t *vm) { return vmbe_lane_mine(engine(vm)); }
static size_t stashed(Vmalloc_t *vm) { return lane_of(vm) ? lane_of(vm)->stash.n : 0; }

/* The thread has a lane: the region has pages, and it took a small block of them. */
static void laned(Vmalloc_t *vm)
{
    vmfree(vm, vmalloc(vm, 1 << 21));
    vmfree(vm, vmalloc(vm, 1));
    assert_non_null(lane_of(vm));
}

/* A region whose thread frees blocks of that size again and again. */
static Vmalloc_t *used(size_t size)
{
    Vmalloc_t *vm = vmopen(Vmdcsystem, Vmbest, 0);
    char *p[MANY];
    size_t i;
    laned(vm);
    for (i = 0; i < MANY; i++)
        assert_non_null(p[i] = vmalloc(vm, size));
    for (i = 0; i < MANY; i++)
        assert_int_equal(vmfree(vm, p[i]), 0);
    assert_in_range(stashed(vm), 1, BE_STASH);
    sound(vm);
    assert_int_equal(statof(vm).n_busy, 0);
    assert_int_equal(statof(vm).m_busy, 0);
    return vm;
}

static size_t said;

static int listen(Vmalloc_t *vm, int type, Void_t *obj, Vmdisc_t *disc)
{
    (void)vm, (void)obj, (void)disc;
    said += type == VM_BADADDR;
    return type == VM_BADADDR ? -1 : 0;
}

/* The block freed last comes back, and each that is free is told as such. */
static void again(void **state)
{
    Vmalloc_t *vm = used(KEPT);
    char *p = vmalloc(vm, KEPT), *q;
    size_t n;
    (void)state;
    memset(p, 0xa5, KEPT);
    n = stashed(vm);
    assert_int_equal(vmfree(vm, p), 0);
    assert_int_equal(stashed(vm), n + 1);
    assert_int_equal(vmsize(vm, p), -1);
    assert_int_equal(vmaddr(vm, p + 100), -1);
    q = vmalloc(vm, KEPT - 4096 + 1);
    assert_ptr_equal(p, q);
    assert_int_equal(vmsize(vm, q), 40960);
    assert_int_equal(pat_notzero(q, KEPT - 4096 + 1, 40960), 40960); /* its rest is cleared */
    assert_int_equal(vmfree(vm, q), 0);
    q = vmresize(vm, NULL, KEPT, VM_RSZERO);
    assert_ptr_equal(p, q);
    assert_int_equal(pat_notzero(q, 0, 40960), 40960);
    sound(vm);
    vmclose(vm);
}

/* Freeing twice is told, and changes nothing. */
static void twice(void **state)
{
    Vmdisc_t d = plaindisc(0);
    Vmalloc_t *vm = used(KEPT);
    Vmdisc_t *old;
    char *p = vmalloc(vm, KEPT);
    size_t n;
    (void)state;
    d.exceptf = listen;
    old = vmdisc(vm, &d);
    assert_int_equal(vmfree(vm, p), 0);
    n = stashed(vm);
    said = 0;
    assert_int_equal(vmfree(vm, p), -1);
    assert_int_equal(vmfree(vm, p + 16), -1);
    assert_null(vmresize(vm, p, 100, VM_RSCOPY | VM_RSMOVE));
    assert_int_equal(said, 3);
    assert_int_equal(stashed(vm), n);
    sound(vm);
    vmdisc(vm, old);
    vmclose(vm);
}

/* Not much is kept, and none by compaction; the pages are one free run then. */
static void bounded(void **state)
{
    static const size_t size[] = {33000, 100000, 500000, 1 << 20, 3 << 20};
    size_t k;
    (void)state;
    for (k = 0; k < sizeof size / sizeof *size; k++) {
        Vmalloc_t *vm = vmopen(Vmdcsystem, Vmbest, 0);
        char *p[MANY];
        size_t i, n, bytes;
        laned(vm);
        for (i = 0; i < MANY; i++)
            assert_non_null(p[i] = vmalloc(vm, size[k]));
        for (i = 0; i < MANY; i++) {
            assert_int_equal(vmfree(vm, p[i]), 0);
            vmbe_stash_sum(engine(vm), &n, &bytes);
            assert_true(n <= BE_STASH && bytes <= (size_t)4 << 20);
        }
        assert_true(bytes <= (size_t)1 << 20); /* the region is nearly empty */
        assert_int_equal(vmcompact(vm), 0);
        vmbe_stash_sum(engine(vm), &n, &bytes);
        assert_int_equal(n, 0);
        sound(vm);
        assert_int_equal(statof(vm).s_busy, 0);
        vmclose(vm);
    }
}

/* What is there when memory is made anew, or the thread is torn out of a call, becomes free pages. */
static void anew(void **state)
{
    Vmalloc_t *vm = used(KEPT);
    char *p = vmalloc(vm, KEPT);
    (void)state;
    vmbe_rebuild(engine(vm), 1);
    assert_int_equal(stashed(vm), 0);
    assert_int_equal(statof(vm).n_busy, 1);
    sound(vm);
    assert_int_equal(vmfree(vm, p), 0);
    vmclose(vm);

    vm = used(KEPT);
    assert_true(stashed(vm) > 0);
    vmr_lock(vm);
    vmbe_lane_rebuild(engine(vm));
    vmr_unlock(vm);
    assert_int_equal(stashed(vm), 0);
    sound(vm);
    assert_int_equal(statof(vm).n_busy, 0);
    assert_int_equal(vmclear(vm), 0);
    assert_non_null(vmalloc(vm, KEPT));
    sound(vm);
    vmclose(vm);
}

/* Where others are about, what they keep stays theirs. */
static pthread_barrier_t gate;

static void *keeper(void *arg)
{
    Vmalloc_t *vm = arg;
    char *p[MANY];
    size_t i, n;
    laned(vm);
    for (i = 0; i < MANY; i++)
        p[i] = vmalloc(vm, KEPT);
    for (i = 0; i < MANY; i++)
        vmfree(vm, p[i]);
    n = stashed(vm);
    pthread_barrier_wait(&gate);
    pthread_barrier_wait(&gate);
    for (i = 0; i < n; i++)
        p[i] = vmalloc(vm, KEPT);
    for (i = 0; i < n; i++) {
        memset(p[i], (int)i, KEPT);
        vmfree(vm, p[i]);
    }
    return (void *)n;
}

static void others(void **state)
{
    Vmalloc_t *vm = used(KEPT);
    pthread_t t;
    void *n;
    size_t all, bytes;
    (void)state;
    pthread_barrier_init(&gate, NULL, 2);
    assert_int_equal(pthread_create(&t, NULL, keeper, vm), 0);
    pthread_barrier_wait(&gate);
    vmr_lock(vm);
    vmbe_rebuild(engine(vm), 0);
    vmr_unlock(vm);
    assert_int_equal(stashed(vm), 0);
    vmbe_stash_sum(engine(vm), &all, &bytes);
    assert_int_equal(bytes, all * 40960);
    sound(vm);
    pthread_barrier_wait(&gate);
    pthread_join(t, &n);
    assert_int_equal((size_t)n, all);
    pthread_barrier_destroy(&gate);
    vmbe_stash_sum(engine(vm), &all, &bytes);
    assert_int_equal(all, 0); /* the thread has ended */
    sound(vm);
    assert_int_equal(statof(vm).n_busy, 0);
    vmclose(vm);
}

static size_t kept(Vmalloc_t *vm)
{
    size_t n, bytes;
    vmbe_stash_sum(engine(vm), &n, &bytes);
    return n;
}

/* What a thread that sleeps keeps is there for others before they are told that there is no memory, and goes back
 * by compaction. */
static void lent(void **state)
{
    Vmdisc_t *d = vmdclimit(Vmdcsystem, 0, (size_t)16 << 20, NULL, NULL);
    Vmalloc_t *vm = vmopen(d, Vmbest, 0);
    char *p = NULL, *q;
    pthread_t t;
    void *n;
    int compact;
    (void)state;
    for (compact = 0; compact < 2; compact++) {
        pthread_barrier_init(&gate, NULL, 2);
        assert_int_equal(pthread_create(&t, NULL, keeper, vm), 0);
        pthread_barrier_wait(&gate);
        assert_in_range(kept(vm), 1, BE_STASH);
        if (compact)
            assert_int_equal(vmcompact(vm), 0);
        for (; !compact && (q = vmalloc(vm, KEPT)) != NULL; p = q)
            memcpy(q, &p, sizeof p);
        assert_int_equal(kept(vm), 0);
        sound(vm);
        for (; p != NULL; p = q) {
            memcpy(&q, p, sizeof q);
            assert_int_equal(vmfree(vm, p), 0);
        }
        pthread_barrier_wait(&gate);
        pthread_join(t, &n);
        assert_true((size_t)n > 0);
        pthread_barrier_destroy(&gate);
        vmcompact(vm);
        sound(vm);
        assert_int_equal(statof(vm).n_busy, 0);
    }
    vmclose(vm);
    vmdcfree(d);
}

/* Every block is one thread's only, whoever freed it, and whoever looks for what threads keep. */
enum { TEAM = 4, SLOTS = 128, STEPS = 6000 };
static char *slot[SLOTS];

static void *exchange(void *arg)
{
    Vmalloc_t *vm = arg;
    uint64_t seed = (uint64_t)(uintptr_t)&seed;
    size_t i;
    for (i = 0; i < STEPS; i++) {
        size_t size = 30000 + rnd_below(&seed, 120000);
        char *p = vmalloc(vm, size);
        assert_non_null(p);
        memcpy(p, &p, sizeof p);
        p = __atomic_exchange_n(&slot[rnd_below(&seed, SLOTS)], p, __ATOMIC_ACQ_REL);
        if (p) {
            assert_memory_equal(p, &p, sizeof p);
            assert_int_equal(vmfree(vm, p), 0);
        }
    }
    return NULL;
}

static void team(void **state)
{
    Vmalloc_t *vm = vmopen(Vmdcsystem, Vmbest, 0);
    pthread_t t[TEAM];
    size_t i;
    (void)state;
    for (i = 0; i < TEAM; i++)
        assert_int_equal(pthread_create(&t[i], NULL, exchange, vm), 0);
    for (i = 0; i < 100; i++) {
        vmr_lock(vm);
        vmbe_stash_gather(engine(vm), (int)(i % 2));
        vmr_unlock(vm);
        vmcompact(vm);
        sched_yield();
    }
    for (i = 0; i < TEAM; i++)
        pthread_join(t[i], NULL);
    sound(vm);
    for (i = 0; i < SLOTS; i++)
        if (slot[i])
            assert_int_equal(vmfree(vm, slot[i]), 0);
    sound(vm);
    assert_int_equal(statof(vm).n_busy, 0);
    vmclose(vm);
}

/* A long random run against the model, mostly of sizes that are kept; and with one thread only. */
static void modelled(void **state)
{
    unsigned flags[] = {0, VM_SINGLE};
    size_t k, i;
    (void)state;
    for (k = 0; k < 2; k++) {
        Vmalloc_t *vm = vmopen(Vmdcsystem, Vmbest, (int)flags[k]);
        model_t *m = model_new(vm, 200, 7 + k);
        size_t most = 0;
        for (i = 0; i < 8000; i++) {
            if (rnd_below(&m->seed, 2) && m->n < m->most)
                model_alloc(m, 20000 + rnd_below(&m->seed, 100000));
            else if (m->n > 0 && rnd_below(&m->seed, 8))
                model_drop(m, rnd_below(&m->seed, m->n));
            else
                model_step(m, 300000);
            most = VMB_MAX(most, stashed(vm));
            if (i % 1000 == 0)
                model_agree(m);
        }
        assert_true(most > 4);
        model_contents(m);
        model_agree(m);
        vmclose(vm);
        model_free(m);
    }
}

/* A region in a block ends when the block is freed, at once. */
static void guests(void **state)
{
    Vmalloc_t *vm = used(1 << 19), *in;
    char *p[8];
    size_t i;
    (void)state;
    for (i = 0; i < 8; i++) {
        Vmdisc_t *d;
        p[i] = vmalloc(vm, 1 << 19);
        d = vmdcfixed(p[i], 1 << 19);
        assert_non_null(d);
        in = vmopen(d, Vmbest, 0);
        assert_non_null(in);
        assert_non_null(vmalloc(in, 40000));
        assert_int_equal(vmfree(vm, p[i]), 0);
        assert_true(vmregion(p[i]) != in);
        sound(vm);
        vmclose(in);
        vmdcfree(d);
    }
    assert_int_equal(statof(vm).n_busy, 0);
    vmclose(vm);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(again),  cmocka_unit_test(twice), cmocka_unit_test(bounded),
        cmocka_unit_test(anew),   cmocka_unit_test(others), cmocka_unit_test(lent),
        cmocka_unit_test(team),
        cmocka_unit_test(modelled), cmocka_unit_test(guests),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
