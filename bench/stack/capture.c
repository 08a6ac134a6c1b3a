/* SPDX-License-Identifier: MIT */
/*
 * What a stack costs: nanoseconds for a capture of 10 and of 30 frames, by this library's walker,
 * by glibc's backtrace(), and by frame pointers alone where the program has them.
 */
#define _GNU_SOURCE 1
#include "stack.h"

#include <execinfo.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define MOST 64

typedef size_t capture_f(void **pcs, size_t max);

static volatile size_t frames; /* what the last capture found */

static size_t by_rules(void **pcs, size_t max)
{
    return vmsk_capture(pcs, max, 0);
}

static size_t by_rules_kept(void **pcs, size_t max)
{
    size_t n = vmsk_capture(pcs, max, 0);
    return vmsk_intern(pcs, n) != 0 ? n : 0;
}

static size_t by_backtrace(void **pcs, size_t max)
{
    return (size_t)backtrace(pcs, (int)max);
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

/* The best of several rounds, in ns. */
static double measure(capture_f *f, size_t max, size_t times)
{
    void *pcs[MOST];
    double best = 1e18;
    for (int round = 0; round < 9; round++) {
        double begin = now(), each;
        for (size_t i = 0; i < times; i++)
            frames = f(pcs, max);
        each = (now() - begin) / (double)times;
        best = each < best ? each : best;
    }
    return best;
}

static __attribute__((noinline)) void report(void)
{
    static const struct {
        const char *name;
        capture_f *f;
        size_t times;
    } ways[] = {{"vmsk_capture", by_rules, 200000},
                {"vmsk_capture + vmsk_intern", by_rules_kept, 200000},
                {"glibc backtrace", by_backtrace, 5000}};
    for (size_t i = 0; i < sizeof(ways) / sizeof(*ways); i++) {
        for (size_t max = 10; max <= 30; max += 20) {
            double ns = measure(ways[i].f, max, ways[i].times);
            printf("%-28s %2zu frames %8.1f ns\n", ways[i].name, (size_t)frames, ns);
        }
    }
}

/* Five functions, so that the frames are not all alike. */
static void down(int depth);
#define STEP(name, size)                                                                         \
    static __attribute__((noinline)) void name(int depth)                                        \
    {                                                                                            \
        volatile char room[size];                                                                \
        room[0] = (char)depth;                                                                   \
        down(depth - room[0] + room[0]);                                                         \
        room[size - 1] = room[0];                                                                \
    }
STEP(step0, 16)
STEP(step1, 40)
STEP(step2, 100)
STEP(step3, 300)
STEP(step4, 24)

static __attribute__((noinline)) void down(int depth)
{
    static void (*const steps[])(int) = {step0, step1, step2, step3, step4};
    if (depth == 0)
        report();
    else
        steps[depth % 5](depth - 1);
    __asm__ volatile(""); /* no tail call */
}

int main(void)
{
    down(20);
    return 0;
}
