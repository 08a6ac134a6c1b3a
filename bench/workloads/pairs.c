/* SPDX-License-Identifier: MIT */
/*
 * Producers and consumers: one thread of a pair allocates messages of random size and puts them
 * into a ring, the other takes them out and frees them.  No block is freed by who allocated it.
 */
#include "work.h"

#include <sched.h>

enum { PAIRS = 2, RING = 1024 };

typedef struct {
    char *ring[RING];
    _Alignas(64) size_t put;   /* written by the producer */
    _Alignas(64) size_t taken; /* written by the consumer */
    long messages;
    uint64_t seed, sum;
} Pair;

static void *produce(void *arg)
{
    Pair *p = arg;
    Random r = random_from(p->seed);
    size_t i;

    for (i = 0; i < (size_t)p->messages; i++) {
        while (i - __atomic_load_n(&p->taken, __ATOMIC_ACQUIRE) >= RING)
            sched_yield();
        p->ring[i % RING] = block(random_size(&r, 16, 6));
        if (i % 16 == 15 || i + 1 == (size_t)p->messages)
            __atomic_store_n(&p->put, i + 1, __ATOMIC_RELEASE);
    }
    return NULL;
}

static void *consume(void *arg)
{
    Pair *p = arg;
    size_t i = 0, k, end;

    while (i < (size_t)p->messages) {
        end = __atomic_load_n(&p->put, __ATOMIC_ACQUIRE);
        if (i == end) {
            sched_yield();
            continue;
        }
        for (k = i; k < end; k++) {
            p->sum += (unsigned char)p->ring[k % RING][0];
            free(p->ring[k % RING]);
        }
        i = end;
        __atomic_store_n(&p->taken, i, __ATOMIC_RELEASE);
    }
    return NULL;
}

int main(int argc, char **argv)
{
    static Pair pairs[PAIRS];
    pthread_t thread[2 * PAIRS];
    uint64_t sum = 0;
    int i;

    for (i = 0; i < PAIRS; i++) {
        pairs[i].messages = scale_of(argc, argv, 1, 10000) * 1000;
        pairs[i].seed = (uint64_t)i + 1;
        thread[2 * i] = thread_start(produce, &pairs[i]);
        thread[2 * i + 1] = thread_start(consume, &pairs[i]);
    }
    for (i = 0; i < 2 * PAIRS; i++)
        pthread_join(thread[i], NULL);
    for (i = 0; i < PAIRS; i++)
        sum += pairs[i].sum;
    printf("%d pairs, %llu\n", PAIRS, (unsigned long long)sum);
    return 0;
}
