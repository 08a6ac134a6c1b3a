/* SPDX-License-Identifier: MIT */
/* Random operations on regions over all kinds of memory, against a model: contents, sizes, alignment,
 * cleared bytes, statistics and structure. */
#include "_best.h"

#include <vmalloc/discipline.h>

#define SLOW (TEAM_SLOW > 1 ? 4 : 1)

static void play(Vmalloc_t *vm, size_t steps, size_t most, uint64_t seed)
{
    model_t *m = model_new(vm, 3000, seed);
    size_t i;
    assert_non_null(vm);
    for (i = 0; i < steps / SLOW; i++) {
        model_step(m, most);
        if (i % 512 == 0)
            model_agree(m);
        if (i % 4096 == 2048) {
            assert_int_equal(vmcompact(vm), 0);
            model_agree(m);
            model_contents(m);
        }
        if (i % 5000 == 4999) {
            assert_int_equal(vmclear(vm), 0);
            m->n = m->bytes = 0;
            model_agree(m);
        }
    }
    model_agree(m);
    while (m->n > 0)
        model_drop(m, rnd_below(&m->seed, m->n));
    model_agree(m);
    assert_int_equal(vmcompact(vm), 0);
    model_agree(m);
    model_free(m);
}

static void on_system(void **state)
{
    Vmalloc_t *vm = vmopen(Vmdcsystem, Vmbest, 0);
    (void)state;
    play(vm, 20000, 1000, 1);
    play(vm, 12000, 40000, 2);
    play(vm, 6000, 3000000, 3);
    vmclose(vm);
}

static void single(void **state)
{
    Vmalloc_t *vm = vmopen(Vmdcsystem, Vmbest, VM_SINGLE);
    (void)state;
    play(vm, 12000, 40000, 4);
    assert_int_equal(vm->data->lock.word, 0);
    vmclose(vm);
}

static void inside(void **state)
{
    Vmalloc_t *vm = vmopen(Vmdcsystem, Vmbest, VM_MEMORYF);
    (void)state;
    play(vm, 8000, 40000, 5);
    vmclose(vm);
}

static void on_heap(void **state)
{
    Vmalloc_t *vm = vmopen(Vmdcheap, Vmbest, 0), *in;
    Vmdisc_t *d = vmdcderive(vm, 0, 0);
    (void)state;
    in = vmopen(d, Vmbest, 0);
    play(in, 8000, 20000, 6);
    play(vm, 8000 * (size_t)(vmclose(in) + 1), 20000, 7);
    vmclose(vm);
    assert_int_equal(vmdbcheck(Vmheap), 0);
}

/* Both have blocks at the same time: words of the inner one in the page map of the outer one. */
static void nest(uint64_t seed)
{
    Vmalloc_t *vm = vmopen(Vmdcsystem, Vmbest, 0);
    Vmalloc_t *in = vmopen(vmdcderive(vm, 0, 0), Vmbest, 0);
    model_t *m = model_new(in, 2000, seed), *o = model_new(vm, 2000, seed * 7 + 1);
    size_t i;
    for (i = 0; i < 12000 / SLOW; i++) {
        model_step(m, i % 3 ? 700 : 50000);
        if (i % 4 == 0)
            model_alloc(o, model_size(o, 50000));
        if (i % 4 == 2 && o->n > 100)
            model_drop(o, rnd_below(&o->seed, o->n));
        if (i % 1000 == 0) {
            model_agree(m);
            assert_int_equal(vmdbcheck(vm), 0);
            vmcompact(i % 2000 ? in : vm);
        }
    }
    model_agree(m);
    model_contents(m);
    model_contents(o);
    assert_int_equal(vmclose(in), 0);
    while (o->n > 0)
        model_drop(o, 0);
    sound(vm);
    vmclose(vm);
    model_free(m);
    model_free(o);
}

/* About one seed in twenty puts the inner region's last block at the end of the outer one.  SOAK_SEED: the
 * first seed. */
static void nested(void **state)
{
    const char *first = getenv("SOAK_SEED");
    uint64_t seed = first ? strtoull(first, NULL, 10) : 20;
    size_t i;
    (void)state;
    for (i = 0; i < 24 / SLOW; i++)
        nest(seed + i);
}

/* Segments at odd addresses, of a few pages, that grow in all ways or not at all. */
static void on_odd(void **state)
{
    static const enum chk_growth ways[] = {CHK_REFUSE, CHK_INPLACE, CHK_NEWSEG};
    static const size_t rounds[] = {0, 48, 1000, 65536};
    size_t w, r;
    (void)state;
    for (w = 0; w < 3; w++)
        for (r = 0; r < 4; r++) {
            chk_t *c = chk_new(rounds[r], ways[w] == CHK_INPLACE ? CHK_RESERVE : CHK_MALLOC, ways[w]);
            Vmalloc_t *vm;
            c->odd = (w * 4 + r) * 9;
            c->maxbytes = (size_t)6 << 20;
            vm = vmopen(&c->disc, Vmbest, 0);
            play(vm, 5000, r % 2 ? 3000 : 60000, 10 + w * 4 + r);
            assert_int_equal(vmclose(vm), 0);
            if (chk_done(c))
                fail_msg("growth %zu, round %zu: %s", w, rounds[r], chk_done(c));
            chk_drop(c);
        }
}

/* Every request for memory fails once; the region goes on. */
static void each_fails(void **state)
{
    size_t nth, sizes;
    (void)state;
    for (sizes = 0; sizes < 2; sizes++)
        for (nth = 2; nth < 14; nth++) {
            chk_t *c = chk_new(0, CHK_MALLOC, nth % 2 ? CHK_REFUSE : CHK_NEWSEG);
            Vmalloc_t *vm;
            model_t *m;
            size_t i, refused = 0;
            c->failat = nth;
            vm = vmopen(&c->disc, Vmbest, 0);
            m = model_new(vm, 500, nth);
            for (i = 0; i < 500; i++)
                refused += model_alloc(m, model_size(m, sizes ? 100000 : 2000)) != 0;
            model_agree(m);
            model_contents(m);
            assert_true(refused <= 1);
            while (m->n > 0)
                model_drop(m, 0);
            model_agree(m);
            assert_int_equal(vmclose(vm), 0);
            if (chk_done(c))
                fail_msg("request %zu: %s", nth, chk_done(c));
            chk_drop(c);
            model_free(m);
        }
}

/* Cleared memory is asked for with VM_RSZERO, while blocks are dirtied, freed, purged, cut, cleared. */
static void zeros(void **state)
{
    Vmalloc_t *vm = vmopen(Vmdcsystem, Vmbest, 0);
    uint64_t seed = 77;
    char *p[64] = {0};
    size_t n[64] = {0}, i, known = 0;
    (void)state;
    for (i = 0; i < 6000 / SLOW; i++) {
        size_t k = rnd_below(&seed, 64), size = 1 + rnd_below(&seed, i % 3 ? 300000 : 20000);
        if (p[k] && i % 5 == 0) {
            p[k] = vmresize(vm, p[k], size, (int)rnd_below(&seed, 2) * VM_RSCOPY + VM_RSMOVE + VM_RSZERO);
            if (size > n[k])
                assert_int_equal(pat_notzero(p[k], n[k], size), size);
        } else {
            if (p[k])
                assert_int_equal(vmfree(vm, p[k]), 0);
            p[k] = vmbe_alloc(engine(vm), size); /* as calloc() does */
            known += (size_t)vmbe_iszero(p[k]);
            if (vmbe_iszero(p[k]))
                assert_int_equal(pat_notzero(p[k], 0, (size_t)vmsize(vm, p[k])), vmsize(vm, p[k]));
        }
        n[k] = size;
        memset(p[k], 0xff, (size_t)(i % 7 ? (size_t)vmsize(vm, p[k]) : 1));
        if (i % 7 == 0)
            memset(p[k], 0xff, size);
        memset(p[k] + size, 0, (size_t)vmsize(vm, p[k]) - size);
        if (i % 500 == 250)
            vmcompact(vm);
        if (i % 1100 == 1099) {
            vmclear(vm);
            memset(p, 0, sizeof p);
        }
    }
    assert_true(known > 20);
    sound(vm);
    vmclose(vm);
}

/* vmclear() of many segments, small blocks first: pages of descriptors are not taken for clean. */
static void zeros_after_clear(void **state)
{
    Vmalloc_t *vm = vmopen(Vmdcsystem, Vmbest, 0);
    int round;
    (void)state;
    for (round = 0; round < 6; round++) {
        size_t i;
        for (i = 0; i < 3000; i++) {
            size_t size = i % 5 ? 20000 + i * 16 : 200;
            char *p = vmbe_alloc(engine(vm), size);
            size = (size_t)vmsize(vm, p);
            if (vmbe_iszero(p))
                assert_int_equal(pat_notzero(p, 0, size), size);
            memset(p, 0x5a, i % 3 ? 100 : size);
            if (i % 3 == 1)
                vmfree(vm, p);
        }
        sound(vm);
        vmclear(vm);
        sound(vm);
        assert_int_equal(statof(vm).n_busy, 0);
    }
    vmclose(vm);
}

/* An aligned block that cannot be had in what was got at first must not eat up the discipline. */
static void frugal(void **state)
{
    static const size_t sizes[] = {40000, 61000, 64000, 66000, 100000, 131072, 250000, 1000000};
    size_t i, a;
    (void)state;
    for (i = 0; i < sizeof sizes / sizeof *sizes; i++)
        for (a = 16; a <= 65536; a *= 64) {
            chk_t *c = chk_new(0, CHK_MALLOC, CHK_REFUSE);
            Vmalloc_t *vm = vmopen(&c->disc, Vmbest, 0);
            char *p = vmalign(vm, sizes[i], a);
            assert_non_null(p);
            if (c->bytes > 2 * (sizes[i] + a + vmos_pagesize()) + 65536 || c->nsegs > 2)
                fail_msg("%zu bytes at %zu take %zu in %zu segments", sizes[i], a, c->bytes, c->nsegs);
            vmclose(vm);
            assert_null(chk_done(c));
            chk_drop(c);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(on_system),  cmocka_unit_test(single), cmocka_unit_test(inside),
        cmocka_unit_test(on_heap),    cmocka_unit_test(nested), cmocka_unit_test(on_odd),
        cmocka_unit_test(each_fails), cmocka_unit_test(zeros),  cmocka_unit_test(zeros_after_clear),
        cmocka_unit_test(frugal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
