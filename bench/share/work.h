/* SPDX-License-Identifier: MIT */
/*
 * The work that processes do in shared memory: 4096 slots, all in reach of all; a process takes what is in
 * a random slot out and frees it, whoever allocated it, and puts a new block of a random size there.
 *
 * A program defines attach(), take() and drop(), includes this, and is called as
 *     NAME [processes [operations [largest size]]]
 * It prints processor nanoseconds and elapsed ones for each pair of take and drop.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define SLOTS 4096


static unsigned long rnd(unsigned long *s)
{
    *s ^= *s << 13;
    *s ^= *s >> 7;
    *s ^= *s << 17;
    return *s;
}

static void process(unsigned long seed, long n, unsigned long largest, long *shared)
{
    long i;

    attach();
    for (i = 0; i < n; i++) {
        long *at = &shared[rnd(&seed) % SLOTS];
        char *p = take(8 + rnd(&seed) % largest), *old;

        *p = 1;
        old = (char *)__atomic_exchange_n(at, (long)p, __ATOMIC_ACQ_REL);
        if (old != NULL)
            drop(old);
    }
}

static double seconds(const struct timeval *t)
{
    return (double)t->tv_sec + (double)t->tv_usec / 1e6;
}

static int measure(int argc, char **argv, long *shared)
{
    int nproc = argc > 1 ? atoi(argv[1]) : 2, i;
    long n = argc > 2 ? atol(argv[2]) : 2000000;
    unsigned long largest = argc > 3 ? strtoul(argv[3], NULL, 10) : 256;
    struct timespec from, to;
    struct rusage used;
    double wall;

    clock_gettime(CLOCK_MONOTONIC, &from);
    for (i = 0; i < nproc; i++)
        if (fork() == 0) {
            process((unsigned long)i * 77 + 12345, n / nproc, largest, shared);
            _exit(0);
        }
    while (wait(NULL) > 0)
        continue;
    clock_gettime(CLOCK_MONOTONIC, &to);
    getrusage(RUSAGE_CHILDREN, &used);
    wall = (double)(to.tv_sec - from.tv_sec) + (double)(to.tv_nsec - from.tv_nsec) / 1e9;
    printf("%d processes, to %lu bytes: %.0f ns of processor, %.0f ns elapsed\n", nproc, largest,
           (seconds(&used.ru_utime) + seconds(&used.ru_stime)) * 1e9 / (double)n,
           wall * 1e9 / (double)n);
    return 0;
}
