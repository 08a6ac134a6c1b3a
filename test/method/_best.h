/* SPDX-License-Identifier: MIT */
/*
 * For the tests of Vmbest's engine: regions on all kinds of memory, and what must hold at any time.
 */
#ifndef TEST_METHOD_BEST_H
#define TEST_METHOD_BEST_H 1

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "best/best.h"
#include "support/checking.h"
#include "support/pattern.h"
#include "support/team.h"

static inline vmbe_t *engine(Vmalloc_t *vm) { return vmbe_of(vm); }

static inline Vmstat_t statof(Vmalloc_t *vm)
{
    Vmstat_t st;
    assert_int_equal(vmstat(vm, &st), 0);
    return st;
}

/* Block walk: sums, and blocks must not overlap what came before within an area. */
typedef struct walked {
    size_t nbusy, sbusy, nfree, sfree, mbusy, mfree;
} walked_t;

static inline int walk_add(Vmalloc_t *vm, void *addr, size_t size, int busy, void *handle)
{
    walked_t *w = (walked_t *)handle;
    (void)vm;
    assert_true(size > 0 && (uintptr_t)addr % VM_ALIGN == 0);
    *(busy ? &w->nbusy : &w->nfree) += 1;
    *(busy ? &w->sbusy : &w->sfree) += size;
    if (busy)
        w->mbusy = VMB_MAX(w->mbusy, size);
    else
        w->mfree = VMB_MAX(w->mfree, size);
    return 0;
}

/* Structure, walk and statistics agree. */
static inline void sound(Vmalloc_t *vm)
{
    walked_t w = {0};
    Vmstat_t st = statof(vm);
    assert_int_equal(vmdbcheck(vm), 0);
    assert_int_equal(vmblkwalk(vm, walk_add, &w), 0);
    assert_int_equal(st.n_busy, w.nbusy);
    assert_int_equal(st.s_busy, w.sbusy);
    assert_int_equal(st.s_free, w.sfree);
    assert_true(st.m_busy >= w.mbusy);
    assert_true(st.s_busy + st.s_free <= st.extent);
}

/* A model of a region: the blocks that live, with contents that tell whose they are. */
typedef struct live {
    char *p;
    size_t size, have;
    uint64_t id;
} live_t;

typedef struct model {
    Vmalloc_t *vm;
    live_t *b;
    size_t n, most, bytes;
    uint64_t seed, id;
} model_t;

static inline model_t *model_new(Vmalloc_t *vm, size_t most, uint64_t seed)
{
    model_t *m = (model_t *)calloc(1, sizeof *m);
    m->vm = vm;
    m->most = most;
    m->seed = seed;
    m->b = (live_t *)calloc(most, sizeof *m->b);
    return m;
}

static inline void model_free(model_t *m)
{
    free(m->b);
    free(m);
}

/* Only the ends of large blocks are filled, so that tests stay short. */
#define MODEL_ENDS 512u
static inline void live_fill(live_t *b)
{
    size_t n = VMB_MIN(b->size, (size_t)MODEL_ENDS), i;
    pat_fill(b->p, 0, n, b->id);
    for (i = b->size - n; i < b->size; i++)
        b->p[i] = (char)pat_byte(b->id, i);
}
static inline void live_check_to(const live_t *b, const char *p, size_t size)
{
    size_t n = VMB_MIN(b->size, (size_t)MODEL_ENDS), i;
    for (i = 0; i < VMB_MIN(n, size); i++)
        if ((unsigned char)p[i] != pat_byte(b->id, i))
            fail_msg("block %p of %zu lost byte %zu", (void *)p, b->size, i);
    for (i = b->size - n; i < VMB_MIN(b->size, size); i++)
        if ((unsigned char)p[i] != pat_byte(b->id, i))
            fail_msg("block %p of %zu lost byte %zu", (void *)p, b->size, i);
}
static inline void live_check(const live_t *b) { live_check_to(b, b->p, b->size); }

/* Note a block that was just allocated; its size is exact, and its rest is cleared. */
static inline void model_note(model_t *m, char *p, size_t size, size_t align)
{
    live_t *b = &m->b[m->n];
    long have = vmsize(m->vm, p);
    assert_true((uintptr_t)p % VMB_MAX(align, (size_t)VM_ALIGN) == 0);
    assert_true(have >= (long)size && have > 0);
    assert_int_equal(vmaddr(m->vm, p + have - 1), have - 1);
    assert_int_equal(pat_notzero(p, size, (size_t)have), (size_t)have);
    *b = (live_t){p, size, (size_t)have, ++m->id};
    live_fill(b);
    m->bytes += b->have;
    m->n++;
}

static inline int model_alloc(model_t *m, size_t size)
{
    char *p;
    if (m->n == m->most || (p = (char *)vmalloc(m->vm, size)) == NULL)
        return -1;
    model_note(m, p, size, VM_ALIGN);
    return 0;
}

static inline int model_align(model_t *m, size_t size, size_t align)
{
    char *p;
    if (m->n == m->most || (p = (char *)vmalign(m->vm, size, align)) == NULL)
        return -1;
    model_note(m, p, size, 1);
    assert_int_equal((uintptr_t)p % align, 0);
    return 0;
}

static inline void model_drop(model_t *m, size_t i)
{
    live_check(&m->b[i]);
    assert_int_equal(vmfree(m->vm, m->b[i].p), 0);
    m->bytes -= m->b[i].have;
    m->b[i] = m->b[--m->n];
}

static inline int model_resize(model_t *m, size_t i, size_t size, int type)
{
    live_t *b = &m->b[i], old = *b;
    char *p = (char *)vmresize(m->vm, b->p, size, type);
    size_t end;
    live_check_to(&old, p ? p : b->p, p && !(type & VM_RSCOPY) && p != b->p ? 0
                                      : p                                  ? size
                                                                           : b->size);
    if (p == NULL)
        return -1;
    m->bytes -= b->have;
    b->p = p;
    b->size = size;
    b->have = (size_t)vmsize(m->vm, p);
    assert_true(b->have >= size);
    end = b->have;
    assert_int_equal(pat_notzero(p, type & VM_RSZERO && old.size < size ? old.size : size, end), end);
    if (old.size >= size)
        assert_true(p == old.p);
    live_fill(b);
    m->bytes += b->have;
    return 0;
}

static inline void model_agree(model_t *m)
{
    Vmstat_t st = statof(m->vm);
    sound(m->vm);
    assert_int_equal(st.n_busy, m->n);
    assert_int_equal(st.s_busy, m->bytes);
}

static inline void model_contents(model_t *m)
{
    size_t i;
    for (i = 0; i < m->n; i++)
        live_check(&m->b[i]);
}

/* A size of every scale up to most. */
static inline size_t model_size(model_t *m, size_t most)
{
    size_t bits = (size_t)vmb_log2(most) + 1;
    size_t size = 1 + rnd_below(&m->seed, (size_t)1 << rnd_below(&m->seed, bits));
    return VMB_MIN(size, most);
}

/* One random operation; blocks up to most bytes. */
static inline void model_step(model_t *m, size_t most)
{
    static const size_t aligns[] = {16, 32, 64, 13, 24, 48, 256, 4096, 5000, 65536};
    size_t what = rnd_below(&m->seed, 16), i = rnd_below(&m->seed, m->n);
    if (what < 7)
        model_alloc(m, model_size(m, most));
    else if (what == 7)
        model_align(m, model_size(m, most),
                    aligns[rnd_below(&m->seed, sizeof aligns / sizeof *aligns)]);
    else if (m->n > 0 && what < 10)
        model_resize(m, i, model_size(m, most), (int)rnd_below(&m->seed, 8));
    else if (m->n > 0)
        model_drop(m, i);
}

/* Vmdcsystem, but with handlers of one's own. */
static inline Vmdisc_t plaindisc(size_t round)
{
    Vmdisc_t d = *Vmdcsystem;
    d.round = round;
    return d;
}

#endif
