/* SPDX-License-Identifier: MIT */
#include "_bump.h"

#include "support/pattern.h"

/* Segments without regions around them: what the index needs of a handle is in vmr_handle_t. */
enum { N = 400 };
static char space[1 << 20] __attribute__((aligned(4096)));
static vmr_handle_t handle[N];
static Vmdata_t state[N];
static Vmseg_t *first[N];
static long others; /* segments that were there before: Vmheap's */

static Vmseg_t *enter(size_t i, size_t from, size_t size)
{
    memset(&handle[i], 0, sizeof handle[i]);
    handle[i].vm.data = &state[i];
    first[i] = vmr_layseg(space + from, size);
    assert_int_equal(vmr_index_add(&handle[i].vm, first[i]), 0);
    return first[i];
}

static void leave(size_t i)
{
    vmr_index_remove(&handle[i].vm, first[i]);
    assert_int_equal(handle[i].nodes, 0);
}

static Vmalloc_t *at(size_t offset)
{
    Vmalloc_t *vm = NULL;
    Vmseg_t *seg = vmr_segof(space + offset, &vm);

    assert_true((seg == NULL) == (vm == NULL));
    return vm;
}

static void finds_the_innermost(void **s)
{
    (void)s;
    enter(0, 0, 100000);
    enter(1, 1000, 50000);
    enter(2, 2000, 10000);
    enter(3, 20000, 10000);
    enter(4, 60000, 1000);
    assert_ptr_equal(at(0), &handle[0]);
    assert_ptr_equal(at(999), &handle[0]);
    assert_ptr_equal(at(1000), &handle[1]);
    assert_ptr_equal(at(2000), &handle[2]);
    assert_ptr_equal(at(11999), &handle[2]);
    assert_ptr_equal(at(12000), &handle[1]);
    assert_ptr_equal(at(29999), &handle[3]);
    assert_ptr_equal(at(50999), &handle[1]);
    assert_ptr_equal(at(51000), &handle[0]);
    assert_ptr_equal(at(60999), &handle[4]);
    assert_ptr_equal(at(61000), &handle[0]);
    assert_null(at(100000));
    leave(1);
    assert_ptr_equal(at(12000), &handle[0]);
    assert_ptr_equal(at(2000), &handle[2]);
    enter(1, 1000, 50000); /* one around others that were there before */
    assert_ptr_equal(at(12000), &handle[1]);
    assert_ptr_equal(at(30000), &handle[1]);
    assert_int_equal(vmr_index_check(), others + 5);
    leave(0);
    assert_null(at(60000 - 1));
    assert_ptr_equal(at(60000), &handle[4]);
    leave(3), leave(1), leave(4), leave(2);
    assert_int_equal(vmr_index_check(), others);
}

static void knows_no_other_address(void **s)
{
    Vmalloc_t *vm = NULL;

    (void)s;
    enter(0, 4096, 4096);
    assert_null(vmr_segof(NULL, &vm));
    assert_null(vmr_segof((void *)UINTPTR_MAX, &vm));
    assert_null(vmr_segof(&vm, &vm));
    assert_null(vm);
    assert_non_null(vmr_segof(space + 5000, NULL));
    state[0].magic = 0;
    handle[0].vm.data = NULL; /* dead */
    assert_null(vmr_segof(space + 5000, &vm));
    leave(0);
}

static void refuses_the_same_twice(void **s)
{
    Vmseg_t *seg;

    (void)s;
    seg = enter(0, 4096, 4096);
    memset(&handle[1], 0, sizeof handle[1]);
    errno = 0;
    assert_int_equal(vmr_index_add(&handle[1].vm, seg), -1);
    assert_int_equal(errno, EBUSY);
    vmr_index_remove(&handle[1].vm, seg); /* it is not that one's */
    assert_ptr_equal(at(5000), &handle[0]);
    leave(0);
}

static void takes_others_out(void **s)
{
    size_t i;

    (void)s;
    for (i = 0; i < 10; i++)
        enter(i, i * 1000, 500);
    assert_ptr_equal(vmr_index_take(&handle[3].vm, space + 3000, space + 5000), &handle[4]);
    assert_null(vmr_index_take(&handle[3].vm, space + 3000, space + 5000));
    assert_ptr_equal(vmr_index_take(NULL, space + 8500, space + 9001), &handle[9]);
    for (i = 0; i < 10; i++)
        vmr_index_purge(&handle[i]);
    assert_int_equal(vmr_index_check(), others);
}

/* Random nests against a plain search. */
static struct {
    size_t from, size;
    int in;
} plain[N];

static long search(size_t offset)
{
    long best = -1;
    size_t i;

    for (i = 0; i < N; i++)
        if (plain[i].in && offset >= plain[i].from && offset < plain[i].from + plain[i].size)
            if (best < 0 || plain[i].from > plain[best].from)
                best = (long)i;
    return best;
}

static void random_nests(void **s)
{
    uint64_t seed = 4;
    size_t k, i, unit;

    (void)s;
    for (k = 0; k < 20000; k++) {
        i = rnd_below(&seed, N);
        if (plain[i].in) {
            leave(i);
            plain[i].in = 0;
        } else {
            /* a power of two at one of its multiples, but for a start that no other has */
            unit = (size_t)1024 << rnd_below(&seed, 8);
            plain[i].from = rnd_below(&seed, sizeof space / unit) * unit;
            while (search(plain[i].from) >= 0 &&
                   plain[search(plain[i].from)].from == plain[i].from && unit > 0)
                plain[i].from += 16, unit = 0;
            if (unit == 0)
                continue;
            plain[i].size = unit;
            plain[i].in = 1;
            enter(i, plain[i].from, unit);
        }
        unit = rnd_below(&seed, sizeof space);
        assert_ptr_equal(at(unit), search(unit) < 0 ? NULL : &handle[search(unit)]);
    }
    for (i = k = 0; i < N; i++)
        k += (size_t)plain[i].in;
    assert_int_equal(vmr_index_check(), others + (long)k);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_the_innermost),    cmocka_unit_test(knows_no_other_address),
        cmocka_unit_test(refuses_the_same_twice), cmocka_unit_test(takes_others_out),
        cmocka_unit_test(random_nests),
    };
    others = vmr_index_check();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
