/* SPDX-License-Identifier: MIT */
/* Blocks freed by other threads, lanes of threads that ended, and regions that threads share. */
#include "_best.h"

#include <pthread.h>

#define RING 1024u
#define MANY (200000 / TEAM_SLOW)

/* One producer and one consumer in turns: a ring without locks. */
typedef struct ring {
    Vmalloc_t *vm;
    char *slot[RING];
    size_t head, tail, n, size, bad;
} ring_t;

static void produce(ring_t *r)
{
    size_t i;
    for (i = 0; i < r->n; i++) {
        size_t size = r->size ? r->size : 1 + i * 37 % 900;
        char *p = vmalloc(r->vm, size);
        memset(p, (int)(i & 0x7f), VMB_MIN(size, (size_t)64));
        while (i - __atomic_load_n(&r->tail, __ATOMIC_ACQUIRE) >= RING)
            sched_yield();
        r->slot[i % RING] = p;
        __atomic_store_n(&r->head, i + 1, __ATOMIC_RELEASE);
    }
}

static void consume(ring_t *r)
{
    size_t i;
    for (i = 0; i < r->n; i++) {
        while (__atomic_load_n(&r->head, __ATOMIC_ACQUIRE) == i)
            sched_yield();
        r->bad += r->slot[i % RING][0] != (char)(i & 0x7f);
        r->bad += vmfree(r->vm, r->slot[i % RING]) != 0;
        __atomic_store_n(&r->tail, i + 1, __ATOMIC_RELEASE);
    }
}

static void either(size_t me, void *arg)
{
    if (me == 0)
        produce(arg);
    else
        consume(arg);
}

/* The producer lives on what the consumer gives back: the region does not grow beyond what the ring
 * holds. */
static void ring(void **state)
{
    static const size_t sizes[] = {16, 100, 256, 1000, 5000, 0};
    size_t i;
    (void)state;
    for (i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        ring_t r = {.vm = vmopen(Vmdcsystem, Vmbest, 0), .n = MANY / 4, .size = sizes[i]};
        assert_int_equal(team_run(2, either, &r), 0);
        assert_int_equal(r.bad, 0);
        sound(r.vm);
        assert_int_equal(statof(r.vm).n_busy, 0);
        assert_true(statof(r.vm).extent <= ((size_t)1 << 20) + 6 * RING * (r.size ? r.size : 900));
        vmclose(r.vm);
    }
}

/* All threads allocate, and free what others allocated. */
#define SHARED 512
typedef struct shared {
    Vmalloc_t *vm;
    char *slot[SHARED];
    size_t rounds, bad, most;
} shared_t;

static void swap(size_t me, void *arg)
{
    shared_t *s = arg;
    uint64_t seed = me + 1;
    size_t i, bad = 0;
    for (i = 0; i < s->rounds; i++) {
        size_t size = 8 + rnd_below(&seed, i % 64 ? 300 : s->most);
        char *p = vmalloc(s->vm, size), *q;
        if (p) {
            *(size_t *)(void *)p = (size_t)(uintptr_t)p;
            p[size - 1] = p[size - 1];
        }
        q = __atomic_exchange_n(&s->slot[rnd_below(&seed, SHARED)], p, __ATOMIC_ACQ_REL);
        if (q) {
            bad += *(size_t *)(void *)q != (size_t)(uintptr_t)q;
            *(size_t *)(void *)q = 0;
            bad += vmfree(s->vm, q) != 0;
        }
    }
    __atomic_fetch_add(&s->bad, bad, __ATOMIC_RELAXED);
}

static void empty_slots(shared_t *s)
{
    size_t i;
    for (i = 0; i < SHARED; i++)
        if (s->slot[i])
            assert_int_equal(vmfree(s->vm, s->slot[i]), 0);
    memset(s->slot, 0, sizeof s->slot);
}

static void crowd(void **state)
{
    shared_t s = {.vm = vmopen(Vmdcsystem, Vmbest, 0), .rounds = MANY / 8, .most = 100000};
    int round;
    (void)state;
    for (round = 0; round < 4; round++) { /* threads of a round take over lanes of the last */
        assert_int_equal(team_run(4, swap, &s), 0);
        assert_int_equal(s.bad, 0);
        sound(s.vm);
        if (round % 2)
            empty_slots(&s);
    }
    assert_int_equal(statof(s.vm).n_busy, 0);
    assert_true(statof(s.vm).n_pack <= 6);
    assert_int_equal(vmcompact(s.vm), 0);
    sound(s.vm);
    vmclose(s.vm);
}

/* The same where memory is scarce: small areas, larger classes, reduced slabs, refusals. */
static void scarce_crowd(void **state)
{
    size_t size;
    (void)state;
    for (size = 8192; size <= 300000; size *= 6) {
        chk_t *c = chk_new(4096, CHK_MALLOC, CHK_REFUSE);
        shared_t s = {.rounds = MANY / 16, .most = 3000};
        c->maxbytes = size;
        c->disc.exceptf = NULL; /* it counts, and is called without a lock */
        s.vm = vmopen(&c->disc, Vmbest, 0);
        assert_int_equal(team_run(3, swap, &s), 0);
        assert_int_equal(s.bad, 0);
        sound(s.vm);
        empty_slots(&s);
        sound(s.vm);
        assert_int_equal(statof(s.vm).n_busy, 0);
        vmclose(s.vm);
        chk_drop(c);
    }
}

/* ---- a thread that ended ---- */

typedef struct heir {
    Vmalloc_t *vm;
    char *p[4000];
    size_t n, size, bad;
} heir_t;

static void leave_blocks(size_t me, void *arg)
{
    heir_t *h = arg;
    size_t i;
    (void)me;
    for (i = 0; i < h->n; i++) {
        h->p[i] = vmalloc(h->vm, h->size);
        memset(h->p[i], (int)i, h->size);
    }
    for (i = 0; i < h->n; i += 2) /* holes for the heirs */
        h->bad += vmfree(h->vm, h->p[i]) != 0;
}

static void fill_holes(size_t me, void *arg)
{
    heir_t *h = arg;
    size_t i;
    (void)me;
    for (i = 0; i < h->n; i += 2) {
        h->p[i] = vmalloc(h->vm, h->size);
        memset(h->p[i], (int)i, h->size);
    }
}

static void adopted(void **state)
{
    static heir_t h;
    static const size_t sizes[] = {16, 48, 400, 1500, 7000};
    size_t i, s, extent;
    (void)state;
    for (s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        memset(&h, 0, sizeof h);
        h.vm = vmopen(Vmdcsystem, Vmbest, 0);
        h.n = 4000;
        h.size = sizes[s];
        vmfree(h.vm, vmalloc(h.vm, 10)); /* this thread has a lane of its own */
        team_run(1, leave_blocks, &h);
        assert_int_equal(h.bad, 0);
        sound(h.vm);
        assert_int_equal(statof(h.vm).n_busy, h.n / 2);
        extent = statof(h.vm).extent;
        if (s % 2)
            fill_holes(0, &h); /* slab by slab */
        else
            team_run(1, fill_holes, &h); /* the whole lane */
        sound(h.vm);
        assert_int_equal(statof(h.vm).extent, extent);
        for (i = 0; i < h.n; i++) {
            assert_int_equal((unsigned char)h.p[i][h.size - 1], i & 0xff);
            assert_int_equal(vmfree(h.vm, h.p[i]), 0);
            assert_int_equal(vmfree(h.vm, h.p[i]), -1);
        }
        sound(h.vm);
        assert_int_equal(statof(h.vm).n_busy, 0);
        vmcompact(h.vm);
        sound(h.vm);
        vmclose(h.vm);
    }
}

/* Full slabs of a living thread that others empty come back to it. */
typedef struct pair {
    Vmalloc_t *vm;
    char *p[6000];
    size_t size, bad;
    pthread_barrier_t turn;
} pair_t;

static void ping(size_t me, void *arg)
{
    pair_t *h = arg;
    int round;
    size_t i;
    for (round = 0; round < 6; round++) {
        if (me == 0)
            for (i = 0; i < 6000; i++)
                h->p[i] = vmalloc(h->vm, h->size);
        pthread_barrier_wait(&h->turn);
        if (me == 1)
            for (i = 0; i < 6000; i++)
                h->bad += vmfree(h->vm, h->p[i * 7 % 6000]) != 0;
        pthread_barrier_wait(&h->turn);
        if (me == 1) /* and once more, which must be noticed */
            for (i = 0; i < 6000; i += 5)
                h->bad += vmfree(h->vm, h->p[i]) != -1;
        pthread_barrier_wait(&h->turn);
    }
}

static void full_slabs(void **state)
{
    static pair_t h;
    static const size_t sizes[] = {16, 160, 1000};
    size_t s;
    (void)state;
    for (s = 0; s < 3; s++) {
        h.vm = vmopen(Vmdcsystem, Vmbest, 0);
        h.size = sizes[s];
        pthread_barrier_init(&h.turn, NULL, 2);
        team_run(2, ping, &h);
        assert_int_equal(h.bad, 0);
        sound(h.vm);
        assert_int_equal(statof(h.vm).n_busy, 0);
        assert_true(statof(h.vm).extent <= ((size_t)1 << 20) + 4 * 6000 * h.size);
        pthread_barrier_destroy(&h.turn);
        vmclose(h.vm);
    }
}

/* Threads come and go while others free into their slabs: lists move on to whom the slab is of now. */
static void come_and_go(void **state)
{
    shared_t s = {.vm = vmopen(Vmdcsystem, Vmbest, 0), .rounds = 400, .most = 40000};
    team_t stay;
    int i;
    (void)state;
    assert_int_equal(team_start(&stay, 1, swap, &s), 0);
    for (i = 0; i < 60 / (TEAM_SLOW > 1 ? 3 : 1); i++)
        assert_int_equal(team_run(3, swap, &s), 0);
    team_join(&stay);
    assert_int_equal(s.bad, 0);
    sound(s.vm);
    empty_slots(&s);
    sound(s.vm);
    assert_int_equal(statof(s.vm).n_busy, 0);
    assert_true(statof(s.vm).n_pack <= 8);
    vmclose(s.vm);
}

/* A handler that allocates of the same class when memory has run out: a slab of its own is not lost. */
static struct {
    char *p[200];
    size_t n, size;
} plan;

static int helps_itself(chk_t *c, Vmalloc_t *vm, int type, void *obj)
{
    (void)obj;
    if (type != VM_NOMEM || plan.n)
        return 0;
    c->maxbytes += 40 * 4096;
    for (; plan.n < 200; plan.n++)
        if ((plan.p[plan.n] = vmalloc(vm, plan.size)) == NULL)
            break;
    return 1;
}

static void nomem_allocates(void **state)
{
    static const size_t sizes[] = {64, 1000, 5000};
    size_t s, k, i, n;
    (void)state;
    for (s = 0; s < 3; s++)
        for (k = 0; k < 12; k++) {
            static char *p[20000];
            chk_t *c = chk_new(4096, CHK_MALLOC, CHK_REFUSE);
            Vmalloc_t *vm;
            c->onevent = helps_itself;
            memset(&plan, 0, sizeof plan);
            plan.size = sizes[s];
            c->maxbytes = (k + 1) * 28 * 1024;
            vm = vmopen(&c->disc, Vmbest, 0);
            for (n = 0; n < 20000 && (p[n] = vmalloc(vm, sizes[s])) != NULL; n++)
                continue;
            assert_true(plan.n > 10);
            sound(vm);
            assert_int_equal(statof(vm).n_busy, n + plan.n);
            for (i = 0; i < n; i += 2)
                assert_int_equal(vmfree(vm, p[i]), 0);
            sound(vm);
            for (i = 0; i < plan.n; i++)
                assert_int_equal(vmfree(vm, plan.p[i]), 0);
            for (i = 1; i < n; i += 2)
                assert_int_equal(vmfree(vm, p[i]), 0);
            sound(vm);
            assert_int_equal(statof(vm).n_busy, 0);
            assert_true(statof(vm).n_pack <= 1);
            vmclose(vm);
            assert_null(chk_done(c));
            chk_drop(c);
        }
}

/* A handler that drops everything: what was going on starts over. */
static int clears(chk_t *c, Vmalloc_t *vm, int type, void *obj)
{
    (void)c, (void)obj;
    if (type != VM_NOMEM || plan.n++ > 20)
        return 0;
    assert_int_equal(vmclear(vm), 0);
    return 1;
}

static void nomem_clears(void **state)
{
    static const size_t sizes[] = {64, 1000, 5000, 30000, 0};
    size_t s, i;
    (void)state;
    for (s = 0; s < 5; s++) {
        chk_t *c = chk_new(4096, CHK_MALLOC, s % 2 ? CHK_REFUSE : CHK_NEWSEG);
        Vmalloc_t *vm;
        uint64_t seed = s;
        c->onevent = clears;
        c->maxbytes = 400000;
        memset(&plan, 0, sizeof plan);
        vm = vmopen(&c->disc, Vmbest, 0);
        for (i = 0; plan.n < 20 && i < 1000000; i++) {
            size_t size = sizes[s] ? sizes[s] : 1 + rnd_below(&seed, 3000);
            char *p = vmalloc(vm, size);
            if (p)
                memset(p, 0x77, size);
        }
        assert_true(plan.n >= 20);
        sound(vm);
        vmclose(vm);
        assert_null(chk_done(c));
        chk_drop(c);
    }
}

/* One gives memory back all the time while the others allocate, and free what others have. */
typedef struct shelf {
    Vmalloc_t *vm;
    char *slot[512];
    size_t working;
} shelf_t;

static void exchange(size_t me, void *arg)
{
    shelf_t *s = arg;
    uint64_t seed = me;
    size_t i;
    for (i = 0; i < MANY / 4; i++) {
        size_t size = 1 + rnd_below(&seed, i % 8 ? 600 : 30000);
        char *p = vmalloc(s->vm, size);
        memset(p, 1, VMB_MIN(size, (size_t)64));
        p = __atomic_exchange_n(&s->slot[rnd_below(&seed, 512)], p, __ATOMIC_ACQ_REL);
        if (p != NULL && vmfree(s->vm, p) != 0)
            abort();
    }
    __atomic_sub_fetch(&s->working, 1, __ATOMIC_RELEASE);
}

static void exchange_or_compact(size_t me, void *arg)
{
    shelf_t *s = arg;
    if (me > 0) {
        exchange(me, s);
        return;
    }
    while (__atomic_load_n(&s->working, __ATOMIC_ACQUIRE) > 0) {
        if (vmcompact(s->vm) != 0)
            abort();
        sched_yield();
    }
}

static void compacted_meanwhile(void **state)
{
    static shelf_t s = {.working = 3};
    size_t i;
    (void)state;
    s.vm = vmopen(Vmdcsystem, Vmbest, 0);
    assert_int_equal(team_run(4, exchange_or_compact, &s), 0);
    sound(s.vm);
    for (i = 0; i < 512; i++)
        assert_int_equal(vmfree(s.vm, s.slot[i]), 0);
    assert_int_equal(vmcompact(s.vm), 0);
    sound(s.vm);
    assert_int_equal(statof(s.vm).n_busy, 0);
    vmclose(s.vm);
}

/* A full slab is taken over by a thread that freed one block of it. */
typedef struct takeover {
    Vmalloc_t *vm;
    char *freed;
} takeover_t;

static void *take_over(void *arg)
{
    takeover_t *t = arg;
    vmbe_t *be = engine(t->vm);
    assert_int_equal(vmfree(t->vm, t->freed), 0);
    assert_non_null(vmbe_lane_get(be));
    vmr_lock(t->vm);
    vmbe_gather(vmbe_lane_mine(be), 0);
    vmr_unlock(t->vm);
    return NULL;
}

/* It happens between the look of the thread that frees, which found the slab its own and full, and what the thread
 * does then: that is left to the way for slabs of others, and nothing is changed. */
static void taken_over_meanwhile(void **state)
{
    takeover_t t = {.vm = vmopen(Vmdcsystem, Vmbest, 0)};
    enum { N = 2000 };
    static char *p[N];
    vmbe_run_t *run;
    vmbe_lane_t *mine;
    pthread_t thread;
    size_t i;
    (void)state;
    for (i = 0; i < N; i++)
        assert_non_null(p[i] = vmalloc(t.vm, 64));
    mine = vmbe_lane_mine(engine(t.vm));
    for (i = 1; i < N; i++) { /* two blocks of one full slab */
        run = vmb_map_get(p[i]);
        if (run && run == vmb_map_get(p[i - 1]) && run->lane == ((uintptr_t)mine | BE_FULL))
            break;
    }
    assert_true(i < N);
    t.freed = p[i - 1];
    assert_int_equal(pthread_create(&thread, NULL, take_over, &t), 0);
    pthread_join(thread, NULL);
    assert_ptr_not_equal(vmbe_lane(run->lane), mine);
    assert_int_equal(vmbe_slab_free(mine, run, (unsigned)vmbe_index(run, p[i])), 0);
    sound(t.vm);
    assert_int_equal(statof(t.vm).n_busy, N - 1);
    for (p[i - 1] = NULL, i = 0; i < N; i++)
        assert_int_equal(vmfree(t.vm, p[i]), 0);
    sound(t.vm);
    assert_int_equal(statof(t.vm).n_busy, 0);
    vmclose(t.vm);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ring),        cmocka_unit_test(crowd),      cmocka_unit_test(scarce_crowd),
        cmocka_unit_test(adopted),     cmocka_unit_test(full_slabs), cmocka_unit_test(come_and_go),
        cmocka_unit_test(nomem_allocates), cmocka_unit_test(nomem_clears),
        cmocka_unit_test(compacted_meanwhile), cmocka_unit_test(taken_over_meanwhile),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
