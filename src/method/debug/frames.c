/* SPDX-License-Identifier: MIT */
/*
 * frames: the names of a stack's entries, asked for once and kept.
 *
 *   table[hash of the address] -> known_t -> known_t        texts lie behind their known_t
 *
 * A helper process costs some ten milliseconds, so all that a report needs is asked for together, and
 * a second report of the same places asks nothing.  What is kept lies in areas of their own; when
 * there are too many, all is forgotten.  A name is good for the generation of modules that it was
 * asked in.
 */
#include "report.h"

#include <string.h>

#define TABLE 1024u
#define AREA ((size_t)256 << 10)
#define AREAS 64
#define MILLIS 10000u
#define MOSTASKED 1024

typedef struct known {
    struct known *next;
    const void *pc;
    uint32_t generation;
    vmdg_frame_t frame; /* further ones, of inlined functions, are further entries with `more` */
    struct known *more;
} known_t;

static known_t *table[TABLE];
static char *areas[AREAS];
static size_t nareas, used;

static void forget(void)
{
    memset(table, 0, sizeof table);
    while (nareas > 0)
        vmos_unmap(areas[--nareas], AREA);
    used = 0;
}

static void *take(size_t n)
{
    n = VMB_UP(n, sizeof(void *));
    if (n > AREA)
        return NULL;
    if (nareas == 0 || used + n > AREA) {
        char *p = nareas < AREAS ? vmos_map(NULL, AREA, 0) : NULL;
        if (p == NULL)
            return NULL;
        areas[nareas++] = p;
        used = 0;
    }
    used += n;
    return areas[nareas - 1] + used - n;
}

static const char *keep(const char *s)
{
    size_t n = strlen(s) + 1;
    char *to = n > 1 ? take(n) : NULL;
    return to != NULL ? memcpy(to, s, n) : "";
}

static known_t **slot(const void *pc)
{
    return &table[vmb_mix((uintptr_t)pc) % TABLE];
}

static const known_t *find(const void *pc)
{
    const known_t *k = *slot(pc);
    while (k != NULL && (k->pc != pc || k->generation != vmsk_generation()))
        k = k->next;
    return k;
}

/* ---- asking ---- */

typedef struct asking {
    void **pcs;
    known_t *last; /* of the entry before, when its function was inlined */
} asking_t;

static void answer(size_t i, const vmsk_name_t *name, void *arg)
{
    asking_t *a = arg;
    const vmsk_module_t *m = NULL;
    known_t *k = take(sizeof *k), **at = slot(a->pcs[i]);
    if (k == NULL)
        return;
    *k = (known_t){.pc = a->pcs[i], .generation = vmsk_generation()};
    vmsk_place(a->pcs[i], &m, &k->frame.offset);
    k->frame.object = m != NULL ? m->path : "";
    k->frame.function = keep(name->function);
    k->frame.file = keep(name->file);
    k->frame.line = name->line;
    k->frame.inlined = name->inlined;
    k->frame.pc = a->pcs[i];
    if (a->last != NULL) {
        a->last->more = k;
    } else {
        k->next = *at;
        *at = k;
    }
    a->last = name->inlined ? k : NULL;
}

static size_t unknown(uint32_t stack, void **to, size_t n, size_t most)
{
    vmdg_place_t place;
    size_t depth, k;
    void *const *pcs = vmdg_stack(stack, &depth, &place);
    for (size_t i = 0; pcs != NULL && i < depth && n < most; i++) {
        if (find(pcs[i]) != NULL)
            continue;
        for (k = 0; k < n && to[k] != pcs[i]; k++)
            continue;
        if (k == n)
            to[n++] = pcs[i];
    }
    return n;
}

static int nohelper; /* 1: nobody gave the names that were asked for; 2: that was told */

int vmdg_frames_nohelper(void)
{
    const char *tool = vmos_getenv("VMALLOC_TOOL");
    int first = 1;
    return (tool == NULL || *tool == '\0') &&
           __atomic_compare_exchange_n(&nohelper, &first, 2, 0, __ATOMIC_RELAXED, __ATOMIC_RELAXED);
}

void vmdg_frames_want(const uint32_t *stacks, size_t n)
{
    static void *pcs[MOSTASKED];
    asking_t a = {pcs, NULL};
    size_t have = 0;
    for (size_t i = 0; i < n; i++)
        have = stacks[i] != 0 ? unknown(stacks[i], pcs, have, MOSTASKED) : have;
    if (have == 0)
        return;
    if (nareas == AREAS)
        forget();
    if (vmsk_resolve(pcs, have, MILLIS, answer, &a) != 0 && nohelper == 0)
        nohelper = 1;
}

/* ---- the frames of a stack ---- */

static void add(vmdg_trace_t *t, const vmdg_frame_t *f)
{
    if (t->n < VMDG_FRAMES)
        t->frame[t->n++] = *f;
    else
        t->more++;
}

static void nameless(vmdg_trace_t *t, const void *pc)
{
    const vmsk_module_t *m = NULL;
    vmdg_frame_t f = {.function = "", .file = "", .object = "", .pc = pc};
    vmsk_place(pc, &m, &f.offset);
    if (m != NULL)
        f.object = m->path;
    add(t, &f);
}

void vmdg_frames_all(uint32_t stack, vmdg_trace_t *t)
{
    size_t depth;
    void *const *pcs = vmdg_stack(stack, &depth, &t->place);
    t->n = t->more = 0;
    if (pcs == NULL)
        return;
    vmdg_frames_want(&stack, 1);
    for (size_t i = 0; i < depth; i++) {
        const known_t *k = find(pcs[i]);
        if (k == NULL)
            nameless(t, pcs[i]);
        for (; k != NULL; k = k->more)
            add(t, &k->frame);
    }
}

static int begins(const char *s, const char *with)
{
    return strncmp(s, with, strlen(with)) == 0;
}

/* Frames of libc that lead to main() or to a thread's function tell nothing. */
static int isouter(const char *function)
{
    static const char *const names[] = {"__libc_start_call_main", "__libc_start_main", "_start",
                                        "start_thread", "clone3", "__clone", "clone"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (begins(function, names[i]))
            return 1;
    return 0;
}

/* The calls of the program's that lead to ours, and functions between. */
static int isours(const char *function)
{
    static const char *const names[] = {"debug_", "vm", "malloc", "calloc", "realloc", "free",
                                        "aligned_alloc", "operator new", "operator delete"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (begins(function, names[i]))
            return 1;
    return 0;
}

/* In a static link our own frames are innermost. */
static void trim(vmdg_trace_t *t)
{
    size_t cut = 0;
    for (size_t i = 0; i < t->n && i < 12; i++)
        if (begins(t->frame[i].function, "vmdg_") || begins(t->frame[i].function, "vmsk_"))
            cut = i + 1;
    while (cut > 0 && cut < t->n && isours(t->frame[cut].function))
        cut++;
    if (cut == 0 || cut >= t->n)
        return;
    t->n -= cut;
    memmove(t->frame, t->frame + cut, t->n * sizeof *t->frame);
}

void vmdg_frames(uint32_t stack, vmdg_trace_t *t)
{
    vmdg_frames_all(stack, t);
    trim(t);
    for (size_t i = 0; i < t->n; i++)
        if (strcmp(t->frame[i].function, "main") == 0 && !t->frame[i].inlined) {
            t->n = i + 1;
            t->more = 0;
        }
    while (t->n > 1 && t->more == 0 &&
           (isouter(t->frame[t->n - 1].function) ||
            (t->frame[t->n - 1].function[0] == '\0' && t->frame[t->n - 2].file[0] != '\0' &&
             strcmp(t->frame[t->n - 1].object, t->frame[t->n - 2].object) != 0)))
        t->n--;
}
