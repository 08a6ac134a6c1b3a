/* SPDX-License-Identifier: MIT */
/*
 * report: what the forms of "vmalloc report" share: the profile, its names, the measures, the
 * command line.  A form is a function in the table of report.c.
 */
#ifndef VMALLOC_REPORT_H
#define VMALLOC_REPORT_H 1

#include "profile_read.h"

#include <stdio.h>

/* ---- names (report_names.c) ---- */

/* A function on a stack; texts are never NULL. */
typedef struct report_frame {
    const char *function; /* "" unknown */
    const char *file;     /* with its folder, "" unknown */
    const char *module;   /* path of the program or library, "" unknown */
    uint64_t offset;      /* of the instruction in the module's addresses, or its address */
    int line;             /* 0 unknown */
    int inlined;          /* it was inlined into the next frame */
    int inner;            /* it is a function of the C++ library */
    int library;          /* it lies in a library of the system, which the program is not of, or is _start() */
} report_frame_t;

typedef struct report_names report_names_t;
/* Names of all that stands in the profile's stacks.  inner: with the insides of libraries; else as
 * report_fold() leaves them.  NULL: no memory. */
report_names_t *report_names_make(const profile_t *p, int inner);
void report_names_free(report_names_t *names);
/* Numbers of the frames of a stack, innermost first, those of the allocator left out; *n of them.
 * stack: index in the profile, -1: none. */
const uint32_t *report_stack(const report_names_t *names, int stack, size_t *n);
const report_frame_t *report_frame(const report_names_t *names, uint32_t number);
size_t report_nframes(const report_names_t *names);
/* "function file.c:12", as short as it can be told apart; to has room for size bytes. */
void report_frame_text(const report_frame_t *f, char *to, size_t size);
/* File name and line of a frame or of its module, "" unknown. */
void report_frame_place(const report_frame_t *f, char *to, size_t size);

/* ---- the insides of libraries (report_fold.c) ---- */

/* Whether the module of that path is a library of the system, and the program exe is not. */
int report_is_library(const char *module, const char *exe);
/* Leave out of a stack of n frames, innermost first, what lies inside of libraries; how many stay. */
size_t report_fold(const report_frame_t *frames, uint32_t *stack, size_t n);

/* ---- names of C++ (report_cxx.c) ---- */

/* Leave out of a name, in place, what templates have by default. */
void report_cxx_short(char *name);
/* Whether it is a function of the C++ library. */
int report_cxx_inner(const char *function);

/* ---- measures (report_measure.c) ---- */

typedef struct report_measure {
    const char *name;  /* as --by has it */
    const char *title; /* of a list by it */
    int bytes;         /* it is bytes, not blocks */
    uint64_t (*of)(const profile_site_t *s);
    uint64_t (*blocks)(const profile_site_t *s); /* the blocks that have these bytes */
    /* What it is told beside, as a part of it or divided by it; NULL: nothing. */
    uint64_t (*whole)(const profile_t *p, const profile_site_t *s);
} report_measure_t;
extern const report_measure_t report_measures[]; /* ends with name NULL */
const report_measure_t *report_measure(const char *name);
/* Why the profile does not tell it, and what to do; NULL: it does. */
const char *report_lacks(const profile_t *p, const report_measure_t *m);
/* Bytes asked for in which unused ones were looked for. */
uint64_t report_looked(const profile_t *p, const profile_site_t *s);
/* 1.25 MiB; 1 234 567; 1.5 s.  Into to, of at least 32 bytes, which is returned. */
char *report_bytes(char *to, uint64_t bytes);
char *report_count(char *to, uint64_t n);
char *report_time(char *to, uint64_t ns);

/* ---- the tree of callers (report_tree.c) ---- */

/* The node of a function, with those that called it. */
typedef struct report_node {
    uint32_t frame;              /* number */
    struct report_node *first;   /* callers, largest first once sorted */
    struct report_node *next, *parent;
    uint64_t value, blocks;      /* sums of all stacks that come through here */
    uint64_t whole;              /* the measure's, where it has one */
} report_node_t;
/* The root has the innermost functions as its children.  NULL: no memory. */
report_node_t *report_tree_make(const profile_t *p, const report_names_t *names,
                                const report_measure_t *m);
void report_tree_free(report_node_t *root);

/* ---- the sites of a list (report_sites.c) ---- */

/* The nodes that the lines of a list stand for, largest first, *n of them, to be freed.  NULL: no memory. */
const report_node_t **report_sites(const report_node_t *root, const report_names_t *names, size_t *n);

/* ---- the command ---- */

#define REPORT_TOP 5 /* sites of a list when nothing was said */

typedef struct report {
    profile_t *profile;
    report_names_t *names;
    const report_measure_t *by; /* NULL: not said */
    unsigned top;               /* sites of a list */
    int inner;                  /* the insides of libraries and allocators too */
    int colour;
    FILE *out;
} report_t;

/* A line for each profile of another process that has the name of this one and a number behind it. */
void report_beside(const report_t *r);

/* Forms: 0, or the exit status after a message. */
int report_text(report_t *r);
int report_json(report_t *r);
int report_html(report_t *r);
int report_folded(report_t *r);
int report_speedscope(report_t *r);
int report_pprof(report_t *r);
int report_massif(report_t *r);
int report_heap(report_t *r);
/* The same, of what changed from before to r. */
int report_diff(report_t *r, report_t *before);
int report_page(report_t *r, report_t *before);

/* A text as JSON, quotes and all: no "<" stands in it as such, and what is not UTF-8 is U+FFFD. */
void report_put_text(FILE *out, const char *text);

#endif
