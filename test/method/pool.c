/* SPDX-License-Identifier: MIT */
/* Vmpool: against a model, over disciplines that grow, refuse and fail, and with threads. */
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

#include "pool.h"
#include "support/checking.h"
#include "support/pattern.h"

/* ---- the model ---- */

enum { MOST = 3000 };

typedef struct model {
    Vmalloc_t *vm;
    size_t size, n;
    char *p[MOST];
    uint64_t id[MOST], seed, next;
    char *gone; /* a block that was freed last */
} model_t;

static void sound(model_t *m)
{
    Vmstat_t st;
    size_t i;

    assert_int_equal(vmdbcheck(m->vm), 0);
    assert_int_equal(vmstat(m->vm, &st), 0);
    assert_int_equal(st.n_busy, m->n);
    assert_int_equal(st.s_busy, m->n * m->size);
    for (i = 0; i < m->n; i++) {
        assert_int_equal(vmsize(m->vm, m->p[i]), m->size);
        assert_int_equal(vmaddr(m->vm, m->p[i] + m->size - 1), m->size - 1);
        assert_int_equal(pat_differs(m->p[i], m->size, m->id[i]), m->size);
    }
}

static void gets(model_t *m)
{
    char *p;

    if (m->n == MOST)
        return;
    p = rnd_below(&m->seed, 2) ? vmalloc(m->vm, m->size)
                               : vmresize(m->vm, NULL, m->size, VM_RSZERO);
    if (p == NULL) {
        assert_int_equal(errno, ENOMEM);
        return;
    }
    assert_int_equal((uintptr_t)p % VM_ALIGN, 0);
    m->id[m->n] = ++m->next;
    pat_fill(p, 0, m->size, m->next);
    m->p[m->n++] = p;
    if (p == m->gone)
        m->gone = NULL;
}

static void frees(model_t *m)
{
    size_t i = rnd_below(&m->seed, m->n);

    if (m->n == 0)
        return;
    m->gone = m->p[i];
    if (rnd_below(&m->seed, 4))
        assert_int_equal(vmfree(m->vm, m->p[i]), 0);
    else
        assert_null(vmresize(m->vm, m->p[i], 0, 0));
    m->p[i] = m->p[--m->n];
    m->id[i] = m->id[m->n];
}

static void wrongs(model_t *m)
{
    char *p = m->n > 0 ? m->p[rnd_below(&m->seed, m->n)] : NULL;

    errno = 0;
    assert_int_equal(vmfree(m->vm, &m), -1);
    assert_int_equal(errno, EINVAL);
    assert_null(vmalloc(m->vm, m->size + 1));
    assert_null(vmalloc(m->vm, 0));
    assert_null(vmalign(m->vm, m->size, 16));
    if (m->gone != NULL && m->n > 0) {
        assert_int_equal(vmfree(m->vm, m->gone), -1);
        assert_int_equal(vmsize(m->vm, m->gone), -1);
        assert_int_equal(vmaddr(m->vm, m->gone), -1);
        assert_null(vmresize(m->vm, m->gone, m->size, VM_RSCOPY));
    }
    if (p != NULL) {
        assert_int_equal(vmfree(m->vm, p + 1), -1);
        assert_int_equal(m->size <= 16 || vmfree(m->vm, p + 16) == -1, 1);
        assert_null(vmresize(m->vm, p, m->size - 1 + 2 * (m->size == 1), VM_RSCOPY | VM_RSMOVE));
        assert_ptr_equal(vmresize(m->vm, p, m->size, 0), p);
    }
}

static void starts(model_t *m)
{
    static const size_t sizes[] = {1, 8, 15, 16, 17, 24, 40, 48, 64, 100, 129, 1000, 5000};

    m->size = sizes[rnd_below(&m->seed, sizeof sizes / sizeof *sizes)];
    m->n = 0;
    m->gone = NULL;
    assert_int_equal(vmfree(m->vm, m), -1);
    do { /* the first allocation that succeeds fixes the size */
        gets(m);
    } while (m->n == 0 && rnd_below(&m->seed, 8));
}

static void play(Vmdisc_t *disc, int flags, uint64_t seed, int steps)
{
    static model_t m;
    int i, up = 3;

    memset(&m, 0, sizeof m);
    m.seed = seed;
    m.vm = vmopen(disc, Vmpool, flags);
    if (m.vm == NULL)
        return;
    starts(&m);
    for (i = 0; i < steps && m.n > 0; i++) {
        if (i % 500 == 0)
            up = (int)rnd_below(&m.seed, 5);
        if ((int)rnd_below(&m.seed, 4) < up)
            gets(&m);
        else if (m.n > 1)
            frees(&m);
        if (i % 50 == 0)
            wrongs(&m);
        if (i % 100 == 0)
            sound(&m);
        if (rnd_below(&m.seed, 300) == 0)
            assert_int_equal(vmcompact(m.vm), 0);
        if (rnd_below(&m.seed, 1500) == 0) {
            assert_int_equal(vmclear(m.vm), 0);
            starts(&m);
        }
    }
    sound(&m);
    assert_int_equal(vmclose(m.vm), 0);
}

static void model_over(size_t round, enum chk_source source, enum chk_growth growth, size_t odd)
{
    uint64_t seed;

    for (seed = 1; seed <= 10; seed++) {
        chk_t *c = chk_new(round, source, growth);
        c->odd = odd;
        c->maxbytes = seed % 3 == 0 ? 60000 : 0;
        if (seed % 2)
            c->disc.exceptf = NULL;
        play(&c->disc, seed % 4 == 0 ? VM_SINGLE : 0, seed, 3000);
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
            play(&c->disc, 0, 7, 1000);
            assert_null(chk_done(c));
            served = VMB_MIN(c->gets, 40);
            free(c);
        }
}

/* ---- single facts ---- */

static void size_is_that_asked_for(void **state)
{
    Vmalloc_t *vm = vmopen(Vmdcheap, Vmpool, 0);
    char *p = vmalloc(vm, 15);
    Vmstat_t st;

    (void)state;
    assert_int_equal(vmsize(vm, p), 15);
    assert_int_equal(vmaddr(vm, p + 15), -1);
    assert_null(vmalloc(vm, 16));
    assert_int_equal(errno, EINVAL);
    assert_int_equal(vmstat(vm, &st), 0);
    assert_int_equal(st.s_busy, 15);
    assert_int_equal(st.m_busy, 15);
    assert_int_equal(vmclear(vm), 0);
    assert_int_equal(vmfree(vm, p), -1);
    assert_non_null(vmalloc(vm, 16));
    assert_int_equal(vmclose(vm), 0);
}

static void huge_sizes(void **state)
{
    static const size_t huge[] = {SIZE_MAX, SIZE_MAX - 15, SIZE_MAX - 1000, SIZE_MAX / 16 * 15,
                                  SIZE_MAX / 8 * 7, SIZE_MAX >> (sizeof(size_t) > 4 ? 4 : 0)};
    Vmalloc_t *vm = vmopen(Vmdcsystem, Vmpool, 0);
    size_t i;
    char *p;

    (void)state;
    for (i = 0; i < sizeof huge / sizeof *huge; i++) {
        errno = 0;
        assert_null(vmalloc(vm, huge[i]));
        assert_int_equal(errno, ENOMEM);
    }
    p = vmalloc(vm, 100); /* none of them has fixed the size */
    assert_non_null(p);
    for (i = 0; i < sizeof huge / sizeof *huge; i++)
        assert_null(vmresize(vm, p, huge[i], VM_RSCOPY | VM_RSMOVE));
    assert_int_equal(vmsize(vm, p), 100);
    assert_int_equal(vmclose(vm), 0);
}

static void large_blocks(void **state)
{
    Vmalloc_t *vm = vmopen(Vmdcsystem, Vmpool, 0);
    char *p[5];
    size_t i;

    (void)state;
    for (i = 0; i < 5; i++) {
        p[i] = vmalloc(vm, 3000001);
        assert_non_null(p[i]);
        p[i][0] = p[i][3000000] = (char)i;
    }
    assert_int_equal(vmdbcheck(vm), 0);
    for (i = 0; i < 5; i++) {
        assert_int_equal(p[i][3000000], i);
        assert_int_equal(vmfree(vm, p[i]), 0);
    }
    assert_int_equal(vmcompact(vm), 0);
    assert_int_equal(vmdbcheck(vm), 0);
    assert_int_equal(vmclose(vm), 0);
}

/* Freed in any order, given out again in that of addresses. */
static void address_order(void **state)
{
    enum { N = 10000 };
    static char *p[N];
    Vmalloc_t *vm = vmopen(Vmdcsystem, Vmpool, VM_SINGLE);
    size_t i, turns = 0;
    char *before = NULL, *q;

    (void)state;
    for (i = 0; i < N; i++)
        p[i] = vmalloc(vm, 40);
    for (i = 0; i < N; i++)
        assert_int_equal(vmfree(vm, p[i * 7919 % N]), 0);
    for (i = 0; i < N; i++, before = q) {
        q = vmalloc(vm, 40);
        turns += q < before;
    }
    assert_true(turns < 100);
    assert_int_equal(vmclose(vm), 0);
}

/* Blocks that fill cache lines do not lie across them; and a pool that grows gets few segments. */
static void blocks_fill_lines(void **state)
{
    static const size_t size[] = {32, 64, 192};
    Vmstat_t st;
    size_t i, k;

    (void)state;
    for (k = 0; k < 3; k++) {
        Vmalloc_t *vm = vmopen(Vmdcheap, Vmpool, 0);
        for (i = 0; i < 1000; i++) {
            uintptr_t p = (uintptr_t)vmalloc(vm, size[k]);
            /* of 192, less than 32 fit into the first page: those may lie anywhere */
            assert_true(p % (size[k] & (0 - size[k])) == 0 || (size[k] == 192 && i < 32));
        }
        assert_int_equal(vmdbcheck(vm), 0);
        assert_int_equal(vmstat(vm, &st), 0);
        assert_true(st.n_seg <= 5);
        assert_int_equal(vmclose(vm), 0);
    }
}

static void compaction_gives_back(void **state)
{
    enum { N = 20000 };
    static char *p[N];
    chk_t *c = chk_new(4096, CHK_RESERVE, CHK_REFUSE);
    Vmalloc_t *vm;
    size_t i, before;

    (void)state;
    c->disc.exceptf = NULL;
    vm = vmopen(&c->disc, Vmpool, 0);
    for (i = 0; i < N; i++)
        p[i] = vmalloc(vm, 64);
    pat_fill(p[0], 0, 64, 1);
    before = c->bytes;
    for (i = 1; i < N; i++)
        assert_int_equal(vmfree(vm, p[i]), 0);
    assert_int_equal(vmcompact(vm), 0);
    assert_true(c->bytes < before / 10);
    assert_int_equal(pat_differs(p[0], 64, 1), 64);
    assert_int_equal(vmdbcheck(vm), 0);
    for (i = 1; i < N; i++)
        pat_fill(p[i] = vmalloc(vm, 64), 0, 64, i);
    for (i = 1; i < N; i++)
        assert_int_equal(pat_differs(p[i], 64, i), 64);
    assert_int_equal(vmdbcheck(vm), 0);
    assert_int_equal(vmclose(vm), 0);
    assert_null(chk_done(c));
    free(c);
}

/* ---- threads ---- */

enum { THREADS = 6, BLOCKS = 200 };

static Vmalloc_t *shared;
static char *exchange[THREADS * BLOCKS]; /* blocks on their way from thread to thread */

static char *swap(size_t i, char *p)
{
    return __atomic_exchange_n(&exchange[i], p, __ATOMIC_ACQ_REL);
}

/* Blocks change hands and are freed by whoever gets them. */
static void *trades(void *arg)
{
    uint64_t seed = (uintptr_t)arg, id;
    size_t i, k;
    char *p;

    for (i = 0; i < 6000; i++) {
        k = rnd_below(&seed, THREADS * BLOCKS);
        p = vmalloc(shared, 72);
        if (p == NULL)
            return shared;
        id = rnd_next(&seed);
        memcpy(p, &id, sizeof id);
        pat_fill(p, sizeof id, 72, id);
        p = swap(k, p);
        if (p == NULL)
            continue;
        memcpy(&id, p, sizeof id);
        for (k = sizeof id; k < 72; k++)
            if ((unsigned char)p[k] != pat_byte(id, k))
                return p;
        if (vmfree(shared, p) != 0)
            return p;
    }
    return NULL;
}

static void trade(Vmalloc_t *vm, int threads)
{
    pthread_t th[48];
    void *r;
    int i;
    Vmstat_t st;
    size_t n = 0;

    shared = vm;
    assert_non_null(vm);
    for (i = 0; i < threads; i++)
        assert_int_equal(pthread_create(&th[i], NULL, trades, (void *)(uintptr_t)(i + 1)), 0);
    for (i = 0; i < threads; i++) {
        assert_int_equal(pthread_join(th[i], &r), 0);
        assert_null(r);
    }
    assert_int_equal(vmdbcheck(vm), 0);
    for (i = 0; i < THREADS * BLOCKS; i++)
        n += exchange[i] != NULL;
    assert_int_equal(vmstat(vm, &st), 0);
    assert_int_equal(st.n_busy, n);
    for (i = 0; i < THREADS * BLOCKS; i++)
        assert_int_equal(vmfree(vm, swap((size_t)i, NULL)), 0);
    assert_int_equal(vmcompact(vm), 0);
    assert_int_equal(vmdbcheck(vm), 0);
    assert_int_equal(vmstat(vm, &st), 0);
    assert_int_equal(st.n_busy, 0);
    assert_int_equal(vmclose(vm), 0);
}

static void many_threads(void **state)
{
    (void)state;
    trade(vmopen(Vmdcheap, Vmpool, 0), THREADS);
    trade(vmopen(Vmdcsystem, Vmpool, 0), 40);
}

/* Threads that may be of another process, as far as the region knows, share one seat. */
static int nohandler(Vmalloc_t *vm, int type, Void_t *obj, Vmdisc_t *disc)
{
    (void)vm, (void)type, (void)obj, (void)disc;
    return 0;
}

static Void_t *anymemory(Vmalloc_t *vm, Void_t *addr, size_t csize, size_t nsize, Vmdisc_t *disc)
{
    return (*Vmdcheap->memoryf)(vm, addr, csize, nsize, disc);
}

static void locked_threads(void **state)
{
    Vmdisc_t disc = {anymemory, nohandler, 0, sizeof disc};

    (void)state;
    trade(vmopen(&disc, Vmpool, 0), THREADS);
}

static pthread_barrier_t together;

static void *first(void *size)
{
    pthread_barrier_wait(&together);
    return vmalloc(shared, (size_t)size);
}

/* Two threads come first: one of them fixes the size. */
static void first_of_two(void **state)
{
    pthread_t a, b;
    void *p, *q;
    int i;

    (void)state;
    pthread_barrier_init(&together, NULL, 2);
    shared = vmopen(Vmdcheap, Vmpool, 0);
    for (i = 0; i < 50; i++) {
        pthread_create(&a, NULL, first, (void *)15);
        pthread_create(&b, NULL, first, (void *)16);
        pthread_join(a, &p);
        pthread_join(b, &q);
        assert_true((p == NULL) != (q == NULL));
        assert_int_equal(vmsize(shared, p != NULL ? p : q), p != NULL ? 15 : 16);
        assert_int_equal(vmclear(shared), 0);
    }
    assert_int_equal(vmclose(shared), 0);
    pthread_barrier_destroy(&together);
}

static char *given[1000];
static size_t ngiven;

static void *freeall(void *arg)
{
    size_t i;

    for (i = 0; i < ngiven; i++)
        if (vmfree(shared, given[i]) != 0)
            return shared;
    pthread_barrier_wait(&together);
    pthread_barrier_wait(&together);
    return arg;
}

/* What another, living thread has freed is not lost to this one, even in a small buffer. */
static void nothing_is_hoarded(void **state)
{
    static char buffer[8192];
    pthread_t th;
    void *r;
    size_t i, n;

    (void)state;
    pthread_barrier_init(&together, NULL, 2);
    shared = vmopen(vmdcfixedin(buffer, sizeof buffer), Vmpool, 0);
    assert_non_null(shared);
    while ((given[ngiven] = vmalloc(shared, 100)) != NULL)
        ngiven++;
    n = ngiven;
    assert_true(n > 40);
    for (i = 0; i < 3; i++) {
        assert_int_equal(pthread_create(&th, NULL, freeall, NULL), 0);
        pthread_barrier_wait(&together);
        for (ngiven = 0; (given[ngiven] = vmalloc(shared, 100)) != NULL;)
            ngiven++;
        pthread_barrier_wait(&together);
        assert_int_equal(pthread_join(th, &r), 0);
        assert_null(r);
        assert_int_equal(ngiven, n);
        assert_int_equal(vmdbcheck(shared), 0);
    }
    assert_int_equal(vmclose(shared), 0);
    pthread_barrier_destroy(&together);
}

static int stop;

static void *churns(void *arg)
{
    char *p[30];
    size_t i;

    while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
        for (i = 0; i < 30; i++)
            p[i] = vmalloc(shared, 40);
        for (i = 0; i < 30; i++)
            vmfree(shared, p[i]);
    }
    return arg;
}

/* In the child the other threads are gone, wherever they were. */
static void fork_meanwhile(void **state)
{
    pthread_t th[2];
    char *p[300];
    int i, k, status;
    pid_t pid;

    (void)state;
#if defined(_WIN32)
    skip(); /* before there are threads */
#endif
    shared = vmopen(Vmdcheap, Vmpool, 0);
    stop = 0;
    for (i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&th[i], NULL, churns, NULL), 0);
    for (i = 0; i < 30; i++) {
        pid = fork();
        assert_true(pid >= 0);
        if (pid == 0) {
            for (k = 0; k < 300; k++)
                p[k] = vmalloc(shared, 40);
            for (k = 0; k < 300; k++)
                if (vmfree(shared, p[k]) != 0)
                    _exit(1);
            _exit(vmdbcheck(shared) != 0 || vmcompact(shared) != 0 || vmdbcheck(shared) != 0);
        }
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_int_equal(status, 0);
    }
    __atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
    for (i = 0; i < 2; i++)
        assert_int_equal(pthread_join(th[i], NULL), 0);
    assert_int_equal(vmclose(shared), 0);
}

/* Compaction, checks and clearing of caches while others are at work. */
static void compacted_meanwhile(void **state)
{
    pthread_t th[2];
    int i;

    (void)state;
    shared = vmopen(Vmdcheap, Vmpool, 0);
    stop = 0;
    for (i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&th[i], NULL, churns, NULL), 0);
    for (i = 0; i < 300; i++) {
        assert_int_equal(vmcompact(shared), 0);
        assert_int_equal(vmdbcheck(shared), 0);
    }
    __atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
    for (i = 0; i < 2; i++)
        assert_int_equal(pthread_join(th[i], NULL), 0);
    assert_int_equal(vmclose(shared), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(size_is_that_asked_for),
        cmocka_unit_test(huge_sizes),
        cmocka_unit_test(large_blocks),
        cmocka_unit_test(address_order),
        cmocka_unit_test(blocks_fill_lines),
        cmocka_unit_test(compaction_gives_back),
        cmocka_unit_test(model_refusing),
        cmocka_unit_test(model_growing),
        cmocka_unit_test(each_failing),
        cmocka_unit_test(many_threads),
        cmocka_unit_test(locked_threads),
        cmocka_unit_test(first_of_two),
        cmocka_unit_test(nothing_is_hoarded),
        cmocka_unit_test(fork_meanwhile),
        cmocka_unit_test(compacted_meanwhile),
    };
    return cmocka_run_group_tests_name("pool", tests, NULL, NULL);
}
