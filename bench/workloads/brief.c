/* SPDX-License-Identifier: MIT */
/* Threads that live for milliseconds: each fills and empties a table of blocks some times
 * and ends; what is left in it is freed by the main thread. */
#include "work.h"

enum { BLOCKS = 2000, LEFT = 20, TIMES = 10 };

typedef struct {
    uint64_t seed;
    char *left[LEFT];
} Work;

static void *live(void *arg)
{
    Work *w = arg;
    Random r = random_from(w->seed);
    char *p[BLOCKS] = {NULL};
    size_t i;

    for (i = 0; i < BLOCKS * TIMES; i++) {
        free(p[i % BLOCKS]);
        p[i % BLOCKS] = block(random_size(&r, 16, 6));
    }
    for (i = 0; i < LEFT; i++)
        w->left[i] = p[i * (BLOCKS / LEFT)];
    for (i = 0; i < BLOCKS; i++)
        if (i % (BLOCKS / LEFT) != 0)
            free(p[i]);
    return NULL;
}

int main(int argc, char **argv)
{
    long i, threads = scale_of(argc, argv, 1, 2500);
    int k, n;

    for (i = 0; i < threads; i += 2) {
        Work work[2];
        pthread_t thread[2];

        for (k = 0; k < 2; k++) {
            work[k].seed = (uint64_t)(i + k + 1);
            thread[k] = thread_start(live, &work[k]);
        }
        for (k = 0; k < 2; k++) {
            pthread_join(thread[k], NULL);
            for (n = 0; n < LEFT; n++)
                free(work[k].left[n]);
        }
    }
    printf("%ld threads\n", threads);
    return 0;
}
