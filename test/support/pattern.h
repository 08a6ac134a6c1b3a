/* SPDX-License-Identifier: MIT */
/* Contents of blocks that tell whose they are, and a small random generator. */
#ifndef TEST_PATTERN_H
#define TEST_PATTERN_H 1

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Weyl sequence with a mixing step (splitmix64; Steele, Lea and Flood, 2014). */
static inline uint64_t rnd_next(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15ULL;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    return z ^ (z >> 31);
}

static inline size_t rnd_below(uint64_t *state, size_t n)
{
    return n ? (size_t)(rnd_next(state) % n) : 0;
}

/* Byte i of pattern id; no pattern has long runs of equal bytes, so that a shift shows. */
static inline unsigned char pat_byte(uint64_t id, size_t i)
{
    return (unsigned char)((id * 0x9d + i * 0x35 + (i >> 8) * 0x1f + 0x11) & 0xff);
}

static inline void pat_fill(void *p, size_t from, size_t to, uint64_t id)
{
    unsigned char *b = (unsigned char *)p;
    size_t i;
    for (i = from; i < to; i++)
        b[i] = pat_byte(id, i);
}

/* Offset of the first byte in [0, n) that is not the pattern's, n when all are. */
static inline size_t pat_differs(const void *p, size_t n, uint64_t id)
{
    const unsigned char *b = (const unsigned char *)p;
    size_t i;
    for (i = 0; i < n && b[i] == pat_byte(id, i); i++)
        continue;
    return i;
}

/* The same for zeros in [from, to). */
static inline size_t pat_notzero(const void *p, size_t from, size_t to)
{
    const unsigned char *b = (const unsigned char *)p;
    size_t i;
    for (i = from; i < to && b[i] == 0; i++)
        continue;
    return i;
}

#endif
