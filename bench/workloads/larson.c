/* SPDX-License-Identifier: MIT */
/*
 * A server's churn, after P. Larson and M. Krishnan, "Memory allocation for long-running server
 * applications", ISMM 1998: each worker holds an array of blocks and, over and over, frees a
 * random one and allocates another of random size in its place.  After some rounds it ends and hands
 * the array to a new thread, which so frees what a thread long gone allocated.
 */
#include "work.h"

enum { WORKERS = 4, SLOTS = 5000, ROUNDS = 60000, LOW = 8, HIGH = 1000 };

typedef struct {
    char *slot[SLOTS];
    Random random;
    long generations;
    uint64_t sum;
} Work;

static void churn(Work *w)
{
    long i;

    for (i = 0; i < ROUNDS; i++) {
        size_t at = random_in(&w->random, 0, SLOTS);

        w->sum += (unsigned char)w->slot[at][0];
        free(w->slot[at]);
        w->slot[at] = block(random_in(&w->random, LOW, HIGH));
    }
}

static void *generation(void *arg)
{
    Work *w = arg;

    churn(w);
    if (--w->generations > 0)
        pthread_detach(thread_start(generation, w));
    else
        __atomic_store_n(&w->generations, -1, __ATOMIC_RELEASE);
    return NULL;
}

int main(int argc, char **argv)
{
    long i, k, generations = scale_of(argc, argv, 1, 150);
    static Work work[WORKERS];
    struct timespec nap = {0, 1000000};
    uint64_t sum = 0;

    for (i = 0; i < WORKERS; i++) {
        work[i].random = random_from((uint64_t)i + 1);
        work[i].generations = generations;
        for (k = 0; k < SLOTS; k++)
            work[i].slot[k] = block(random_in(&work[i].random, LOW, HIGH));
    }
    for (i = 0; i < WORKERS; i++)
        pthread_detach(thread_start(generation, &work[i]));
    for (i = 0; i < WORKERS; i++) {
        while (__atomic_load_n(&work[i].generations, __ATOMIC_ACQUIRE) != -1)
            nanosleep(&nap, NULL);
        sum += work[i].sum;
    }
    printf("%d workers, %ld generations, %llu\n", WORKERS, generations, (unsigned long long)sum);
    return 0;
}
