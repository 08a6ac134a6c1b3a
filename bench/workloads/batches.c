/* SPDX-License-Identifier: MIT */
/*
 * Batches freed in other order, the pattern of MicroQuill's sh6bench and sh8bench as others have
 * described it: blocks of one small size come in batches, sizes are gone through in turns; some
 * batches are freed in the order of allocation, some in reverse, some interleaved, and some stay for
 * many rounds.
 *
 *   own     each thread frees what it allocated
 *   other   every third batch is freed by whichever thread takes it next from a common table
 */
#include "work.h"

enum { THREADS = 2, BATCH = 120, KEPT = 64, SHARED = 256, SIZES = 40 };

typedef struct {
    char *at[BATCH];
} Batch;

typedef struct {
    long rounds;
    int others;
    uint64_t seed;
} Work;

static Batch *shared[SHARED];

static Batch *make(size_t size)
{
    Batch *b = must(malloc(sizeof(*b)));
    int i;

    for (i = 0; i < BATCH; i++)
        b->at[i] = block(size);
    return b;
}

static void drop(Batch *b, unsigned order)
{
    int i;

    if (!b)
        return;
    for (i = 0; i < BATCH; i++) {
        if (order % 3 == 0)
            free(b->at[i]);
        else if (order % 3 == 1)
            free(b->at[BATCH - 1 - i]);
        else
            free(b->at[i * 7 % BATCH]);
    }
    free(b);
}

static void *work_on(void *arg)
{
    Work *w = arg;
    Batch *kept[KEPT] = {NULL};
    Random r = random_from(w->seed);
    long i;

    for (i = 0; i < w->rounds; i++) {
        Batch *b = make((size_t)(i % SIZES) * 10 + 1);

        if (w->others && i % 3 == 0) {
            drop(__atomic_exchange_n(&shared[random_in(&r, 0, SHARED)], b, __ATOMIC_ACQ_REL),
                 (unsigned)i);
        } else if (i % 4 == 1) {
            size_t slot = random_in(&r, 0, KEPT);

            drop(kept[slot], (unsigned)i / 4);
            kept[slot] = b;
        } else {
            drop(b, (unsigned)i / 4);
        }
    }
    for (i = 0; i < KEPT; i++)
        drop(kept[i], (unsigned)i);
    return NULL;
}

int main(int argc, char **argv)
{
    Work work[THREADS];
    pthread_t thread[THREADS];
    int i, others = argc > 1 && strcmp(argv[1], "other") == 0;

    for (i = 0; i < THREADS; i++) {
        work[i].rounds = scale_of(argc, argv, 2, 250) * 1000;
        work[i].others = others;
        work[i].seed = (uint64_t)i + 1;
        thread[i] = thread_start(work_on, &work[i]);
    }
    for (i = 0; i < THREADS; i++)
        pthread_join(thread[i], NULL);
    for (i = 0; i < SHARED; i++)
        drop(shared[i], (unsigned)i);
    printf("%ld batches\n", 2 * work[0].rounds);
    return 0;
}
