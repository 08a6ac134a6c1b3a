/* SPDX-License-Identifier: MIT */
/*
 * report_names: from the addresses of a profile to functions and lines.
 *
 *   stack --> entries --> places (module, offset), each resolved once --> frames, each kept once
 *
 * An entry can be several frames, where functions were inlined.  Frames at the inner end that
 * belong to the allocator are left out: in a static program, where its library cannot be told from
 * the rest by its addresses.  So are, unless they are asked for, the insides of libraries (report_fold.c):
 * the line to look at is the one that called them.
 */
#include "report.h"
#include "symbols.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define OWN 12 /* frames at the inner end that may be the allocator's */

typedef struct place { /* a place in a module, and its frames */
    int module;
    uint64_t offset;
    uint32_t first, n;
} place_t;

typedef struct table {
    uint32_t *slots; /* index plus one */
    size_t mask, n;
} table_t;

typedef struct lines {
    uint32_t *frames;
    size_t n;
} lines_t;

struct report_names {
    const profile_t *profile;
    report_frame_t *frames;
    size_t nframes, frameroom;
    place_t *places;
    size_t nplaces, placeroom;
    uint32_t *numbers; /* frames of places */
    size_t nnumbers, numberroom;
    table_t byframe, byplace;
    lines_t *stacks;
    int inner; /* the insides of libraries are wanted too */
    int failed;
};

/* ---- arrays and tables ---- */

static void *room_for(report_names_t *t, void *array, size_t n, size_t *room, size_t size)
{
    void *more;

    if (n < *room)
        return array;
    more = realloc(array, (*room ? 2 * *room : 256) * size);
    if (!more) {
        t->failed = 1;
        return array;
    }
    *room = *room ? 2 * *room : 256;
    return more;
}

static uint64_t mix(uint64_t h, uint64_t x)
{
    h = (h ^ x) * 0x9e3779b97f4a7c15u;
    return h ^ h >> 29;
}

static uint64_t hash_text(uint64_t h, const char *s)
{
    for (; *s; s++)
        h = (h ^ (unsigned char)*s) * 0x100000001b3u;
    return mix(h, 1);
}

static uint64_t hash_frame(const report_frame_t *f)
{
    uint64_t h = hash_text(hash_text(hash_text(7, f->function), f->file), f->module);

    return mix(mix(h, (uint64_t)f->line * 2 + (f->inlined != 0)), *f->function ? 0 : f->offset);
}

static uint64_t hash_place(const place_t *p)
{
    return mix(mix(3, (uint64_t)p->module), p->offset);
}

/* Twice as large, of the hashes of n entries. */
static int grow(table_t *t, uint64_t (*hash)(const report_names_t *, uint32_t),
                const report_names_t *names)
{
    size_t size = t->slots ? 2 * (t->mask + 1) : 1024, i;
    uint32_t *slots = calloc(size, sizeof(*slots));
    uint32_t k;

    if (!slots)
        return -1;
    free(t->slots);
    t->slots = slots;
    t->mask = size - 1;
    for (k = 0; k < t->n; k++) {
        for (i = hash(names, k) & t->mask; slots[i]; i = (i + 1) & t->mask)
            continue;
        slots[i] = k + 1;
    }
    return 0;
}

static uint64_t frame_hash(const report_names_t *t, uint32_t k)
{
    return hash_frame(&t->frames[k]);
}

static uint64_t place_hash(const report_names_t *t, uint32_t k)
{
    return hash_place(&t->places[k]);
}

/* ---- frames ---- */

static int same_frame(const report_frame_t *a, const report_frame_t *b)
{
    return a->line == b->line && !a->inlined == !b->inlined &&
           strcmp(a->function, b->function) == 0 && strcmp(a->file, b->file) == 0 &&
           strcmp(a->module, b->module) == 0 && (*a->function || a->offset == b->offset);
}

static uint32_t add_frame(report_names_t *t, const report_frame_t *f)
{
    report_frame_t copy = *f;
    size_t i;

    if (2 * t->byframe.n >= t->byframe.mask && grow(&t->byframe, frame_hash, t) != 0)
        return t->failed = 1, 0;
    for (i = hash_frame(f) & t->byframe.mask; t->byframe.slots[i]; i = (i + 1) & t->byframe.mask)
        if (same_frame(&t->frames[t->byframe.slots[i] - 1], f))
            return t->byframe.slots[i] - 1;
    t->frames = room_for(t, t->frames, t->nframes, &t->frameroom, sizeof(*t->frames));
    copy.function = strdup(f->function);
    copy.inner = report_cxx_inner(f->function);
    copy.library = report_is_library(f->module, t->profile->exe) || strcmp(f->function, "_start") == 0;
    copy.file = strdup(f->file);
    if (t->failed || !copy.function || !copy.file)
        return t->failed = 1, 0;
    t->frames[t->nframes] = copy;
    t->byframe.slots[i] = (uint32_t)(t->byframe.n = ++t->nframes);
    return (uint32_t)t->nframes - 1;
}

static void add_number(report_names_t *t, uint32_t frame)
{
    t->numbers = room_for(t, t->numbers, t->nnumbers, &t->numberroom, sizeof(*t->numbers));
    if (!t->failed)
        t->numbers[t->nnumbers++] = frame;
}

/* ---- places ---- */

typedef struct found {
    report_names_t *names;
    report_frame_t frame;
} found_t;

static void on_symbol(const symbol_t *s, void *arg)
{
    found_t *f = arg;
    char *name = strdup(s->function);

    if (name)
        report_cxx_short(name);
    f->frame.function = name ? name : s->function;
    f->frame.file = s->file;
    f->frame.line = s->line;
    f->frame.inlined = s->inlined;
    add_number(f->names, add_frame(f->names, &f->frame));
    f->frame.function = "";
    free(name);
}

static void resolve(report_names_t *t, place_t *p)
{
    const profile_module_t *m = p->module >= 0 ? &t->profile->modules[p->module] : NULL;
    found_t f = {t, {"", "", m ? m->path : "", p->offset, 0, 0, 0, 0}};

    p->first = (uint32_t)t->nnumbers;
    if (!m || symbols_find(m->path, m->id, p->offset, on_symbol, &f) == 0) {
        f.frame.function = f.frame.file = "";
        add_number(t, add_frame(t, &f.frame));
    }
    p->n = (uint32_t)t->nnumbers - p->first;
}

static const place_t *place_of(report_names_t *t, const profile_pc_t *pc)
{
    place_t p = {pc->module, pc->offset, 0, 0};
    size_t i;

    if (2 * t->byplace.n >= t->byplace.mask && grow(&t->byplace, place_hash, t) != 0)
        return t->failed = 1, NULL;
    for (i = hash_place(&p) & t->byplace.mask; t->byplace.slots[i]; i = (i + 1) & t->byplace.mask) {
        const place_t *known = &t->places[t->byplace.slots[i] - 1];

        if (known->module == p.module && known->offset == p.offset)
            return known;
    }
    t->places = room_for(t, t->places, t->nplaces, &t->placeroom, sizeof(*t->places));
    if (t->failed)
        return NULL;
    resolve(t, &p);
    t->places[t->nplaces] = p;
    t->byplace.slots[i] = (uint32_t)(t->byplace.n = ++t->nplaces);
    return &t->places[t->nplaces - 1];
}

/* ---- stacks ---- */

static int is_own(const char *function)
{
    static const char *const begins[] = {
        "vmpf_", "vmsk_", "vmma_", "profile_alloc", "profile_align", "profile_resize", "_vmfl"};
    static const char *const names[] = {"malloc",  "calloc",   "realloc",
                                        "vmalloc", "vmresize", "vmalign"};
    size_t i;

    for (i = 0; i < sizeof(begins) / sizeof(*begins); i++)
        if (strncmp(function, begins[i], strlen(begins[i])) == 0)
            return 1;
    for (i = 0; i < sizeof(names) / sizeof(*names); i++)
        if (strcmp(function, names[i]) == 0)
            return 1;
    return 0;
}

/* All frames up to the last one of the allocator's near the inner end go; never the whole stack. */
static void trim(const report_names_t *t, lines_t *s)
{
    size_t i, own = 0;

    for (i = 0; i < s->n && i < OWN; i++)
        if (is_own(t->frames[s->frames[i]].function))
            own = i + 1;
    if (own == s->n)
        return;
    s->n -= own;
    memmove(s->frames, s->frames + own, s->n * sizeof(*s->frames));
}

static void make_stack(report_names_t *t, const profile_stack_t *stack, lines_t *s)
{
    size_t room = 0;
    uint32_t i, k;

    for (i = 0; i < stack->n && !t->failed; i++) {
        const place_t *p = place_of(t, &stack->pcs[i]);

        for (k = 0; p && k < p->n; k++) {
            s->frames = room_for(t, s->frames, s->n, &room, sizeof(*s->frames));
            if (!t->failed)
                s->frames[s->n++] = t->numbers[p->first + k];
        }
    }
    trim(t, s);
    if (!t->inner && !t->failed)
        s->n = report_fold(t->frames, s->frames, s->n);
}

static void progress(size_t done, size_t all)
{
    if (done < all)
        fprintf(stderr, "\rvmalloc: naming functions: %zu%%", 100 * done / all);
    else
        fprintf(stderr, "\r%40s\r", "");
}

report_names_t *report_names_make(const profile_t *p, int inner)
{
    report_names_t *t = calloc(1, sizeof(*t));
    int show = isatty(2) && p->nstacks > 500;
    size_t i;

    if (!t)
        return NULL;
    t->profile = p;
    t->inner = inner;
    t->stacks = calloc(p->nstacks + 1, sizeof(*t->stacks));
    t->failed = !t->stacks;
    for (i = 0; i < p->nstacks && !t->failed; i++) {
        make_stack(t, &p->stacks[i], &t->stacks[i]);
        if (show && i % 256 == 0)
            progress(i, p->nstacks);
    }
    if (show)
        progress(1, 1);
    if (!t->failed)
        return t;
    report_names_free(t);
    return NULL;
}

void report_names_free(report_names_t *t)
{
    size_t i;

    for (i = 0; t && i < t->nframes; i++) {
        free((void *)(uintptr_t)t->frames[i].function);
        free((void *)(uintptr_t)t->frames[i].file);
    }
    for (i = 0; t && t->stacks && i < t->profile->nstacks; i++)
        free(t->stacks[i].frames);
    if (!t)
        return;
    free(t->frames);
    free(t->places);
    free(t->numbers);
    free(t->byframe.slots);
    free(t->byplace.slots);
    free(t->stacks);
    free(t);
}

const uint32_t *report_stack(const report_names_t *names, int stack, size_t *n)
{
    *n = stack >= 0 ? names->stacks[stack].n : 0;
    return stack >= 0 ? names->stacks[stack].frames : NULL;
}

const report_frame_t *report_frame(const report_names_t *names, uint32_t number)
{
    return &names->frames[number];
}

size_t report_nframes(const report_names_t *names)
{
    return names->nframes;
}

/* ---- texts ---- */

static const char *basename_of(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

void report_frame_place(const report_frame_t *f, char *to, size_t size)
{
    if (*f->file && f->line > 0)
        snprintf(to, size, "%s:%d", basename_of(f->file), f->line);
    else if (*f->module)
        snprintf(to, size, "%s+0x%llx", basename_of(f->module), (unsigned long long)f->offset);
    else
        snprintf(to, size, "0x%llx", (unsigned long long)f->offset);
}

void report_frame_text(const report_frame_t *f, char *to, size_t size)
{
    char place[300];

    report_frame_place(f, place, sizeof(place));
    if (*f->function)
        snprintf(to, size, "%s  %s%s", f->function, place, f->inlined ? " (inlined)" : "");
    else
        snprintf(to, size, "%s", place);
}
