/* SPDX-License-Identifier: MIT */
/*
 * A random test against a model.
 *
 * From a seed comes a list of operations on numbered slots; each is carried out on a region and on
 * a shadow of it, and what the region does must agree with the shadow: alignment, no overlap,
 * contents, sizes, exact statistics, sound structure.  Operations that make no sense where they
 * stand (freeing an empty slot) do nothing, so that every part of a list is a list again.  That is
 * what lets a failing list be cut down (shrink.c; Zeller's ddmin).
 */
#ifndef TEST_MODEL_H
#define TEST_MODEL_H 1

#include <stddef.h>
#include <stdint.h>
#include <vmalloc.h>
#include <vmalloc/discipline.h>

#include "support/checking.h"
#include "support/pattern.h"

enum kind { ALLOC, ALIGN, RESIZE, FREE, BADFREE, CLEAR, COMPACT, CHECK, WALK };

typedef struct op {
    unsigned char kind, type;
    unsigned short slot;
    size_t size, align;
} op_t;

typedef struct setup {
    const char *method, *discipline, *sizes; /* names; see setup.c */
    uint64_t seed;
    size_t nops;
    int single;
} setup_t;

#define SLOTS 512

/* setup.c: the choices, NULL beyond the last; disciplines by name. */
const char *method_name(size_t i);
const char *sizes_name(size_t i);
const char *discipline_name(size_t i);
Vmethod_t *method_of(const char *name);

typedef struct source {
    Vmdisc_t *disc;
    chk_t *chk;   /* NULL: one of the library's */
    char *buffer; /* of a fixed one */
    int bounded;  /* NULL is an answer */
} source_t;
int source_open(source_t *s, const char *discipline);
const char *source_close(source_t *s); /* NULL, or what is wrong */

/* ops.c */
op_t *ops_make(const setup_t *s);
void ops_print(const setup_t *s, const op_t *ops, const size_t *keep, size_t n, const char *program);

/* run.c: carry out those operations whose positions are in keep[0..n).  NULL, or what went wrong. */
const char *run_ops(const setup_t *s, const op_t *ops, const size_t *keep, size_t n);

/* apart_*.c: the same in a child process, where there are such; message gets what went wrong.  0 or -1. */
int run_apart(const setup_t *s, const op_t *ops, const size_t *keep, size_t n, char message[256]);
/* Silence for the messages of the library and of sanitizers while shrinking: what stderr was, -1. */
int hush(void);
/* shrink.c */
/* Cut keep[] down to what still fails; the new length. */
size_t shrink(const setup_t *s, const op_t *ops, size_t *keep, size_t n, unsigned seconds);

#endif
