/* SPDX-License-Identifier: MIT */
/*
 * draw: which blocks are samples, and how many blocks a sample stands for.
 *
 * Samples are the points of a Poisson process on the bytes that a thread asks for: from one to the
 * next the distance is exponential with mean P, the period.  A block of s bytes is sampled when a
 * point falls on it, that is with probability p = 1 - exp(-s/P), whatever was sampled before, and
 * stands for 1/p blocks.  So all sums are right on average (Horvitz and Thompson, 1952), and no
 * pattern of sizes in the program can hide from them.  Small blocks count with the size of Vmbest's
 * class for them: then all of a class have the same p, and malloc() can count blocks in place of bytes.
 *
 * The variance that a sample adds is (s/p)^2 (1-p) <= P^2: two standard errors of a sum of bytes
 * are at most 2 P sqrt(samples).
 *
 * Without libm, which would be a library more in every program: logarithm and exponential to some
 * 1e-12 by series.  They are only needed once per sample.
 */
#include "best.h"
#include "profile.h"

__thread int64_t vmpf_left = VMPF_UNDRAWN / 2 * 3; /* far from both ends: nothing overflows */

/* ln(x) for 0 < x <= 1: x = m 2^-e with m in [1/2, 1), ln(m) = 2 artanh((m-1)/(m+1)). */
static double logarithm(double x)
{
    double s, square, sum = 0;
    int e = 0;
    while (x < 0.5)
        x *= 2, e++;
    s = (x - 1) / (x + 1);
    square = s * s;
    for (int k = 25; k > 0; k -= 2)
        sum = sum * square + 1.0 / k;
    return 2 * s * sum - e * 0.69314718055994530942;
}

/* 1 - exp(-x) for x >= 0: by series for x / 64, then e^(64 y) by squaring, without losing small
 * results: with a = 1 - e^-y, 1 - e^-2y = a (2 - a). */
static double hit(double x)
{
    double y = x / 64, a = 0;
    if (x > 40)
        return 1;
    for (int k = 12; k > 0; k--)
        a = y / k * (1 - a);
    for (int i = 0; i < 6; i++)
        a *= 2 - a;
    return a;
}

size_t vmpf_bytes(size_t size)
{
    return size <= BE_SMALLMAX ? vmbe_classbytes[vmbe_class(size)] : size;
}

double vmpf_weight(size_t size)
{
    return 1 / hit((double)vmpf_bytes(size) / (double)vmpf_settings.period);
}

uint64_t vmpf_round(double x, uint64_t salt)
{
    uint64_t whole = (uint64_t)x;
    double rest = x - (double)whole;
    return whole + ((double)(vmb_mix(salt) >> 11) < rest * 9007199254740992.0);
}

/* Sequences of threads differ by their books' numbers.  Marsaglia's xorshift64*. */
static uint64_t next(vmpf_book_t *b)
{
    uint64_t x = b->random;
    if (x == 0)
        x = vmpf_settings.seed != 0 ? vmb_mix(vmpf_settings.seed + b->number) | 1
                                    : vmos_random() | 1;
    x ^= x >> 12;
    x ^= x << 25;
    x ^= x >> 27;
    b->random = x;
    return x * 0x2545f4914f6cdd1dULL;
}

/* Bytes up to the next point. */
static double distance(vmpf_book_t *b)
{
    double u = ((double)(next(b) >> 11) + 1) / 9007199254740992.0; /* (0, 1] */
    return -logarithm(u) * (double)vmpf_settings.period;
}

/* The chance that there are n or more is that of a distance of n sizes, (1-p)^n. */
int64_t vmpf_draw_blocks(vmpf_book_t *b, size_t size)
{
    double blocks = distance(b) / (double)size;
    return blocks < 1e18 ? (int64_t)blocks : (int64_t)1e18;
}

void vmpf_draw(vmpf_book_t *b)
{
    double bytes = distance(b);
    int64_t left = bytes < 1 ? 1 : (int64_t)bytes;
    b->drawn += (uint64_t)left;
    vmpf_left = left;
}
