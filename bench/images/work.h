/* SPDX-License-Identifier: MIT */
/*
 * The work of the benchmarks of images: a map from 64-bit numbers to 64-bit numbers.
 *
 *   PROGRAM load FILE N          insert N pairs, one commit; then close
 *   PROGRAM read FILE N          open, look N of them up
 *   PROGRAM batch FILE K MS      inserts with a durable commit after each K, for so many milliseconds
 *   PROGRAM loose FILE K MS      the same, safe only from the death of the process
 *
 * Prints operations, seconds and seconds of processor time, tab-separated.
 */
#ifndef BENCH_IMAGES_WORK_H
#define BENCH_IMAGES_WORK_H 1

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

typedef struct peer {
    void (*open)(const char *path, int durable, uint64_t n);
    void (*begin)(void);
    void (*put)(uint64_t key, uint64_t value);
    int (*get)(uint64_t key, uint64_t *value);
    void (*commit)(void);
    void (*close)(void);
} peer_t;

static inline void must(int ok, const char *what)
{
    if (!ok) {
        perror(what);
        exit(1);
    }
}

static inline double clock_of(clockid_t which)
{
    struct timespec t;
    clock_gettime(which, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* The i-th key: splitmix64 (Steele, Lea, Flood 2014). */
static inline uint64_t key_of(uint64_t i)
{
    uint64_t x = (i + 1) * 0x9e3779b97f4a7c15u;
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
    x = (x ^ x >> 27) * 0x94d049bb133111ebu;
    return x ^ x >> 31;
}

static inline void load(const peer_t *p, const char *path, uint64_t n)
{
    uint64_t i;
    p->open(path, 1, n);
    p->begin();
    for (i = 0; i < n; i++)
        p->put(key_of(i), i);
    p->commit();
    p->close();
}

static inline void look(const peer_t *p, const char *path, uint64_t n)
{
    uint64_t i, v;
    p->open(path, 1, n);
    p->begin();
    for (i = 0; i < n; i++)
        must(p->get(key_of(i), &v) && v == i, "a pair is not there");
    p->close();
}

static inline uint64_t batches(const peer_t *p, const char *path, uint64_t k, double seconds, int durable)
{
    uint64_t n = 0, i;
    double end;
    p->open(path, durable, 1000000);
    end = clock_of(CLOCK_MONOTONIC) + seconds;
    while (clock_of(CLOCK_MONOTONIC) < end) {
        p->begin();
        for (i = 0; i < k; i++, n++)
            p->put(key_of(n), n);
        p->commit();
    }
    p->close();
    return n;
}

static inline int work(const peer_t *p, int argc, char **argv)
{
    uint64_t n;
    double t = clock_of(CLOCK_MONOTONIC), c = clock_of(CLOCK_PROCESS_CPUTIME_ID);
    must(argc >= 4, "arguments");
    n = strtoull(argv[3], NULL, 10);
    if (strcmp(argv[1], "load") == 0)
        load(p, argv[2], n);
    else if (strcmp(argv[1], "read") == 0)
        look(p, argv[2], n);
    else
        n = batches(p, argv[2], n, atof(argv[4]) / 1000, strcmp(argv[1], "batch") == 0);
    printf("%llu\t%.4f\t%.4f\n", (unsigned long long)n, clock_of(CLOCK_MONOTONIC) - t,
           clock_of(CLOCK_PROCESS_CPUTIME_ID) - c);
    return 0;
}

#endif
