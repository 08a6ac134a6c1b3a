/* SPDX-License-Identifier: MIT */
/*
 * gzip_stored: the format of gzip (RFC 1952) with stored blocks (RFC 1951, 3.2.4).
 *
 *   | head, 10 bytes | block | block | ... | CRC-32 | size |
 *   block   | 1: it is the last one | n, 2 bytes | ~n | n bytes |
 */
#include "gzip.h"

#include <stdint.h>

#define MOST 65535u

static uint32_t crc_of(const unsigned char *s, size_t n)
{
    uint32_t table[256], crc = ~0u, i, k, x;

    for (i = 0; i < 256; i++) {
        for (x = i, k = 0; k < 8; k++)
            x = x >> 1 ^ (x & 1 ? 0xedb88320u : 0);
        table[i] = x;
    }
    while (n-- > 0)
        crc = crc >> 8 ^ table[(crc ^ *s++) & 255];
    return ~crc;
}

static void put_little(FILE *out, uint32_t x, int n)
{
    for (; n > 0; n--, x >>= 8)
        fputc((int)(x & 255), out);
}

int gzip_put(FILE *out, const unsigned char *bytes, size_t n)
{
    static const unsigned char head[10] = {0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255};
    size_t at = 0, piece;

    fwrite(head, 1, sizeof(head), out);
    do {
        piece = n - at < MOST ? n - at : MOST;
        fputc(at + piece == n, out);
        put_little(out, (uint32_t)piece, 2);
        put_little(out, ~(uint32_t)piece, 2);
        fwrite(bytes + at, 1, piece, out);
        at += piece;
    } while (at < n);
    put_little(out, crc_of(bytes, n), 4);
    put_little(out, (uint32_t)n, 4);
    return 0;
}
