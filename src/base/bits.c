/* SPDX-License-Identifier: MIT */
/*
 * Bitmaps, a word of 64 bits at a time.
 *
 *   word   0           1                    n
 *   bit    |0 ... 63|  |64 ... 127|  ...    |64n ...|
 *
 * Bit i is bit i % 64, counted from the low end, of word i / 64.  Cost: words touched.
 */
#include "base.h"

#define WORD(i) ((i) >> 6)
#define FROM(i) (~(uint64_t)0 << ((i) & 63))        /* bits i and above in i's word */
#define UPTO(i) (~(uint64_t)0 >> (63 - ((i) & 63))) /* bits i and below in i's word */

void vmb_bits_set(uint64_t *map, size_t from, size_t n)
{
    size_t w = WORD(from), last;
    uint64_t mask = FROM(from);
    if (n == 0)
        return;
    for (last = WORD(from + n - 1); w < last; w++) {
        map[w] |= mask;
        mask = ~(uint64_t)0;
    }
    map[w] |= mask & UPTO(from + n - 1);
}

void vmb_bits_clear(uint64_t *map, size_t from, size_t n)
{
    size_t w = WORD(from), last;
    uint64_t mask = FROM(from);
    if (n == 0)
        return;
    for (last = WORD(from + n - 1); w < last; w++) {
        map[w] &= ~mask;
        mask = ~(uint64_t)0;
    }
    map[w] &= ~(mask & UPTO(from + n - 1));
}

/* Both searches in one: flip is all ones to look for a 0. */
VMOS_INLINE size_t next(const uint64_t *map, size_t from, size_t n, uint64_t flip)
{
    size_t w, last;
    uint64_t x;
    if (from >= n)
        return n;
    w = WORD(from);
    last = WORD(n - 1);
    x = (map[w] ^ flip) & FROM(from);
    while (x == 0) {
        if (w == last)
            return n;
        x = map[++w] ^ flip;
    }
    from = w * 64 + (size_t)vmb_ctz(x);
    return VMB_MIN(from, n);
}

size_t vmb_bits_next1(const uint64_t *map, size_t from, size_t n)
{
    return next(map, from, n, 0);
}

size_t vmb_bits_next0(const uint64_t *map, size_t from, size_t n)
{
    return next(map, from, n, ~(uint64_t)0);
}

size_t vmb_bits_prev1(const uint64_t *map, size_t from)
{
    size_t w = WORD(from);
    uint64_t x = map[w] & UPTO(from);
    while (x == 0) {
        if (w == 0)
            return (size_t)-1;
        x = map[--w];
    }
    return w * 64 + 63 - (size_t)__builtin_clzll(x);
}
