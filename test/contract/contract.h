/* SPDX-License-Identifier: MIT */
/*
 * The contract suite: every case of the public contract, over every pair of discipline and method.
 *
 * A case is a function on a ct_t, which carries the pair; main.c runs it for each method it is
 * meant for, with and without VM_SINGLE, over each discipline that has the memory it needs.
 * Adding a discipline is a line in disciplines.c, adding a case a function and a line in the table
 * at the end of its file.
 */
#ifndef TEST_CONTRACT_H
#define TEST_CONTRACT_H 1

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <vmalloc.h>
#include <vmalloc/discipline.h>

#include "support/checking.h"
#include "support/pattern.h"

#define KIB ((size_t)1 << 10)
#define MIB ((size_t)1 << 20)

enum { BEST = 1, LAST = 2, POOL = 4, GENERAL = BEST | LAST, ALL = BEST | LAST | POOL };

typedef struct ct ct_t;

typedef struct ct_disc {
    const char *name;
    Vmdisc_t *(*make)(ct_t *t); /* NULL: not on this system */
    void (*drop)(ct_t *t);
    size_t capacity; /* bytes there are; 0: plenty */
    uint64_t arg;
} ct_disc_t;

struct ct {
    const ct_disc_t *d;
    Vmethod_t *meth;
    int which; /* BEST, LAST or POOL */
    int debugged; /* by Vmdebug over that one */
    int flags;
    Vmdisc_t *disc;
    Vmalloc_t *vm;
    chk_t *chk; /* the discipline, when it is one that watches */
    Vmalloc_t *parent;
    char *buffer;
    size_t psize; /* what one() asks for: Vmpool takes one size only */
};

typedef struct ct_case {
    const char *name;
    void (*run)(ct_t *t);
    int methods; /* BEST | ... */
    size_t need; /* bytes that the discipline must have */
    int once;    /* 1: makes its own disciplines, runs once for a method */
} ct_case_t;

extern const ct_disc_t ct_discs[];      /* ends with name NULL */
extern const ct_case_t *const ct_cases[]; /* one table for each file, each ends with name NULL */

void ct_fail(const char *file, int line, const char *what) __attribute__((noreturn));
#define CHECK(cond) ((cond) ? (void)0 : ct_fail(__FILE__, __LINE__, #cond))

/* Open and close the region of the case; close checks the structure, and that all came back. */
void ct_open(ct_t *t);
void ct_close(ct_t *t);
/* The same on a checking discipline of the case's own, left in t->chk by chk_new(). */
void ct_openchk(ct_t *t, chk_t *chk);
void ct_closechk(ct_t *t);

/* Statistics now; n_busy and s_busy. */
Vmstat_t ct_stat(Vmalloc_t *vm);
size_t ct_nbusy(Vmalloc_t *vm);
size_t ct_sbusy(Vmalloc_t *vm);

/* A block of size bytes, or of t->psize for Vmpool, filled with pattern id; checks alignment. */
void *ct_one(ct_t *t, size_t size, uint64_t id);
/* The size that ct_one() asks for. */
size_t ct_size(const ct_t *t, size_t size);
/* The contents of a block from ct_one(). */
void ct_same(const void *p, size_t size, uint64_t id);

/* errno is what it was before the call that is given. */
#define KEEPS_ERRNO(call)                                                                        \
    do {                                                                                         \
        errno = 12345;                                                                           \
        call;                                                                                    \
        CHECK(errno == 12345);                                                                   \
    } while (0)
/* The call gives value and sets errno. */
#define FAILS(call, value, error)                                                                \
    do {                                                                                         \
        errno = 0;                                                                               \
        CHECK((call) == (value));                                                                \
        CHECK(errno == (error));                                                                 \
    } while (0)

/* debug_*.c: Vmdebug, or NULL where it is left out. */
Vmethod_t *ct_debug(int which);

#endif
