/* SPDX-License-Identifier: MIT */
/*
 * report_trie: all stacks of a profile as one tree, outermost function first, and the node at which
 * each site's stack ends.  What the page and the exports are made of.
 */
#ifndef VMALLOC_REPORT_TRIE_H
#define VMALLOC_REPORT_TRIE_H 1

#include "report.h"

/* Nodes come after their parents.  Node 0 is the root: its frame means nothing. */
typedef struct report_step {
    uint32_t parent, frame;
} report_step_t;

typedef struct report_trie {
    report_step_t *steps;
    size_t nsteps, room;
    uint32_t *ends;         /* of each site of the profile, the node of its innermost function */
    report_frame_t *places; /* frames behind those of the names: places that VMFL told of, for sites
                               of which no stack or no line is known; one for what is unknown, and
                               one that stands for callers that were cut off */
    size_t nnamed;          /* frames of the names, numbered 0 to nnamed - 1 */
    size_t nplaces;
    const profile_t *profile;
    const report_names_t *names;
    uint32_t *path;         /* what report_trie_stack() gave last */
    uint32_t *slots;        /* hash table of steps by (parent, frame): index, 0: free */
    size_t mask;
} report_trie_t;

/* NULL: no memory. */
report_trie_t *report_trie_make(const profile_t *p, const report_names_t *names);
void report_trie_free(report_trie_t *t);
/* A frame by its number, be it a name's or a place's. */
const report_frame_t *report_trie_frame(const report_trie_t *t, uint32_t number);
/* Frames of the stack of the profile's site of that index, outermost first, *n of them.  Valid
 * until the next call. */
const uint32_t *report_trie_stack(report_trie_t *t, size_t site, size_t *n);
/* How many frames there are in all. */
size_t report_trie_nframes(const report_trie_t *t);
/* What to call a function whose line does not matter: its name, or its module and address.  Into
 * to, of size bytes, which is returned. */
char *report_function_text(const report_frame_t *f, char *to, size_t size);

#endif
