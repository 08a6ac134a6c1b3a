/* SPDX-License-Identifier: MIT */
/* Memory goes back: compaction, purging; and how far a region gets where memory is scarce. */
#include "_best.h"

#include <pthread.h>
#include <stdio.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>
#include <vmalloc/discipline.h>

/* Bytes of the region's segments that are in memory. */
static size_t resident(Vmalloc_t *vm)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE), sum = 0, i;
    Vmseg_t *seg;
    for (seg = vmmtsegs(vm); seg; seg = seg->next) {
        size_t n = (seg->extent + page - 1) / page;
        unsigned char *in = malloc(n);
        assert_int_equal(mincore(seg->addr, seg->extent, (void *)in), 0);
        for (i = 0; i < n; i++)
            sum += (in[i] & 1) * page;
        free(in);
    }
    return sum;
}

/* Pages of a region without a block go, whatever the blocks were; and it works as before. */
static void compacted(void **state)
{
    static const size_t most[] = {500, 30000, 400000};
    size_t k, i, round;
    (void)state;
    for (k = 0; k < 3; k++) {
        Vmalloc_t *vm = vmopen(Vmdcsystem, Vmbest, 0);
        model_t *m = model_new(vm, 40000, k);
        for (round = 0; round < 3; round++) {
            size_t full;
            while (m->bytes < ((size_t)16 << 20) && model_alloc(m, model_size(m, most[k])) == 0)
                continue;
            full = resident(vm);
            while (m->n > 20)
                model_drop(m, rnd_below(&m->seed, m->n));
            assert_int_equal(vmcompact(vm), 0);
            model_agree(m);
            model_contents(m);
            if (resident(vm) > full / 2 + m->bytes + 600000)
                fail_msg("%zu of %zu stay for %zu in blocks", resident(vm), full, m->bytes);
            while (m->n > 0)
                model_drop(m, 0);
            assert_int_equal(vmcompact(vm), 0);
            model_agree(m);
            assert_true(resident(vm) <= 600000);
            for (i = 0; i < 100; i++)
                assert_int_equal(model_alloc(m, model_size(m, most[k])), 0);
            model_agree(m);
        }
        vmclose(vm);
        model_free(m);
    }
}

/* Segments of their own go back whole. */
static void segments(void **state)
{
    static const enum chk_growth ways[] = {CHK_REFUSE, CHK_INPLACE};
    size_t w, i, round;
    (void)state;
    for (w = 0; w < 2; w++) {
        chk_t *c = chk_new(0, w ? CHK_RESERVE : CHK_MALLOC, ways[w]);
        Vmalloc_t *vm = vmopen(&c->disc, Vmbest, 0);
        char *p[60];
        size_t most;
        for (round = 0; round < 4; round++) {
            for (i = 0; i < 60; i++)
                assert_non_null(p[i] = vmalloc(vm, 150000 + i * 1000));
            most = c->bytes;
            assert_true(most > 9000000);
            for (i = 0; i < 60; i++)
                if (i % 30 != round)
                    assert_int_equal(vmfree(vm, p[i]), 0);
            sound(vm);
            assert_int_equal(vmcompact(vm), 0);
            sound(vm);
            assert_true(c->bytes < most);
            for (i = 0; i < 60; i++)
                if (i % 30 == round)
                    assert_int_equal(vmfree(vm, p[i]), 0);
            assert_int_equal(vmcompact(vm), 0);
            sound(vm);
            /* Descriptors that are in use may lie in a segment or two: which, depends on addresses. */
            if (c->bytes > 2000000)
                fail_msg("growth %zu: %zu bytes in %zu segments stay", w, c->bytes, c->nsegs);
        }
        c->keep = 1; /* what the discipline does not take stays usable */
        for (i = 0; i < 60; i++)
            p[i] = vmalloc(vm, 150000 + i * 1000);
        for (i = 0; i < 60; i++)
            vmfree(vm, p[i]);
        most = c->bytes;
        assert_int_equal(vmcompact(vm), 0);
        sound(vm);
        for (i = 0; i < 60; i++)
            assert_non_null(vmalloc(vm, 150000 + i * 1000));
        sound(vm);
        assert_int_equal(c->bytes, most);
        c->keep = 0;
        assert_int_equal(vmclose(vm), 0);
        assert_null(chk_done(c));
        chk_drop(c);
    }
}

/* What is freed goes back by itself after a while, when there is more than may stay. */
static void purged(void **state)
{
    Vmalloc_t *vm = vmopen(Vmdcsystem, Vmbest, 0);
    struct timespec wait = {0, 600000000};
    char *p[200], *keep;
    size_t i, full;
    (void)state;
    for (i = 0; i < 200; i++)
        memset(p[i] = vmalloc(vm, 1 << 20), 1, 1 << 20);
    full = resident(vm);
    assert_true(full >= (size_t)200 << 20);
    keep = vmalloc(vm, 100);
    for (i = 0; i < 200; i++)
        vmfree(vm, p[i]);
    assert_true(resident(vm) <= full / 2); /* at once, beyond what may stay */
    for (i = 0; i < 4; i++) {
        nanosleep(&wait, NULL);
        vmfree(vm, vmalloc(vm, 40000));
    }
    sound(vm);
    assert_true(resident(vm) <= (size_t)8 << 20);
    assert_int_equal(vmfree(vm, keep), 0);
    vmclose(vm);
}

/* ---- scarce memory ---- */

static char buffer[(1 << 20) + 64] __attribute__((aligned(4096)));

/* Thirty sizes until there is no more, then all back; how full it was, in thousandths. */
static unsigned fill(size_t at, size_t size, int kind, unsigned *largest)
{
    static const size_t sizes[30] = {8,    16,   24,   32,   40,   48,   64,   80,   100,  128,
                                     150,  200,  256,  300,  400,  512,  600,  700,  800,  1000,
                                     1100, 1200, 1500, 1800, 2048, 2200, 2500, 3000, 3500, 4000};
    Vmalloc_t *vm = vmopen(vmdcfixedin(buffer + at, size), Vmbest, 0);
    model_t *m = model_new(vm, 70000, (uint64_t)kind);
    unsigned full;
    size_t failed = 0, big, n = 0;
    while (failed < 60) { /* a size that fails once may come in again */
        size_t s = kind == 0 ? sizes[n++ % 30] : kind == 1 ? sizes[rnd_below(&m->seed, 30)] : 48;
        failed = model_alloc(m, s) < 0 ? failed + 1 : failed;
    }
    model_agree(m);
    full = (unsigned)(statof(vm).s_busy * 1000 / size);
    while (m->n > 0)
        model_drop(m, kind ? rnd_below(&m->seed, m->n) : 0);
    model_agree(m);
    assert_int_equal(vmcompact(vm), 0); /* descriptors may lie in the middle */
    for (big = size; big > 0; big -= 1024) {
        char *p = vmalloc(vm, big);
        if (p != NULL)
            break;
    }
    *largest = (unsigned)(big * 1000 / size);
    sound(vm);
    vmclose(vm);
    model_free(m);
    return full;
}

static void scarce(void **state)
{
    static const size_t sizes[] = {4096, 16384, 65536, 262144, 1048576};
    size_t s, at;
    int kind;
    (void)state;
    for (s = 0; s < 5; s++)
        for (kind = 0; kind < 3; kind++) {
            unsigned least = 1000, leastbig = 1000;
            for (at = 0; at < 64; at += 27) {
                unsigned big, full = fill(at, sizes[s], kind, &big);
                least = VMB_MIN(least, full);
                leastbig = VMB_MIN(leastbig, big);
            }
            print_message("%7zu bytes, mix %d: %u.%u %% full, then one block of %u.%u %%\n", sizes[s],
                          kind, least / 10, least % 10, leastbig / 10, leastbig % 10);
            if (sizes[s] >= 262144)
                assert_true(least >= 700 && leastbig >= 720);
        }
}

/* The system's memory, but not much of it. */
static size_t left;

static void *little(Vmalloc_t *vm, void *addr, size_t csize, size_t nsize, Vmdisc_t *d)
{
    void *got;
    if (nsize > csize && nsize - csize > left)
        return NULL;
    got = (*Vmdcsystem->memoryf)(vm, addr, csize, nsize, d);
    left -= got && nsize > csize ? nsize - csize : 0;
    return got;
}

/* When reserved memory has run out, blocks of larger classes serve; their rest is cleared, too. */
static void reserved(void **state)
{
    Vmdiscmore_t d = {.disc = {little, NULL, 0, sizeof d}, .tag = VM_DCMORE,
                      .flags = VM_DCZERO | VM_DCRESERVE};
    static char *p[1000];
    size_t n, i, size;
    Vmalloc_t *vm;
    (void)state;
    left = 3000000;
    vm = vmopen(&d.disc, Vmbest, 0);
    for (n = 0; n < 1000 && (p[n] = vmalloc(vm, 5000)) != NULL; n++)
        memset(p[n], 0xff, (size_t)vmsize(vm, p[n]));
    assert_in_range(n, 300, 999);
    for (i = 0; i < n; i++)
        if (i % 4)
            assert_int_equal(vmfree(vm, p[i]), 0);
    for (i = 0, size = 4000; size > 50; i++, size -= 7) {
        char *q;
        while ((q = vmalloc(vm, size)) != NULL) {
            assert_int_equal(pat_notzero(q, size, (size_t)vmsize(vm, q)), vmsize(vm, q));
            memset(q, 0xff, size);
        }
    }
    sound(vm);
    vmclose(vm);
}

/* A thread that allocates and then waits; where it is: 1 when it has, 2 when it may end. */
typedef struct sleeper {
    Vmalloc_t *vm;
    char *block[20000];
    pthread_mutex_t lock;
    pthread_cond_t turn;
    int step;
} sleeper_t;

static void await(sleeper_t *s, int step)
{
    pthread_mutex_lock(&s->lock);
    while (s->step < step)
        pthread_cond_wait(&s->turn, &s->lock);
    pthread_mutex_unlock(&s->lock);
}

static void advance(sleeper_t *s, int step)
{
    pthread_mutex_lock(&s->lock);
    s->step = step;
    pthread_cond_broadcast(&s->turn);
    pthread_mutex_unlock(&s->lock);
}

static void *sleeps(void *arg)
{
    sleeper_t *s = arg;
    size_t i;
    for (i = 0; i < sizeof s->block / sizeof *s->block; i++) {
        s->block[i] = vmalloc(s->vm, 1000);
        memset(s->block[i], 1, 1000);
    }
    advance(s, 1);
    await(s, 2);
    return NULL;
}

/* What others freed into the slabs of a thread that waits goes back without its help. */
static void of_sleepers(void **state)
{
    static sleeper_t s = {.lock = PTHREAD_MUTEX_INITIALIZER, .turn = PTHREAD_COND_INITIALIZER};
    size_t i, n = sizeof s.block / sizeof *s.block, full;
    pthread_t thread;
    void *mine;
    (void)state;
    s.vm = vmopen(Vmdcsystem, Vmbest, 0);
    mine = vmalloc(s.vm, 100);
    assert_non_null(mine);
    assert_int_equal(pthread_create(&thread, NULL, sleeps, &s), 0);
    await(&s, 1);
    full = resident(s.vm);
    assert_true(full >= n * 1000);
    for (i = 0; i < n; i++)
        assert_int_equal(vmfree(s.vm, s.block[i]), 0);
    assert_int_equal(vmcompact(s.vm), 0);
    assert_int_equal(vmdbcheck(s.vm), 0);
    if (resident(s.vm) > full / 10)
        fail_msg("%zu of %zu stay", resident(s.vm), full);
    for (i = 0; i < n; i++)
        assert_int_equal(vmfree(s.vm, s.block[i]), -1);
    advance(&s, 2);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(vmdbcheck(s.vm), 0);
    assert_int_equal(vmfree(s.vm, mine), 0);
    assert_int_equal(vmclose(s.vm), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(compacted),
        cmocka_unit_test(of_sleepers),
        cmocka_unit_test(segments),
        cmocka_unit_test(purged),
        cmocka_unit_test(scarce),
        cmocka_unit_test(reserved),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
