/* SPDX-License-Identifier: MIT */
/*
 * vmalloc replay: from a trace to a plan, and from a plan to figures.
 *
 *   trace  ->  replay_plan.c   who does what, in which slot, on which thread       once
 *   plan   ->  replay_work.c   in a process of its own, on one allocator           for each run
 *   result ->  replay_show.c   a table, or JSON
 *
 * The plan lies in a file without a name that the processes map, so that none of them allocates or
 * parses anything of its own while it is measured:
 *
 *   struct plan_head | first operation of each thread, and the end | operations
 *
 * A slot holds a block from the operation that makes it to the one that takes it.  Slots whose block
 * is made and taken by one thread belong to it and are used again; who takes another thread's
 * block waits until it is there.
 */
#ifndef VMALLOC_TOOL_REPLAY_H
#define VMALLOC_TOOL_REPLAY_H 1

#include "trace.h"

enum plan_kind {
    PLAN_ALLOC,   /* into slot */
    PLAN_ALIGN,
    PLAN_RESIZE,  /* from slot into to */
    PLAN_FREE,    /* slot */
    PLAN_DROP,    /* slot, whose block goes by the operation on its region that follows */
    PLAN_COMPACT,
    PLAN_OPEN,
    PLAN_CLEAR,
    PLAN_CLOSE,
    PLAN_MEET     /* wait until all threads are here */
};

struct plan_op {
    uint64_t size;
    uint32_t slot, to;
    uint32_t align;
    uint32_t region : 28;
    uint32_t kind : 4;
};

struct plan_head {
    uint64_t ops, slots, calls; /* calls: of the program */
    uint64_t peak;              /* most bytes asked for at one time */
    uint32_t threads, regions;
    /* uint64_t first[threads + 1]; struct plan_op op[ops]; */
};

/* What the trace told that cannot be done again. */
struct plan_notes {
    uint64_t unknown;  /* blocks freed or resized that were there before the trace began */
    uint64_t vanished; /* blocks whose address was given out again without a free */
};

/* A descriptor of the plan, -1 with errno. */
int plan_make(const struct trace *t, int onethread, struct plan_notes *notes);
/* Map a plan, NULL with errno. */
const struct plan_head *plan_map(int fd);
static inline const uint64_t *plan_first(const struct plan_head *h)
{
    return (const uint64_t *)(h + 1);
}
static inline const struct plan_op *plan_ops(const struct plan_head *h)
{
    return (const struct plan_op *)(plan_first(h) + h->threads + 1);
}

/* On what a plan is run. */
struct target {
    char name[64];
    char method[16], discipline[16]; /* "": malloc */
    char so[4096];                   /* "": the system's */
};

/* What a run found; 0 done: the process died before its end. */
struct result {
    uint64_t done;
    uint64_t ns;      /* of all threads, from the first call to the last */
    uint64_t peak;    /* bytes by which the process grew at most */
    uint64_t failed;  /* calls that gave no block */
    uint64_t corrupt; /* blocks that did not hold what was written into them */
    char why[128];    /* what could not be done at all, "": nothing */
};

/* The process of one run: descriptors of the plan and of a struct result, and how. */
int replay_child(int planfd, int resultfd, const struct target *how, int check);

/* A target's runs put together: medians of time and peak, sums of what went wrong. */
struct outcome {
    struct target target;
    struct result middle;
    uint64_t least, most; /* nanoseconds */
};
struct replay_info {
    const char *file;
    const struct trace *trace;
    const struct plan_head *plan;
    struct plan_notes notes;
    int reps, check;
};
void replay_table(const struct replay_info *info, const struct outcome *o, size_t n);
void replay_json(const struct replay_info *info, const struct outcome *o, size_t n);

#endif
