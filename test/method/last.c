/* SPDX-License-Identifier: MIT */
/* Vmlast: against a model of its blocks, over disciplines that grow, refuse and fail. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vmalloc.h>
#include <vmalloc/discipline.h>

#include "last.h"
#include "support/checking.h"
#include "support/pattern.h"

#define EVERY (VM_RSCOPY | VM_RSMOVE | VM_RSZERO)

/* ---- the model: all blocks, in the order that they were made ---- */

typedef struct block {
    char *p;
    size_t size;
    uint64_t id;
    int ismark;
} block_t;

typedef struct model {
    Vmalloc_t *vm;
    block_t b[4000];
    size_t n;
    int haslast; /* b[n-1] can be freed */
    uint64_t seed, id;
} model_t;

static void sound(model_t *m)
{
    Vmstat_t st;
    size_t i, s = 0;

    assert_int_equal(vmdbcheck(m->vm), 0);
    assert_int_equal(vmstat(m->vm, &st), 0);
    assert_int_equal(st.n_busy, m->n);
    for (i = 0; i < m->n; i++) {
        block_t *b = &m->b[i];
        size_t rounded = ((b->size | !b->size) + 15) & ~(size_t)15;
        s += rounded;
        assert_int_equal(vmsize(m->vm, b->p), rounded);
        assert_int_equal(vmaddr(m->vm, b->p + b->size / 2), b->size / 2);
        if (!b->ismark)
            assert_int_equal(pat_differs(b->p, b->size, b->id), b->size);
    }
    assert_int_equal(st.s_busy, s);
    assert_true(st.s_busy + st.s_free <= st.extent);
}

static void add(model_t *m, char *p, size_t size)
{
    if (p == NULL)
        return;
    assert_int_equal((uintptr_t)p % VM_ALIGN, 0);
    assert_true(m->n < sizeof m->b / sizeof *m->b);
    m->b[m->n] = (block_t){p, size, ++m->id, 0};
    pat_fill(p, 0, size, m->id);
    m->n++;
    m->haslast = 1;
}

static size_t somesize(model_t *m)
{
    switch (rnd_below(&m->seed, 12)) {
    case 0:
        return rnd_below(&m->seed, 100000);
    case 1:
    case 2:
        return rnd_below(&m->seed, 3000);
    default:
        return rnd_below(&m->seed, 200);
    }
}

static void resizes(model_t *m)
{
    size_t i = rnd_below(&m->seed, 3) ? m->n - 1 : rnd_below(&m->seed, m->n);
    int type = (int)rnd_below(&m->seed, 8), last = m->haslast && i == m->n - 1;
    block_t old = m->b[i];
    size_t size = 1 + somesize(m);
    char *p = vmresize(m->vm, old.p, size, type);

    if (old.ismark) {
        assert_null(p);
        return;
    }
    if (p == NULL) { /* refused or no memory: nothing changed */
        assert_true(!last || size > old.size || size == 0);
        return;
    }
    assert_true(p == old.p ? last : (type & (VM_RSMOVE | VM_RSCOPY)) != 0);
    if (p == old.p || (type & VM_RSCOPY))
        assert_int_equal(pat_differs(p, VMB_MIN(old.size, size), old.id),
                         VMB_MIN(old.size, size));
    if (type & VM_RSZERO && size > old.size)
        assert_int_equal(pat_notzero(p, old.size, size), size);
    memmove(&m->b[i], &m->b[i + 1], (m->n - i - 1) * sizeof old);
    m->n--;
    add(m, p, size);
}

static void frees(model_t *m)
{
    size_t i = rnd_below(&m->seed, m->n);

    if (i + 1 < m->n || !m->haslast) {
        errno = 0;
        assert_int_equal(vmfree(m->vm, m->b[i].p), -1);
        assert_int_equal(errno, EINVAL);
    } else {
        assert_int_equal(vmfree(m->vm, m->b[i].p), 0);
        assert_int_equal(vmfree(m->vm, m->b[i].p), -1);
        m->n--;
        m->haslast = 0;
    }
}

static void marks(model_t *m)
{
    char *p = vmmark(m->vm);

    if (p != NULL) {
        m->b[m->n++] = (block_t){p, sizeof(vmla_mark_t), 0, 1};
        m->haslast = 1;
    }
}

static void releases(model_t *m)
{
    size_t i = rnd_below(&m->seed, m->n);

    if (!m->b[i].ismark) {
        assert_int_equal(vmrelease(m->vm, m->b[i].p), -1);
        return;
    }
    assert_int_equal(vmrelease(m->vm, m->b[i].p), 0);
    m->n = i + 1;
    m->haslast = 1;
}

static void step(model_t *m)
{
    static const size_t aligns[] = {1, 16, 24, 13, 64, 256, 4096, 1000};
    size_t size = somesize(m);

    switch (rnd_below(&m->seed, 16)) {
    case 0:
        if (size > 0)
            add(m, vmalign(m->vm, size, aligns[rnd_below(&m->seed, 8)]), size);
        break;
    case 1:
    case 2:
    case 3:
        if (m->n > 0)
            resizes(m);
        break;
    case 4:
    case 5:
        if (m->n > 0)
            frees(m);
        break;
    case 6:
        marks(m);
        break;
    case 7:
        if (m->n > 0 && rnd_below(&m->seed, 3) == 0)
            releases(m);
        break;
    case 8:
        if (rnd_below(&m->seed, 4) == 0)
            assert_int_equal(vmcompact(m->vm), 0);
        break;
    default:
        add(m, vmalloc(m->vm, size), size);
    }
}

static void play(Vmdisc_t *disc, int flags, uint64_t seed, int steps)
{
    static model_t m;
    int i;

    memset(&m, 0, sizeof m);
    m.seed = seed;
    m.vm = vmopen(disc, Vmlast, flags);
    if (m.vm == NULL)
        return;
    for (i = 0; i < steps; i++) {
        step(&m);
        if (i % 16 == 0)
            sound(&m);
        if (m.n > 300 || rnd_below(&m.seed, 300) == 0) {
            assert_int_equal(vmclear(m.vm), 0);
            m.n = 0;
            m.haslast = 0;
        }
    }
    sound(&m);
    assert_int_equal(vmclose(m.vm), 0);
}

static void model_over(size_t round, enum chk_source source, enum chk_growth growth, size_t odd)
{
    uint64_t seed;

    for (seed = 1; seed <= 12; seed++) {
        chk_t *c = chk_new(round, source, growth);
        c->odd = odd;
        c->maxbytes = seed % 3 == 0 ? 300000 : 0;
        if (seed % 2)
            c->disc.exceptf = NULL;
        play(&c->disc, seed % 4 == 0 ? VM_SINGLE : 0, seed, 400);
        assert_null(chk_done(c));
        free(c);
    }
}

static void model_refusing(void **state)
{
    (void)state;
    model_over(0, CHK_MALLOC, CHK_REFUSE, 0);
    model_over(127, CHK_MALLOC, CHK_REFUSE, 5);
}

static void model_growing(void **state)
{
    (void)state;
    model_over(4096, CHK_RESERVE, CHK_INPLACE, 0);
    model_over(64, CHK_RESERVE, CHK_INPLACE, 3);
    model_over(1024, CHK_MALLOC, CHK_NEWSEG, 0);
}

static void model_system(void **state)
{
    uint64_t seed;

    (void)state;
    for (seed = 100; seed < 106; seed++) {
        play(Vmdcsystem, 0, seed, 400);
        play(Vmdcheap, VM_SINGLE, seed, 400);
    }
}

/* Every request for memory fails once, and then all from there on. */
static void each_failing(void **state)
{
    size_t k, served = 1;
    int all;

    (void)state;
    for (all = 0; all < 2; all++)
        for (k = 1; k <= served; k++) {
            chk_t *c = chk_new(4096, CHK_RESERVE, k % 2 ? CHK_INPLACE : CHK_REFUSE);
            c->failat = k;
            c->failall = all;
            play(&c->disc, 0, 77, 120);
            assert_null(chk_done(c));
            served = VMB_MIN(c->gets, 60);
            free(c);
        }
}

/* ---- single facts ---- */

static void blocks_are_adjacent(void **state)
{
    Vmalloc_t *vm = vmopen(Vmdcheap, Vmlast, 0);
    char *a = vmalloc(vm, 1), *b = vmalloc(vm, 16), *c = vmalloc(vm, 0), *d = vmalloc(vm, 17);

    (void)state;
    assert_ptr_equal(b, a + 16);
    assert_ptr_equal(c, b + 16);
    assert_ptr_equal(d, c + 16);
    assert_int_equal(vmsize(vm, c), 16);
    assert_int_equal(vmsize(vm, d), 32);
    assert_int_equal(vmclose(vm), 0);
}

/* Blocks that fill cache lines do not lie across them; and a region that grows gets few segments. */
static void blocks_fill_lines(void **state)
{
    Vmalloc_t *vm = vmopen(Vmdcheap, Vmlast, 0);
    Vmstat_t st;
    int i;

    (void)state;
    for (i = 0; i < 1000; i++)
        assert_int_equal((uintptr_t)vmalloc(vm, 64) % 64, 0);
    assert_int_equal(vmdbcheck(vm), 0);
    assert_int_equal(vmstat(vm, &st), 0);
    assert_true(st.n_seg <= 3);
    assert_true(st.extent <= 256 * 1024);
    assert_int_equal(vmclose(vm), 0);
}

/* The bytes behind an earlier block are its neighbour's, and stay there. */
static void earlier_block_gets_zeros(void **state)
{
    Vmalloc_t *vm = vmopen(Vmdcheap, Vmlast, 0);
    size_t n;
    char *p, *q, *r;

    (void)state;
    for (n = 0; n < 70; n++) {
        p = vmalloc(vm, n);
        memset(p, 1, n);
        q = vmalloc(vm, 100);
        memset(q, 2, 100);
        r = vmnewof(vm, p, char, 200, 0);
        assert_ptr_not_equal(r, p);
        assert_int_equal(pat_notzero(r, 0, 1), n == 0);
        assert_int_equal(pat_notzero(r, n, 200), 200);
        assert_int_equal(vmsize(vm, p), -1);
        assert_int_equal(vmfree(vm, p), -1);
        assert_null(vmresize(vm, p, 300, EVERY));
    }
    assert_int_equal(vmdbcheck(vm), 0);
    assert_int_equal(vmclose(vm), 0);
}

/* What is looked at at each moment by vmdbcheck(): the list of large blocks, and their sizes. */
static void large_blocks_are_checked(void **state)
{
    Vmalloc_t *vm = vmopen(Vmdcheap, Vmlast, 0);
    vmla_part_t *part;
    vmla_big_t *big;
    char *top;
    size_t n;

    (void)state;
    assert_non_null(vmalloc(vm, 2 * VMLA_BIG));
    assert_non_null(vmalloc(vm, 100));
    assert_non_null(vmalloc(vm, 3 * VMLA_BIG));
    part = ((vmla_t *)vmr_state(vm))->cur;
    top = part->big;
    big = vmla_bigof(vmla_mapof(part), top);
    n = big->n;
    assert_int_equal(vmdbcheck(vm), 0);
    part->big = big->prev;
    assert_true(vmdbcheck(vm) > 0);
    part->big = top;
    big->n = 0;
    assert_true(vmdbcheck(vm) > 0);
    big->n = n;
    assert_int_equal(vmdbcheck(vm), 0);
    assert_int_equal(vmclose(vm), 0);
}

static void no_last_block_after_free(void **state)
{
    Vmalloc_t *vm = vmopen(Vmdcheap, Vmlast, 0);
    char *a = vmalloc(vm, 10), *b = vmalloc(vm, 10);
    Vmstat_t st;

    (void)state;
    assert_int_equal(vmfree(vm, b), 0);
    assert_int_equal(vmfree(vm, a), -1);
    assert_null(vmresize(vm, a, 5, 0));
    assert_ptr_equal(vmresize(vm, a, 5, VM_RSCOPY), b);
    assert_int_equal(vmfree(vm, b), 0);
    assert_int_equal(vmstat(vm, &st), 0);
    assert_int_equal(st.n_busy + st.s_busy, 0);
    assert_int_equal(vmclose(vm), 0);
}

static void huge_sizes(void **state)
{
    static const size_t huge[] = {SIZE_MAX, SIZE_MAX - 15, SIZE_MAX - 100, SIZE_MAX - 1000,
                                  SIZE_MAX / 16 * 15, SIZE_MAX / 8 * 7, SIZE_MAX - 65536};
    Vmalloc_t *vm = vmopen(Vmdcsystem, Vmlast, 0);
    char *p = vmalloc(vm, 100);
    size_t i;

    (void)state;
    for (i = 0; i < sizeof huge / sizeof *huge; i++) {
        errno = 0;
        assert_null(vmalloc(vm, huge[i]));
        assert_int_equal(errno, ENOMEM);
        assert_null(vmresize(vm, p, huge[i], EVERY));
        assert_null(vmresize(vm, p, huge[i], 0));
        assert_null(vmalign(vm, 100, huge[i]));
        assert_null(vmalign(vm, huge[i], 64));
        assert_int_equal(vmsize(vm, p), 112);
    }
    assert_int_equal(vmfree(vm, p), 0);
    assert_int_equal(vmclose(vm), 0);
}

/* A large block is as any other, and its inside is no block. */
static void large_blocks(void **state)
{
    Vmalloc_t *vm = vmopen(Vmdcsystem, Vmlast, 0);
    size_t n = (size_t)1 << 26, i;
    char *a = vmalloc(vm, 8), *p = vmalloc(vm, n), *b;

    (void)state;
    assert_int_equal(vmsize(vm, p), n);
    assert_int_equal(vmaddr(vm, p + n - 1), n - 1);
    for (i = 16; i < n; i += n / 64)
        assert_int_equal(vmsize(vm, p + i), -1);
    assert_ptr_equal(vmresize(vm, p, 1000, 0), p);
    b = vmalloc(vm, 8);
    assert_ptr_equal(b, p + 1008);
    assert_int_equal(vmdbcheck(vm), 0);
    assert_int_equal(vmfree(vm, b), 0);
    p = vmalloc(vm, n / 2);
    assert_ptr_equal(vmresize(vm, p, n / 2 + 1, 0), p);
    assert_int_equal(vmaddr(vm, a), 0);
    vmalloc(vm, 8);
    b = vmresize(vm, p, n, VM_RSMOVE);
    assert_non_null(b);
    assert_int_equal(vmsize(vm, p), -1);
    assert_int_equal(vmaddr(vm, p + n / 4), -1);
    assert_int_equal(vmdbcheck(vm), 0);
    assert_int_equal(vmclose(vm), 0);
}

static void compaction_gives_back(void **state)
{
    chk_t *c = chk_new(4096, CHK_RESERVE, CHK_INPLACE);
    Vmalloc_t *vm = vmopen(&c->disc, Vmlast, 0);
    size_t before, i;
    char *keep = vmalloc(vm, 100), *p;

    (void)state;
    pat_fill(keep, 0, 100, 1);
    p = vmalloc(vm, 1 << 20);
    assert_int_equal(vmfree(vm, p), 0);
    before = c->bytes;
    assert_int_equal(vmcompact(vm), 0);
    assert_true(c->bytes < before && c->bytes <= 8192);
    for (i = 0; i < 1000; i++) /* what went is not used, what stayed is */
        pat_fill(vmalloc(vm, 100), 0, 100, i);
    assert_int_equal(pat_differs(keep, 100, 1), 100);
    assert_int_equal(vmdbcheck(vm), 0);
    assert_int_equal(vmclose(vm), 0);
    assert_null(chk_done(c));
    free(c);
}

static void marks_of_others(void **state)
{
    Vmalloc_t *vm = vmopen(Vmdcheap, Vmlast, 0), *other = vmopen(Vmdcheap, Vmlast, 0);
    char *m = vmmark(vm), *p;
    Vmstat_t st;

    (void)state;
    assert_int_equal(vmrelease(other, m), -1);
    assert_int_equal(errno, EINVAL);
    assert_null(vmmark(NULL));
    p = vmalloc(vm, 10);
    vmalloc(vm, 100000);
    assert_int_equal(vmrelease(vm, m), 0);
    assert_ptr_equal(vmalloc(vm, 10), p);
    assert_int_equal(vmrelease(vm, m), 0);
    assert_int_equal(vmfree(vm, m), 0); /* it was the last block */
    assert_int_equal(vmrelease(vm, m), -1);
    assert_int_equal(vmstat(vm, &st), 0);
    assert_int_equal(st.n_busy, 0);
    errno = 0;
    assert_null(vmmark(Vmheap));
    assert_int_equal(errno, ENOTSUP);
    assert_int_equal(vmclose(vm) + vmclose(other), 0);
}

/* ---- threads ---- */

enum { THREADS = 4, BLOCKS = 3000 };

static Vmalloc_t *shared;

static void *fills(void *arg)
{
    static char *p[THREADS][BLOCKS];
    size_t t = (size_t)arg, i;

    for (i = 0; i < BLOCKS; i++) {
        p[t][i] = vmalloc(shared, 1 + i % 90);
        pat_fill(p[t][i], 0, 1 + i % 90, t * BLOCKS + i);
    }
    for (i = 0; i < BLOCKS; i++)
        if (pat_differs(p[t][i], 1 + i % 90, t * BLOCKS + i) != 1 + i % 90)
            return p[t][i];
    return NULL;
}

static void many_threads(void **state)
{
    pthread_t th[THREADS];
    void *r;
    size_t i, turn;
    Vmstat_t st;

    (void)state;
    shared = vmopen(Vmdcheap, Vmlast, 0);
    for (turn = 0; turn < 3; turn++) {
        for (i = 0; i < THREADS; i++)
            assert_int_equal(pthread_create(&th[i], NULL, fills, (void *)i), 0);
        for (i = 0; i < THREADS; i++) {
            assert_int_equal(pthread_join(th[i], &r), 0);
            assert_null(r);
        }
        assert_int_equal(vmstat(shared, &st), 0);
        assert_int_equal(st.n_busy, THREADS * BLOCKS);
        assert_int_equal(vmdbcheck(shared), 0);
        assert_int_equal(vmclear(shared), 0);
    }
    assert_int_equal(vmclose(shared), 0);
}

/* One thread allocates, another only asks. */
static void asked_meanwhile(void **state)
{
    pthread_t th;
    Vmstat_t st;
    size_t last = 0;
    int i;

    (void)state;
    shared = vmopen(Vmdcheap, Vmlast, 0);
    assert_int_equal(pthread_create(&th, NULL, fills, NULL), 0);
    for (i = 0; i < 300; i++) {
        assert_int_equal(vmstat(shared, &st), 0);
        assert_true(st.n_busy >= last && st.n_busy <= BLOCKS);
        last = st.n_busy;
        assert_int_equal(vmdbcheck(shared), 0);
    }
    assert_int_equal(pthread_join(th, NULL), 0);
    assert_int_equal(vmclose(shared), 0);
}

static void *frees_last(void *p)
{
    return (void *)(intptr_t)vmfree(shared, p);
}

/* The last block may be freed by any thread. */
static void freed_by_another(void **state)
{
    pthread_t th;
    void *r;
    char *p;

    (void)state;
    shared = vmopen(Vmdcheap, Vmlast, 0);
    vmalloc(shared, 10);
    p = vmalloc(shared, 10);
    assert_int_equal(pthread_create(&th, NULL, frees_last, p), 0);
    assert_int_equal(pthread_join(th, &r), 0);
    assert_null(r);
    assert_ptr_equal(vmalloc(shared, 10), p);
    assert_int_equal(vmclose(shared), 0);
}

static int stop;

static void *churns(void *arg)
{
    (void)arg;
    while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
        char *p = vmalloc(shared, 20);
        if (p != NULL)
            *p = 1;
        vmfree(shared, p);
    }
    return NULL;
}

static void fork_meanwhile(void **state)
{
    pthread_t th;
    int i, status;
    pid_t pid;

    (void)state;
#if defined(_WIN32)
    skip(); /* before there are threads */
#endif
    shared = vmopen(Vmdcheap, Vmlast, 0);
    stop = 0;
    assert_int_equal(pthread_create(&th, NULL, churns, NULL), 0);
    for (i = 0; i < 30; i++) {
        pid = fork();
        assert_true(pid >= 0);
        if (pid == 0) {
            char *p = vmalloc(shared, 100);
            _exit(p == NULL || vmdbcheck(shared) != 0 || vmfree(shared, p) != 0);
        }
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_int_equal(status, 0);
    }
    __atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
    assert_int_equal(pthread_join(th, NULL), 0);
    assert_int_equal(vmclose(shared), 0);
}

static void tells_the_largest(void **state)
{
    Vmalloc_t *vm = vmopen(Vmdcsystem, Vmlast, 0);
    Vmstat_t st;
    char *p;
    (void)state;
    assert_non_null(vmalloc(vm, 100));
    p = vmalloc(vm, 5000);
    vmstat(vm, &st);
    assert_int_equal(st.m_busy, 5008);
    vmfree(vm, p);
    p = vmalloc(vm, 100000);
    vmstat(vm, &st);
    assert_int_equal(st.m_busy, 100000);
    vmfree(vm, p);
    vmstat(vm, &st);
    assert_int_equal(st.m_busy, 112); /* not more than all that is in use */
    vmclear(vm);
    vmstat(vm, &st);
    assert_int_equal(st.m_busy, 0);
    vmclose(vm);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tells_the_largest),
        cmocka_unit_test(blocks_are_adjacent),
        cmocka_unit_test(blocks_fill_lines),
        cmocka_unit_test(earlier_block_gets_zeros),
        cmocka_unit_test(no_last_block_after_free),
        cmocka_unit_test(huge_sizes),
        cmocka_unit_test(large_blocks),
        cmocka_unit_test(compaction_gives_back),
        cmocka_unit_test(marks_of_others),
        cmocka_unit_test(model_refusing),
        cmocka_unit_test(model_growing),
        cmocka_unit_test(model_system),
        cmocka_unit_test(each_failing),
        cmocka_unit_test(many_threads),
        cmocka_unit_test(asked_meanwhile),
        cmocka_unit_test(large_blocks_are_checked),
        cmocka_unit_test(freed_by_another),
        cmocka_unit_test(fork_meanwhile),
    };
    return cmocka_run_group_tests_name("last", tests, NULL, NULL);
}
