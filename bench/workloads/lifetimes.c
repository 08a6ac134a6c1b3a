/* SPDX-License-Identifier: MIT */
/*
 * Random sizes with random lifetimes, in threads that come and go, after the description of
 * mimalloc's stress test: most blocks die young, some live on, and some pass through a common table
 * to be freed by another thread; every round begins with new threads.
 */
#include "work.h"

enum { THREADS = 2, COMMON = 4000, LIVE = 20000 };

typedef struct {
    size_t words;
    uint64_t word[];
} Item;

typedef struct {
    uint64_t seed;
    long steps;
} Work;

static Item *common[COMMON];

static Item *make(Random *r)
{
    size_t size = random_size(r, 16, 11), i, words = size / 8 + 1;
    Item *item;

    if (random_in(r, 0, 5000) == 0)
        words *= 100;
    item = must(malloc(sizeof(*item) + words * 8));
    item->words = words;
    for (i = 0; i < words; i++)
        item->word[i] = words - i;
    return item;
}

/* What is in a block must be what was written: a block given twice shows here. */
static void drop(Item *item)
{
    size_t i;

    if (!item)
        return;
    for (i = 0; i < item->words; i++)
        if (item->word[i] != item->words - i)
            give_up("a block was overwritten");
    free(item);
}

static void *work_on(void *arg)
{
    Work *w = arg;
    Item **live = must(calloc(LIVE, sizeof(*live)));
    Random r = random_from(w->seed);
    size_t used = 0, at;
    long i;

    for (i = 0; i < w->steps; i++) {
        size_t choice = random_in(&r, 0, 100);

        if (choice < 50 && used < LIVE) {
            live[used++] = make(&r);
        } else if (choice < 75 && used > 0) {
            drop(live[--used]);
        } else if (choice < 90 && used > 0) {
            at = random_in(&r, 0, used);
            drop(live[at]);
            live[at] = live[--used];
        } else if (used > 0) {
            at = random_in(&r, 0, used);
            live[at] = __atomic_exchange_n(&common[random_in(&r, 0, COMMON)], live[at],
                                           __ATOMIC_ACQ_REL);
        }
    }
    while (used > 0)
        drop(live[--used]);
    free(live);
    return NULL;
}

int main(int argc, char **argv)
{
    long round, rounds = scale_of(argc, argv, 1, 20);
    int i;

    for (round = 0; round < rounds; round++) {
        Work work[THREADS];
        pthread_t thread[THREADS];

        for (i = 0; i < THREADS; i++) {
            work[i].seed = (uint64_t)(round * THREADS + i + 1);
            work[i].steps = 500000;
            thread[i] = thread_start(work_on, &work[i]);
        }
        for (i = 0; i < THREADS; i++)
            pthread_join(thread[i], NULL);
        for (i = 0; round % 10 == 9 && i < COMMON; i++) {
            drop(common[i]);
            common[i] = NULL;
        }
    }
    for (i = 0; i < COMMON; i++)
        drop(common[i]);
    printf("%ld rounds of %d threads\n", rounds, THREADS);
    return 0;
}
