/* SPDX-License-Identifier: MIT */
/*
 * protobuf: messages of protocol buffers in memory, as described in
 * https://protobuf.dev/programming-guides/encoding:
 *
 *   field   | number << 3 | type, as a varint | varint, or length and bytes |
 *
 * What fails for want of memory is told once, by buffer.failed.
 */
#ifndef VMALLOC_PROTOBUF_H
#define VMALLOC_PROTOBUF_H 1

#include <stddef.h>
#include <stdint.h>

typedef struct buffer {
    unsigned char *bytes;
    size_t n, room;
    int failed;
} buffer_t;

void buffer_free(buffer_t *b);
void buffer_clear(buffer_t *b);
void buffer_add(buffer_t *b, const void *bytes, size_t n);
/* A bare varint, for packed fields. */
void pb_varint(buffer_t *b, uint64_t x);
/* Fields.  Numbers that are 0 are left out, as is the custom. */
void pb_number(buffer_t *b, unsigned field, uint64_t x);
void pb_bytes(buffer_t *b, unsigned field, const void *bytes, size_t n);
void pb_message(buffer_t *b, unsigned field, const buffer_t *message);

#endif
