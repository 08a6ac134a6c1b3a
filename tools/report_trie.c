/* SPDX-License-Identifier: MIT */
/*
 * report_trie: stacks joined to a tree, outermost function first.
 *
 *   steps   | root | parent, frame | parent, frame | ...       parent < own index
 *
 * A child is found by a hash table of (parent, frame), open addressing, at most half full.  Cost:
 * the sum of the stacks' lengths.  Since parents come first, sums over subtrees are one pass backwards.
 */
#include "report_trie.h"

#include <stdlib.h>
#include <string.h>

/* Frames from the end of the places. */
#define UNKNOWN 2
#define CUT 1

static size_t slot_of(const report_trie_t *t, uint32_t parent, uint32_t frame)
{
    uint64_t h = ((uint64_t)parent << 32 | frame) * 0x9e3779b97f4a7c15u;
    size_t i = (size_t)(h >> 24) & t->mask;

    while (t->slots[i] &&
           (t->steps[t->slots[i]].parent != parent || t->steps[t->slots[i]].frame != frame))
        i = (i + 1) & t->mask;
    return i;
}

/* Room for twice as many steps, in the array and in the table. */
static int grow(report_trie_t *t)
{
    size_t room = t->room ? 2 * t->room : 1024, i;
    report_step_t *steps = realloc(t->steps, room * sizeof(*steps));
    uint32_t *slots = calloc(2 * room, sizeof(*slots));

    if (steps)
        t->steps = steps;
    if (!steps || !slots) {
        free(slots);
        return -1;
    }
    free(t->slots);
    t->slots = slots;
    t->room = room;
    t->mask = 2 * room - 1;
    for (i = 1; i < t->nsteps; i++)
        t->slots[slot_of(t, steps[i].parent, steps[i].frame)] = (uint32_t)i;
    return 0;
}

/* The child of a node, made if need be.  0: no memory. */
static uint32_t child(report_trie_t *t, uint32_t parent, uint32_t frame)
{
    size_t i;

    if (t->nsteps == t->room && grow(t) != 0)
        return 0;
    i = slot_of(t, parent, frame);
    if (t->slots[i] == 0) {
        t->steps[t->nsteps] = (report_step_t){parent, frame};
        t->slots[i] = (uint32_t)t->nsteps++;
    }
    return t->slots[i];
}

/* The place's frame where the stack does not have as much, -1 where it does. */
static int64_t place_frame(const report_trie_t *t, const profile_site_t *s, const uint32_t *frames,
                           size_t n)
{
    if (n > 0 && (s->place < 0 || report_frame(t->names, frames[0])->line > 0))
        return -1;
    return (int64_t)t->nnamed + (s->place >= 0 ? s->place : (int64_t)t->nplaces - UNKNOWN);
}

/* It has as many entries as are kept, so there may have been more. */
static int is_cut(const report_trie_t *t, const profile_site_t *s)
{
    uint32_t depth = t->profile->head.depth;

    return s->stack >= 0 && depth > 0 && t->profile->stacks[s->stack].n >= depth;
}

static uint32_t add_site(report_trie_t *t, const profile_site_t *s)
{
    size_t n;
    const uint32_t *frames = report_stack(t->names, s->stack, &n);
    int64_t place = place_frame(t, s, frames, n);
    uint32_t at = 0;

    if (is_cut(t, s))
        at = child(t, at, (uint32_t)(t->nnamed + t->nplaces - CUT));
    while (n > 0) {
        at = child(t, at, frames[--n]);
        if (at == 0)
            return 0;
    }
    return place < 0 ? at : child(t, at, (uint32_t)place);
}

/* Places as frames, and the two that are none behind them. */
static int make_places(report_trie_t *t, const profile_t *p)
{
    size_t i;

    t->nplaces = p->nplaces + 2;
    t->places = calloc(t->nplaces, sizeof(*t->places));
    if (!t->places)
        return -1;
    for (i = 0; i < p->nplaces; i++)
        t->places[i] = (report_frame_t){.function = p->places[i].func,
                                        .file = p->places[i].file,
                                        .module = "",
                                        .line = (int)p->places[i].line};
    t->places[t->nplaces - UNKNOWN] =
        (report_frame_t){.function = "(unknown stack)", .file = "", .module = ""};
    t->places[t->nplaces - CUT] =
        (report_frame_t){.function = "(callers not recorded)", .file = "", .module = ""};
    return 0;
}

/* Of the deepest node; of the root 1. */
static size_t depth(const report_trie_t *t)
{
    size_t i, n, most = 1;
    uint32_t at;

    for (i = 1; i < t->nsteps; i++) {
        for (n = 1, at = (uint32_t)i; at != 0; at = t->steps[at].parent)
            n++;
        most = n > most ? n : most;
    }
    return most;
}

report_trie_t *report_trie_make(const profile_t *p, const report_names_t *names)
{
    report_trie_t *t = calloc(1, sizeof(*t));
    size_t i;
    int failed;

    if (!t)
        return NULL;
    t->names = names;
    t->profile = p;
    t->nnamed = report_nframes(names);
    t->nsteps = 1;
    t->ends = calloc(p->nsites + 1, sizeof(*t->ends));
    failed = !t->ends || make_places(t, p) != 0 || grow(t) != 0;
    if (!failed)
        t->steps[0] = (report_step_t){0, 0};
    for (i = 0; i < p->nsites && !failed; i++)
        failed = (t->ends[i] = add_site(t, &p->sites[i])) == 0;
    failed = failed || !(t->path = calloc(depth(t), sizeof(*t->path)));
    if (!failed)
        return t;
    report_trie_free(t);
    return NULL;
}

void report_trie_free(report_trie_t *t)
{
    if (!t)
        return;
    free(t->steps);
    free(t->slots);
    free(t->ends);
    free(t->path);
    free(t->places);
    free(t);
}

const report_frame_t *report_trie_frame(const report_trie_t *t, uint32_t number)
{
    return number < t->nnamed ? report_frame(t->names, number) : &t->places[number - t->nnamed];
}

const uint32_t *report_trie_stack(report_trie_t *t, size_t site, size_t *n)
{
    uint32_t at;
    size_t i = 0;

    for (at = t->ends[site]; at != 0; at = t->steps[at].parent)
        i++;
    *n = i;
    for (at = t->ends[site]; at != 0; at = t->steps[at].parent)
        t->path[--i] = t->steps[at].frame;
    return t->path;
}

size_t report_trie_nframes(const report_trie_t *t)
{
    return t->nnamed + t->nplaces;
}

char *report_function_text(const report_frame_t *f, char *to, size_t size)
{
    if (*f->function)
        snprintf(to, size, "%s", f->function);
    else
        report_frame_place(f, to, size);
    return to;
}
