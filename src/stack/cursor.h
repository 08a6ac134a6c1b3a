/* SPDX-License-Identifier: MIT */
/*
 * Reading DWARF's numbers from memory.  A cursor never passes its end: what would is 0, and the
 * cursor is bad from then on.
 */
#ifndef VMSK_CURSOR_H
#define VMSK_CURSOR_H 1

#include "base.h"

#include <string.h>

typedef struct cursor {
    const unsigned char *p, *end;
    int bad;
} cursor_t;

VMOS_INLINE size_t cursor_left(const cursor_t *c)
{
    return c->bad ? 0 : (size_t)(c->end - c->p);
}

static inline uint64_t cursor_fixed(cursor_t *c, size_t size)
{
    uint8_t b1;
    uint16_t b2;
    uint32_t b4;
    uint64_t b8 = 0;
    if (cursor_left(c) < size) {
        c->bad = 1;
        return 0;
    }
    switch (size) {
    case 1: memcpy(&b1, c->p, 1), b8 = b1; break;
    case 2: memcpy(&b2, c->p, 2), b8 = b2; break;
    case 4: memcpy(&b4, c->p, 4), b8 = b4; break;
    default: memcpy(&b8, c->p, 8); break;
    }
    c->p += size;
    return b8;
}

static inline uint64_t cursor_leb(cursor_t *c, int is_signed)
{
    uint64_t x = 0;
    unsigned shift = 0, byte;
    do {
        byte = (unsigned)cursor_fixed(c, 1);
        if (shift < 64)
            x |= (uint64_t)(byte & 0x7f) << shift;
        shift += 7;
    } while (byte & 0x80);
    if (is_signed && shift < 64 && (byte & 0x40))
        x |= ~(uint64_t)0 << shift;
    return x;
}

#define CURSOR_ULEB(c) cursor_leb(c, 0)
#define CURSOR_SLEB(c) ((int64_t)cursor_leb(c, 1))

/* A cursor over the next n bytes, which c passes over. */
static inline cursor_t cursor_part(cursor_t *c, uint64_t n)
{
    cursor_t part = {c->p, c->p, 1};
    if (cursor_left(c) < n) {
        c->bad = 1;
        return part;
    }
    c->p += n;
    part.end = c->p;
    part.bad = 0;
    return part;
}

#endif
