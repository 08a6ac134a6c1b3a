/* SPDX-License-Identifier: MIT */
/* A lane's meter tells to the block when one is due, however blocks come and go: to and from the word that
 * the cursor is at, other words, other slabs, and by other threads. */
#include "_best.h"
#include "fast.h"

#include <pthread.h>

#define KEPT 3000u
#define DRAWS 20
#define AWAY 97 /* one in so many is freed by another thread */

typedef struct metered {
    Vmalloc_t *vm;
    vmbe_lane_t *lane;
    vmbe_meter_t *meter;
    uint64_t random, bytes;
    int64_t given[BE_CLASSES], room[BE_CLASSES]; /* since the draw; and what was drawn */
    unsigned draws, bad;
    char *kept[KEPT], *away[KEPT];
    size_t naway;
} metered_t;

static uint32_t next(metered_t *t, uint32_t n)
{
    t->random = t->random * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)((t->random >> 33) % n);
}

/* Sometimes few, sometimes more than fit in a slab, sometimes more than `left` can tell. */
static void draw(metered_t *t, unsigned cls, uint32_t most)
{
    static const uint32_t scale[] = {1, 20, 400, 3000, 80000};
    t->room[cls] = next(t, VMB_MIN(scale[next(t, 5)], most));
    t->given[cls] = 0;
    t->meter->cls[cls].room = t->room[cls];
    t->draws++;
}

/* As malloc() does while samples are taken; what is due is only noted. */
static char *give(metered_t *t, size_t size)
{
    unsigned cls = vmbe_class(size);
    char *p = vmbe_taketab(t->lane, size);
    while (p == NULL && t->meter->cls[cls].room <= 0 && vmbe_meter_look(t->lane, cls) <= 0) {
        t->bad += t->given[cls] != t->room[cls];
        draw(t, cls, UINT32_MAX);
        vmbe_meter_arm(t->lane, cls);
    }
    if (p == NULL && (p = vmbe_meter_next(t->lane, cls)) == NULL)
        p = vmbe_refill(t->lane, cls);
    t->given[cls]++;
    t->bytes += vmbe_classbytes[cls];
    t->bad += t->given[cls] > t->room[cls];
    return p;
}

static void *free_away(void *arg)
{
    metered_t *t = arg;
    for (size_t i = 0; i < t->naway; i++)
        t->bad += vmfree(t->vm, t->away[i]) != 0;
    t->naway = 0;
    return NULL;
}

static void away(metered_t *t)
{
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, free_away, t), 0);
    pthread_join(thread, NULL);
}

static void drop(metered_t *t, char *p)
{
    vmbe_run_t *run = vmb_map_get(p);
    if (p == NULL)
        return;
    if (next(t, AWAY) == 0)
        t->away[t->naway++] = p;
    else if (vmbe_giveto(t->lane, run, p) != 0)
        t->bad += vmfree(t->vm, p) != 0;
    if (t->naway == KEPT)
        away(t);
}

static void begin(metered_t *t)
{
    static vmbe_meter_t meter;
    memset(&meter, 0, sizeof meter);
    t->vm = vmopen(Vmdcsystem, Vmbest, 0);
    assert_non_null(t->vm);
    vmfree(t->vm, vmalloc(t->vm, 100000)); /* with an area of pages lanes are made */
    for (size_t i = 0; i < KEPT; i++)
        t->kept[i] = vmalloc(t->vm, 1 + i % 500);
    t->lane = vmbe_lane_get(vmbe_of(t->vm));
    assert_non_null(t->lane);
    t->meter = &meter;
    for (unsigned c = 0; c < BE_CLASSES; c++)
        draw(t, c, 300);
    vmbe_meter_begin(t->lane, &meter);
}

/* Which sizes, and how far back what is freed was asked for. */
static void churn(uint32_t sizes, uint32_t window, size_t rounds)
{
    metered_t *t = calloc(1, sizeof *t);
    assert_non_null(t);
    t->random = 88172645463325252u + sizes;
    begin(t);
    for (size_t i = 0; i < rounds; i++) {
        uint32_t k = next(t, window);
        drop(t, t->kept[k]);
        t->kept[k] = give(t, next(t, sizes));
        assert_non_null(t->kept[k]);
        if (i % 50000 == 0)
            vmcompact(t->vm);
        if (i % 1001 == 0) /* as when a thread ends and the next one has its lane */
            vmbe_meter_begin(t->lane, t->meter);
    }
    away(t);
    assert_int_equal(t->bad, 0);
    assert_true(t->draws > BE_CLASSES + DRAWS);
    assert_true(vmbe_meter_bytes(t->lane) == t->bytes);
    assert_int_equal(vmdbcheck(t->vm), 0);
    assert_int_equal(vmclose(t->vm), 0);
    free(t);
}

static void one_size(void **state)
{
    (void)state;
    churn(16, 1, 300000);
    churn(16, KEPT, 300000);
}

static void many_sizes(void **state)
{
    (void)state;
    churn(200, 7, 200000);
    churn(500, 300, 200000);
    churn(BE_TABLEMAX + 1, KEPT, 300000);
}

/* A thread with a meter that ends, and leaves its lane with a slab in it. */
#define LEFT 20u
static void *short_one(void *arg)
{
    metered_t *t = arg;
    t->lane = vmbe_lane_get(vmbe_of(t->vm));
    if (t->lane == NULL)
        return NULL;
    vmbe_meter_begin(t->lane, t->meter);
    for (unsigned i = 0; i < LEFT; i++)
        t->kept[i] = give(t, 64);
    return NULL;
}

/* What it was given counts also where another lane takes its slab. */
static void of_a_thread_that_ended(void **state)
{
    static vmbe_meter_t meter;
    metered_t *t = calloc(1, sizeof *t);
    unsigned cls = vmbe_class(64), n = 0;
    pthread_t thread;
    (void)state;
    assert_non_null(t);
    t->vm = vmopen(Vmdcsystem, Vmbest, 0);
    assert_non_null(t->vm);
    vmfree(t->vm, vmalloc(t->vm, 100000));
    assert_non_null(vmbe_lane_get(vmbe_of(t->vm)));
    t->meter = &meter;
    for (unsigned c = 0; c < BE_CLASSES; c++)
        t->meter->cls[c].room = t->room[c] = 1000;
    assert_int_equal(pthread_create(&thread, NULL, short_one, t), 0);
    pthread_join(thread, NULL);
    assert_non_null(t->lane);
    while (vmbe_current(&t->lane->cur[cls]) != &t->lane->none && n++ < 1000)
        assert_non_null(vmalloc(t->vm, 64));
    assert_true(vmbe_current(&t->lane->cur[cls]) == &t->lane->none);
    assert_true(vmbe_meter_bytes(t->lane) == t->bytes);
    assert_true(meter.cls[cls].room == t->room[cls] - LEFT);
    assert_int_equal(t->bad, 0);
    assert_int_equal(vmclose(t->vm), 0);
    free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_size),
        cmocka_unit_test(many_sizes),
        cmocka_unit_test(of_a_thread_that_ended),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
