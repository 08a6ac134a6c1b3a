/* SPDX-License-Identifier: MIT */
/*
 * sum: checksums of pages and headers.
 *
 * Four rows of "multiply, fold the halves" side by side, as in wyhash (Wang Yi): 64 bits that are far
 * beyond chance, for torn writes and for telling changed pages from others; not for enemies.
 * Cost: about 10 bytes a nanosecond, less than the copy from memory.
 */
#include "format.h"

#include <string.h>

#define K0 0xa0761d6478bd642fULL
#define K1 0xe7037ed1a0b428dbULL
#define K2 0x8ebc6af09c88c6e3ULL
#define K3 0x589965cc75374cc3ULL

VMOS_INLINE uint64_t fold(uint64_t x, uint64_t y)
{
    return (x * y) ^ vmb_mulhi(x, y);
}

uint64_t vmi_sum(const void *from, size_t n, uint64_t seed)
{
    uint64_t a = seed ^ K0, b = seed ^ K1, c = seed ^ K2, d = seed ^ K3, w[8], sum;
    const char *p = from;
    size_t left = n;
    for (; left >= 64; left -= 64, p += 64) {
        memcpy(w, p, 64);
        a = fold(a ^ w[0], K1 ^ w[1]);
        b = fold(b ^ w[2], K2 ^ w[3]);
        c = fold(c ^ w[4], K3 ^ w[5]);
        d = fold(d ^ w[6], K0 ^ w[7]);
    }
    for (; left >= 8; left -= 8, p += 8) {
        memcpy(w, p, 8);
        a = fold(a ^ w[0], K2 ^ left);
    }
    sum = fold(fold(a ^ K3, b ^ n) ^ c, d ^ K2) ^ fold(a ^ c, K1 ^ b ^ d);
    return sum != 0 ? sum : 1;
}

/* The copy is still in the nearest cache when it is summed. */
uint64_t vmi_copysum(void *to, const void *from, size_t n)
{
    memcpy(to, from, n);
    return vmi_sum(to, n, 0);
}
