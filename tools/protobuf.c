/* SPDX-License-Identifier: MIT */
/* protobuf: see protobuf.h. */
#include "protobuf.h"

#include <stdlib.h>
#include <string.h>

void buffer_free(buffer_t *b)
{
    free(b->bytes);
    *b = (buffer_t){0};
}

void buffer_clear(buffer_t *b)
{
    b->n = 0;
}

void buffer_add(buffer_t *b, const void *bytes, size_t n)
{
    size_t room = b->room ? b->room : 256;
    unsigned char *more;

    while (room - b->n < n)
        room *= 2;
    if (room != b->room) {
        more = realloc(b->bytes, room);
        if (!more) {
            b->failed = 1;
            return;
        }
        b->bytes = more;
        b->room = room;
    }
    if (n > 0)
        memcpy(b->bytes + b->n, bytes, n);
    b->n += n;
}

void pb_varint(buffer_t *b, uint64_t x)
{
    unsigned char digits[10];
    size_t n = 0;

    for (; x > 127; x >>= 7)
        digits[n++] = (unsigned char)(x & 127) | 128;
    digits[n++] = (unsigned char)x;
    buffer_add(b, digits, n);
}

void pb_number(buffer_t *b, unsigned field, uint64_t x)
{
    if (x == 0)
        return;
    pb_varint(b, field << 3);
    pb_varint(b, x);
}

void pb_bytes(buffer_t *b, unsigned field, const void *bytes, size_t n)
{
    pb_varint(b, field << 3 | 2);
    pb_varint(b, n);
    buffer_add(b, bytes, n);
}

void pb_message(buffer_t *b, unsigned field, const buffer_t *message)
{
    b->failed |= message->failed;
    pb_bytes(b, field, message->bytes, message->n);
}
