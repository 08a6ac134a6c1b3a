/* SPDX-License-Identifier: MIT */
/*
 * leaks_roots: what a scan begins with.
 *
 *   every mapping that can be written    less   segments of our regions   (live blocks are looked into
 *                                               when they are reached; regions of other methods whole)
 *                                               what stacks do not use; our own notes of blocks
 *
 * So static data of all modules, thread-local data, stacks and registers (in the frames of the
 * signal that stopped a thread, which may lie in a block, as a stack for signals), and memory that the program mapped itself are roots.  The stack of a
 * thread that has ended stays mapped, for the next one: what lies there is none.
 */
#include "leaks.h"
#include "books.h"
#include "os_debug.h"
#include "os_stack.h"

#include <errno.h>
#include <string.h>

#define DEADMOST ((size_t)8 << 20) /* of a stack: what lies further down was not a stack's */
#define MOST 16384                 /* of spans */

typedef struct span {
    uintptr_t from, end;
} span_t;

typedef struct roots {
    vmdg_scan_t *s;
    const vmos_stopped_t *threads;
    size_t nthreads;
    span_t *span; /* to be left out, in order */
    size_t n;
} roots_t;

static void leaveout(roots_t *r, uintptr_t from, uintptr_t end)
{
    size_t i = r->n;
    if (from >= end || r->n == MOST)
        return;
    for (; i > 0 && r->span[i - 1].from > from; i--)
        r->span[i] = r->span[i - 1];
    r->span[i] = (span_t){from, end};
    r->n++;
}

/* A region of another method is scanned as a whole, a region of Vmdebug by its blocks. */
static int segment(Vmalloc_t *vm, const char *from, const char *end, void *arg)
{
    roots_t *r = arg;
    if ((vm->meth.meth & ~VMR_TRACED) == VM_MTDEBUG)
        leaveout(r, (uintptr_t)from, (uintptr_t)end);
    return 0;
}

/* Where addresses have 32 bits, a word of a descriptor is that of its block. */
static void descriptors(roots_t *r)
{
    const vmdg_chunk_t *c;
    for (size_t i = 0; i < VMDG_CHUNKS; i++)
        if ((c = __atomic_load_n(&vmdg_chunk[i], __ATOMIC_ACQUIRE)) != NULL)
            leaveout(r, (uintptr_t)c, (uintptr_t)(c + 1));
}

/* ---- stacks ---- */

static void below(roots_t *r, const vmos_mapping_t *m, uintptr_t sp)
{
    if (sp > m->low && sp < m->high)
        leaveout(r, VMB_MAX(m->low, sp - VMB_MIN(sp, DEADMOST)), sp);
}

static int lives(const roots_t *r, const vmos_mapping_t *m)
{
    for (size_t i = 0; i < r->nthreads; i++)
        if (r->threads[i].sp == 0 || (r->threads[i].sp >= m->low && r->threads[i].sp < m->high))
            return 1;
    return r->s->sp >= m->low && r->s->sp < m->high;
}

/* Up to its control block, which libc goes on using. */
static void dead(roots_t *r, const vmos_mapping_t *m)
{
    uint32_t n = vmdg_threads();
    for (uint32_t i = 1; i < n; i++) {
        uintptr_t self = 0, sp = vmdg_thread_stack(i, &self);
        if (sp >= m->low && sp < m->high)
            leaveout(r, VMB_MAX(m->low, sp - VMB_MIN(sp, DEADMOST)),
                     self > sp && self < m->high ? self : sp);
    }
}

static void stacks(roots_t *r, const vmos_mapping_t *m)
{
    below(r, m, r->s->sp);
    for (size_t i = 0; i < r->nthreads; i++)
        below(r, m, r->threads[i].sp);
    if (!lives(r, m) && m->name[0] == '\0')
        dead(r, m);
}

/* ---- mappings ---- */

static void part(roots_t *r, uintptr_t from, uintptr_t end)
{
    if (from < end)
        vmdg_leaks_words(r->s, (const char *)from, (const char *)end, VMDG_REACHABLE);
}

/* Spans may overlap. */
static int mapping(const vmos_mapping_t *m, void *arg)
{
    roots_t *r = arg;
    uintptr_t at = m->low;
    size_t i;
    if (!m->read || !m->write || (strncmp(m->name, "/dev/", 5) == 0 && !m->shared))
        return 0;
    stacks(r, m);
    for (i = 0; i < r->n && at < m->high; i++) {
        const span_t *x = &r->span[i];
        if (x->end <= at || x->from >= m->high)
            continue;
        part(r, at, VMB_MIN(x->from, m->high));
        at = VMB_MAX(at, x->end);
    }
    part(r, at, m->high);
    return 0;
}

static int any(const vmos_mapping_t *m, void *arg)
{
    (void)m, (void)arg;
    return 1;
}

int vmdg_leaks_known(void)
{
    int r = vmos_mappings(any, NULL);
    if (r == 0)
        errno = ENOTSUP;
    return r > 0;
}

void vmdg_leaks_roots(vmdg_scan_t *s, const vmos_stopped_t *threads, size_t n)
{
    size_t size = VMB_UP(MOST * sizeof(span_t), vmos_pagesize());
    roots_t r = {s, threads, n, vmos_map(NULL, size, VMOS_RESERVE), 0};
    if (r.span == NULL)
        return;
    leaveout(&r, (uintptr_t)s->block, (uintptr_t)s->block + s->mapped);
    leaveout(&r, (uintptr_t)r.span, (uintptr_t)r.span + size);
    descriptors(&r);
    vmr_spans(segment, &r);
    vmos_mappings(mapping, &r);
    for (size_t i = 0; i < n; i++)
        if (threads[i].context != NULL)
            part(&r, (uintptr_t)threads[i].context, (uintptr_t)threads[i].context + vmos_context_size());
    vmos_unmap(r.span, size);
}

/* ---- the end of the program ---- */

#define DEPTH 8
#define REACH ((size_t)64 << 10)

static int samemodule(const void *a, const void *b)
{
    const vmsk_module_t *m = NULL, *n = NULL;
    uintptr_t offset;
    vmsk_place(a, &m, &offset);
    vmsk_place(b, &n, &offset);
    return m != NULL && m == n;
}

/* main() has returned when libc's exit() was called by libc itself, and what called that is the
 * beginning of the program. */
static int returned(void *const *pcs, size_t n)
{
    if (n < 4 || n == DEPTH)
        return 0;
    for (size_t i = 1; i + 1 < n; i++)
        if (!samemodule(pcs[0], pcs[i]))
            return 0;
    return 1;
}

/* The frames of the handlers have holes in which main()'s variables still lie: after main() the stack
 * counts from the return address to exit()'s caller on. */
VMOS_UNCHECKED uintptr_t vmdg_leaks_stackend(uintptr_t sp)
{
    void *pcs[DEPTH];
    size_t n = vmsk_capture(pcs, DEPTH, 0), k = 0;
    const uintptr_t *w = (const uintptr_t *)VMB_UP(sp, sizeof(uintptr_t));
    const uintptr_t *end = (const uintptr_t *)VMB_MIN(sp + REACH, vmos_stacktop(sp));
    if (!returned(pcs, n))
        return sp;
    for (; w < end; w++)
        if (*w == (uintptr_t)pcs[k] && ++k == 3)
            return (uintptr_t)w;
    return sp;
}
