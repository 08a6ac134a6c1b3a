/* SPDX-License-Identifier: MIT */
/*
 * Probes for false sharing, after E. Berger et al., "Hoard: a scalable memory allocator for
 * multithreaded applications", ASPLOS 2000.
 *
 *   passive   the main thread allocates small blocks next to each other and gives one to each
 *             thread, which frees it and works on blocks of that size: an allocator that gives it the
 *             same line again lets two threads write one line
 *   active    each thread allocates, works on the block and frees it: an allocator that cuts
 *             blocks for two threads from one line makes them share it
 */
#include "work.h"

enum { THREADS = 2, SIZE = 8, WRITES = 2000 };

typedef struct {
    char *given;
    long rounds;
    uint64_t sum;
} Work;

static void *probe(void *arg)
{
    Work *w = arg;
    long i;
    int k;

    free(w->given);
    for (i = 0; i < w->rounds; i++) {
        volatile char *p = block(SIZE);

        for (k = 0; k < WRITES; k++)
            p[k % SIZE] = (char)(p[k % SIZE] + 1);
        w->sum += (unsigned char)p[0];
        free((char *)p);
    }
    return NULL;
}

int main(int argc, char **argv)
{
    Work work[THREADS];
    pthread_t thread[THREADS];
    uint64_t sum = 0;
    int i, passive = argc > 1 && strcmp(argv[1], "passive") == 0;

    for (i = 0; i < THREADS; i++) {
        work[i].given = passive ? block(SIZE) : NULL;
        work[i].rounds = scale_of(argc, argv, 2, 700) * 1000;
        work[i].sum = 0;
    }
    for (i = 0; i < THREADS; i++)
        thread[i] = thread_start(probe, &work[i]);
    for (i = 0; i < THREADS; i++) {
        pthread_join(thread[i], NULL);
        sum += work[i].sum;
    }
    printf("%s %llu\n", passive ? "passive" : "active", (unsigned long long)sum);
    return 0;
}
