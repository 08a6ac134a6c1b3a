/* SPDX-License-Identifier: MIT */
/*
 * Traces as the command reads them, in either form; <vmalloc/trace.h> tells both.
 *
 *   file  ->  trace_text.c, trace_binary.c  ->  struct trace: events in the order of the sequence
 *
 * Nothing in a file is believed.  Of one that is damaged or cut off, what could be read is there.
 */
#ifndef VMALLOC_TOOL_TRACE_H
#define VMALLOC_TOOL_TRACE_H 1

#include <stddef.h>
#include <stdint.h>

/* From 64-bit numbers to 32-bit ones; open addressing, grows at two thirds. */
struct trace_map {
    uint64_t *key;
    uint32_t *value; /* TRACE_NONE: the place is free */
    size_t size, used;
};
#define TRACE_NONE UINT32_MAX

/* A call, or what became of a region. */
struct trace_event {
    uint64_t seq;  /* text: number of the line, from 1 on */
    uint64_t time; /* nanoseconds since the trace began; text: 0 */
    uint64_t old, new, size;
    uint64_t moved; /* see VM_TRRESIZE */
    uint32_t align;
    uint32_t region; /* index */
    uint32_t thread; /* index, from 0 on; text: 0 */
    uint8_t kind;    /* VM_TRALLOC, ... */
};

struct trace_region {
    uint64_t address;
    char method; /* letter */
};

struct trace {
    struct trace_event *event;
    size_t events, room;
    struct trace_region *region;
    uint32_t regions, regionroom;
    struct trace_map known; /* regions by address and method */
    uint32_t threads;
    int binary;
    int ended;      /* the program came to its end; text: not known, 1 */
    uint64_t lost;  /* calls that are not in the file, as it says itself */
    uint64_t bad;   /* lines or chunks that could not be read */
    char damage[160]; /* the first thing that was wrong, "" when nothing was */
};

/* 0, also when there is damage; -1: there is nothing to read, and damage says why. */
int trace_read(struct trace *t, const char *path);
/* The same from memory. */
int trace_parse(struct trace *t, const unsigned char *data, size_t size);
void trace_free(struct trace *t);
/* The events as lines on standard output. */
void trace_print(const struct trace *t);

/* ---- among the readers; -1: no memory ---- */

int trace_text(struct trace *t, const char *data, size_t size);
int trace_binary(struct trace *t, const unsigned char *data, size_t size);
int trace_add(struct trace *t, const struct trace_event *e);
/* Index of a region; fresh: it was opened just now, and is another one than before at this
 * address.  TRACE_NONE: no memory. */
uint32_t trace_region(struct trace *t, uint64_t address, char method, int fresh);
/* Something is wrong; the first is kept, all are counted. */
void trace_damage(struct trace *t, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* ---- maps (trace_map.c) ---- */

uint32_t trace_map_get(const struct trace_map *m, uint64_t key); /* TRACE_NONE: not there */
int trace_map_put(struct trace_map *m, uint64_t key, uint32_t value);
/* Its value, which is taken out. */
uint32_t trace_map_take(struct trace_map *m, uint64_t key);
void trace_map_free(struct trace_map *m);

#endif
