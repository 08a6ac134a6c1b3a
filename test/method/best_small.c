/* SPDX-License-Identifier: MIT */
/* Areas of granules: regions in buffers of a few KiB at odd addresses. */
#include "_best.h"

#include <vmalloc/discipline.h>

#define MOST 4096
static char buffer[65536 + 64] __attribute__((aligned(4096)));

static Vmalloc_t *opened(size_t at, size_t size)
{
    Vmalloc_t *vm = vmopen(vmdcfixedin(buffer + at, size), Vmbest, 0);
    assert_non_null(vm);
    return vm;
}

static void fill(model_t *m, size_t size)
{
    while (model_alloc(m, size ? size : model_size(m, 700)) == 0)
        continue;
    assert_int_equal(errno, ENOMEM);
    model_agree(m);
}

/* Filled, emptied in an order: 0 forwards, 1 backwards, 2 every other, 3 any; all is there again. */
static void orders(void **state)
{
    static const size_t sizes[] = {4096, 5000, 8192, 16384, 40000, 65536};
    size_t s, odd, order, first;
    (void)state;
    for (s = 0; s < sizeof sizes / sizeof *sizes; s++)
        for (odd = 0, order = 0; order < 8; order++, odd = (odd + 7) % 64) {
            Vmalloc_t *vm = opened(odd, sizes[s]);
            model_t *m = model_new(vm, MOST, s * 8 + order);
            size_t i;
            fill(m, order < 4 ? 0 : 48);
            first = m->n;
            for (i = 0; m->n > 0; i++) {
                size_t at = order % 4 == 0   ? 0
                            : order % 4 == 1 ? m->n - 1
                            : order % 4 == 2 ? (i * 2) % m->n
                                             : rnd_below(&m->seed, m->n);
                model_drop(m, at);
                if (i % 16 == 0)
                    sound(vm);
            }
            model_agree(m);
            assert_int_equal(statof(vm).s_busy, 0);
            if (order >= 4) {
                fill(m, 48);
                assert_true(m->n >= first);
            }
            vmclose(vm);
            model_free(m);
        }
}

static void bestfit(void **state)
{
    Vmalloc_t *vm = opened(3, 16384);
    char *hole[5], *keep[5];
    static const size_t sizes[] = {320, 96, 640, 128, 480};
    size_t i;
    (void)state;
    for (i = 0; i < 5; i++) {
        hole[i] = vmalloc(vm, sizes[i]);
        keep[i] = vmalloc(vm, 16);
    }
    for (i = 0; i < 5; i++)
        assert_int_equal(vmfree(vm, hole[i]), 0);
    assert_ptr_equal(vmalloc(vm, 112), hole[3]);
    assert_ptr_equal(vmalloc(vm, 90), hole[1]);
    assert_ptr_equal(vmalloc(vm, 400), hole[4]);
    assert_ptr_equal(vmalloc(vm, 320), hole[0]);
    assert_ptr_equal(vmalloc(vm, 624), hole[2]);
    assert_non_null(keep[4]);
    sound(vm);
    vmclose(vm);
}

static void inplace(void **state)
{
    Vmalloc_t *vm = opened(11, 16384);
    char *a, *b, *c;
    (void)state;
    assert_int_equal(vmfree(vm, vmalloc(vm, 8000)), 0);
    a = vmalloc(vm, 100);
    b = vmalloc(vm, 100);
    c = vmalloc(vm, 100);
    assert_int_equal(vmfree(vm, b), 0);
    assert_ptr_equal(vmresize(vm, a, 200, 0), a);
    assert_int_equal(vmsize(vm, a), 208);
    assert_null(vmresize(vm, a, 300, 0));
    assert_int_equal(errno, ENOMEM);
    assert_int_equal(vmsize(vm, a), 208);
    assert_ptr_equal(vmresize(vm, a, 10, VM_RSMOVE), a);
    assert_int_equal(vmsize(vm, a), 16);
    assert_ptr_equal(vmresize(vm, c, 4000, 0), c); /* into what was never used */
    sound(vm);
    assert_ptr_equal(vmresize(vm, c, 1, 0), c);
    assert_ptr_equal(vmalloc(vm, 200), a + 16);
    sound(vm);
    vmclose(vm);
}

/* The buffer is a page at first: the segment grows, and the bitmaps move, while blocks live. */
static void growing(void **state)
{
    size_t odd;
    (void)state;
    for (odd = 0; odd < 48; odd += 5) {
        Vmalloc_t *vm = opened(odd, 60000);
        model_t *m = model_new(vm, MOST, odd);
        size_t extent = statof(vm).extent, i;
        int grown = 0;
        for (i = 0; i < 1200; i++) {
            model_step(m, 300);
            if (statof(vm).extent != extent) {
                extent = statof(vm).extent;
                grown++;
                model_contents(m);
                model_agree(m);
            }
        }
        assert_true(grown > 1);
        while (m->n > 0)
            model_drop(m, 0);
        model_agree(m);
        vmclose(vm);
        model_free(m);
    }
}

static void aligned(void **state)
{
    static const size_t aligns[] = {13, 16, 24, 64, 100, 1000, 4096};
    Vmalloc_t *vm = opened(5, 60000);
    model_t *m = model_new(vm, MOST, 1);
    size_t i;
    (void)state;
    for (i = 0; i < 7; i++) {
        assert_int_equal(model_align(m, 40, aligns[i]), 0);
        assert_int_equal(model_alloc(m, 24), 0);
        model_agree(m);
    }
    while (m->n > 0)
        model_drop(m, rnd_below(&m->seed, m->n));
    assert_null(vmalign(vm, 16, (size_t)1 << 30));
    assert_null(vmalign(vm, 16, ((size_t)1 << 30) + 16)); /* and soon */
    assert_null(vmalign(vm, 0, 16));
    assert_null(vmalign(vm, 16, 0));
    assert_null(vmalign(vm, SIZE_MAX - 8, 16));
    assert_null(vmalign(vm, 16, SIZE_MAX));
    assert_null(vmalloc(vm, SIZE_MAX));
    assert_null(vmalloc(vm, SIZE_MAX - 15));
    model_agree(m);
    vmclose(vm);
    model_free(m);
}

/* A buffer is used again without vmclose(): nothing of the region before is known any more. */
static void reused(void **state)
{
    int i;
    (void)state;
    for (i = 0; i < 6; i++) {
        static char big[1 << 20] __attribute__((aligned(4096)));
        Vmalloc_t *vm = vmopen(vmdcfixedin(big, sizeof big), Vmbest, 0);
        model_t *m = model_new(vm, MOST, (uint64_t)i);
        char *p;
        size_t j;
        for (j = 0; j < 2000; j++)
            model_step(m, i % 2 ? 60000 : 2000);
        model_agree(m);
        while (m->n > 0)
            model_drop(m, 0);
        p = vmalloc(vm, 200000); /* a few pages of descriptors lie between the free ones and stay */
        assert_non_null(p);
        for (j = 1; j < 48; j++) {
            assert_int_equal(vmfree(vm, p + j * 4096), -1);
            assert_int_equal(vmaddr(vm, p + j * 4096), (long)(j * 4096));
        }
        assert_int_equal(vmfree(vm, p), 0);
        model_agree(m);
        model_free(m);
    }
}

/* Areas of a region itself (vmuserdata) are asked for with the lock held. */
static void userdata(void **state)
{
    Vmalloc_t *vm = opened(0, 60000), *big = vmopen(Vmdcsystem, Vmbest, 0);
    unsigned i;
    (void)state;
    for (i = 0; i < 40; i++) {
        assert_non_null(vmuserdata(vm, i, 100));
        assert_non_null(vmuserdata(big, i, 3000));
    }
    for (i = 0; i < 40; i++)
        assert_ptr_equal(vmuserdata(big, i, 0), vmuserdata(big, i, 1));
    sound(vm);
    sound(big);
    assert_int_equal(vmstat(vm, NULL), 0);
    assert_int_equal(vmstat(big, NULL), 0);
    vmclose(vm);
    vmclose(big);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(orders),  cmocka_unit_test(bestfit), cmocka_unit_test(inplace),
        cmocka_unit_test(growing), cmocka_unit_test(aligned), cmocka_unit_test(reused),
        cmocka_unit_test(userdata),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
