/* SPDX-License-Identifier: MIT */
/*
 * Shared by the workloads: pseudo-random numbers, allocation that does not fail, threads.
 *
 * A workload uses malloc's family only, does the same whatever the allocator, and prints a line
 * that shows it worked; bench/run measures it from outside.  Its first argument scales it, where it
 * has one.
 */
#ifndef BENCH_WORK_H
#define BENCH_WORK_H 1

#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef struct {
    uint64_t state;
} Random;

/* xorshift64*, Marsaglia 2003 and Vigna 2016: cheap enough not to be what is measured. */
static inline uint64_t random_next(Random *r)
{
    r->state ^= r->state >> 12;
    r->state ^= r->state << 25;
    r->state ^= r->state >> 27;
    return r->state * UINT64_C(2685821657736338717);
}

static inline Random random_from(uint64_t seed)
{
    Random r = {seed * UINT64_C(0x9E3779B97F4A7C15) + 1};

    return r;
}

/* A number from low up to, without, high. */
static inline size_t random_in(Random *r, size_t low, size_t high)
{
    return low + (size_t)(((random_next(r) >> 32) * (uint64_t)(high - low)) >> 32);
}

/* Small sizes are common and large ones rare: each doubling is half as likely. */
static inline size_t random_size(Random *r, size_t low, unsigned doublings)
{
    unsigned shift = (unsigned)__builtin_ctzll(random_next(r) | (UINT64_C(1) << doublings));

    return random_in(r, low << shift, (low << shift) * 2);
}

static inline _Noreturn void give_up(const char *why)
{
    fprintf(stderr, "%s\n", why);
    exit(1);
}

static inline void *must(void *p)
{
    if (!p)
        give_up("out of memory");
    return p;
}

/* A block whose first and last bytes are written. */
static inline char *block(size_t size)
{
    char *p = must(malloc(size));

    p[0] = (char)size;
    p[size - 1] = (char)size;
    return p;
}

static inline long scale_of(int argc, char **argv, int index, long otherwise)
{
    return argc > index ? strtol(argv[index], NULL, 10) : otherwise;
}

static inline pthread_t thread_start(void *(*f)(void *), void *arg)
{
    pthread_t thread;

    if (pthread_create(&thread, NULL, f, arg) != 0)
        give_up("no thread");
    return thread;
}

#endif
