/* SPDX-License-Identifier: MIT */
/* Blocks that one thread allocates and another frees; threads that end and leave blocks behind. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <vmalloc.h>

#include "support/pattern.h"
#include "support/team.h"

#define QUEUE 4096
#define EACH (60000 / TEAM_SLOW)
#define PAIRS 3
#define POOLSIZE 48

/* A bounded queue under a mutex: what matters is who frees. */
typedef struct item {
    char *p;
    size_t size;
    uint64_t id;
} item_t;

typedef struct queue {
    pthread_mutex_t lock;
    pthread_cond_t more, room;
    item_t item[QUEUE];
    size_t head, n;
} queue_t;

static struct {
    Vmalloc_t *vm;
    queue_t q[PAIRS];
    size_t bad;
    int pool;
} s;

static void put(queue_t *q, item_t it)
{
    pthread_mutex_lock(&q->lock);
    while (q->n == QUEUE)
        pthread_cond_wait(&q->room, &q->lock);
    q->item[(q->head + q->n++) % QUEUE] = it;
    pthread_cond_signal(&q->more);
    pthread_mutex_unlock(&q->lock);
}

static item_t take(queue_t *q)
{
    item_t it;
    pthread_mutex_lock(&q->lock);
    while (q->n == 0)
        pthread_cond_wait(&q->more, &q->lock);
    it = q->item[q->head];
    q->head = (q->head + 1) % QUEUE;
    q->n--;
    pthread_cond_signal(&q->room);
    pthread_mutex_unlock(&q->lock);
    return it;
}

static void bad(void)
{
    __atomic_fetch_add(&s.bad, 1, __ATOMIC_RELAXED);
}

static void produce(queue_t *q, size_t me)
{
    uint64_t r = me + 1;
    size_t k;
    for (k = 0; k < EACH; k++) {
        item_t it;
        it.size = s.pool ? POOLSIZE : 1 + rnd_below(&r, k % 100 ? 300 : 20000);
        it.id = me * EACH + k;
        it.p = (char *)vmalloc(s.vm, it.size);
        if (it.p == NULL) {
            bad();
            it.size = 0;
        } else
            pat_fill(it.p, 0, it.size, it.id);
        put(q, it);
    }
}

static void consume(queue_t *q)
{
    size_t k;
    for (k = 0; k < EACH; k++) {
        item_t it = take(q);
        if (pat_differs(it.p, it.size, it.id) != it.size || vmfree(s.vm, it.p) != 0)
            bad();
    }
}

static void side(size_t me, void *arg)
{
    (void)arg;
    if (me < PAIRS)
        produce(&s.q[me], me);
    else
        consume(&s.q[me - PAIRS]);
}

static void prepare(Vmethod_t *meth)
{
    size_t i;
    memset(&s, 0, sizeof s);
    s.vm = vmopen(Vmdcsystem, meth, 0);
    s.pool = meth == Vmpool;
    assert_non_null(s.vm);
    for (i = 0; i < PAIRS; i++) {
        pthread_mutex_init(&s.q[i].lock, NULL);
        pthread_cond_init(&s.q[i].more, NULL);
        pthread_cond_init(&s.q[i].room, NULL);
    }
}

static void finish(size_t blocks)
{
    Vmstat_t st;
    assert_int_equal(s.bad, 0);
    assert_int_equal(vmdbcheck(s.vm), 0);
    assert_int_equal(vmstat(s.vm, &st), 0);
    assert_int_equal(st.n_busy, blocks);
    assert_int_equal(vmclose(s.vm), 0);
}

/* Memory does not pile up: what consumers free the producers use again. */
static void pairs(Vmethod_t *meth)
{
    Vmstat_t st;
    prepare(meth);
    assert_int_equal(team_run(2 * PAIRS, side, NULL), 0);
    assert_int_equal(vmstat(s.vm, &st), 0);
    assert_true(st.m_extent < ((size_t)PAIRS * QUEUE * 600) * 2 + ((size_t)16 << 20));
    finish(0);
}

static void best_pairs(void **state)
{
    (void)state;
    pairs(Vmbest);
}

static void pool_pairs(void **state)
{
    (void)state;
    pairs(Vmpool);
}

/* Threads end with live blocks; others find them whole and free them. */
#define LEFT 500
static item_t left[8][LEFT];

static void leave(size_t me, void *arg)
{
    uint64_t r = me + 5;
    size_t k;
    (void)arg;
    for (k = 0; k < LEFT; k++) {
        item_t *it = &left[me][k];
        it->size = s.pool ? POOLSIZE : 1 + rnd_below(&r, 700);
        it->id = me * LEFT + k;
        it->p = (char *)vmalloc(s.vm, it->size);
        if (it->p == NULL)
            bad();
        else
            pat_fill(it->p, 0, it->size, it->id);
    }
}

static void collect(size_t me, void *arg)
{
    size_t k;
    (void)arg;
    for (k = 0; k < LEFT; k++) {
        item_t *it = &left[7 - me][k];
        if (pat_differs(it->p, it->size, it->id) != it->size || vmfree(s.vm, it->p) != 0)
            bad();
        if (!s.pool && k % 2 && vmfree(s.vm, vmalloc(s.vm, it->size)) != 0)
            bad();
    }
}

static void orphans(Vmethod_t *meth)
{
    size_t extent = 0;
    Vmstat_t st;
    int turn;
    prepare(meth);
    for (turn = 0; turn < 20; turn++) {
        assert_int_equal(team_run(8, leave, NULL), 0);
        assert_int_equal(vmstat(s.vm, &st), 0);
        assert_int_equal(st.n_busy, 8 * LEFT);
        assert_int_equal(team_run(8, collect, NULL), 0);
        assert_int_equal(vmstat(s.vm, &st), 0);
        assert_int_equal(st.n_busy, 0);
        if (turn == 4)
            extent = st.extent;
    }
    assert_in_range(st.extent, 0, 2 * extent + ((size_t)1 << 20)); /* dead threads' memory is used again */
    finish(0);
}

static void best_orphans(void **state)
{
    (void)state;
    orphans(Vmbest);
}

static void pool_orphans(void **state)
{
    (void)state;
    orphans(Vmpool);
}

/* One thread frees, at once, what all others hold, while they go on. */
static void churn(size_t me, void *arg)
{
    size_t turn, k;
    (void)arg;
    for (turn = 0; turn < 200 / TEAM_SLOW + 1; turn++) {
        for (k = 0; k < 50; k++) {
            item_t it = {(char *)vmalloc(s.vm, POOLSIZE), POOLSIZE, me * 50 + k};
            if (it.p == NULL)
                bad();
            else {
                pat_fill(it.p, 0, POOLSIZE, it.id);
                put(&s.q[0], it);
            }
        }
        for (k = 0; k < 50; k++) {
            item_t it = take(&s.q[0]);
            if (pat_differs(it.p, it.size, it.id) != it.size || vmfree(s.vm, it.p) != 0)
                bad();
        }
    }
}

static void mixed_up(void **state)
{
    Vmethod_t *meth[2] = {Vmbest, Vmpool};
    int i;
    (void)state;
    for (i = 0; i < 2; i++) {
        prepare(meth[i]);
        assert_int_equal(team_run(8, churn, NULL), 0);
        finish(0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(best_pairs),   cmocka_unit_test(pool_pairs), cmocka_unit_test(best_orphans),
        cmocka_unit_test(pool_orphans), cmocka_unit_test(mixed_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
