/* SPDX-License-Identifier: MIT */
/* Huge pages are asked for where a region is large, and not where they turned out to be slow. */
#include "_best.h"

#include <sys/mman.h>
#include <unistd.h>

#define MIB ((size_t)1 << 20)
#define BLOCK (MIB / 4)

/* Bytes up to which huge pages were asked for, of all areas. */
static size_t asked(Vmalloc_t *vm)
{
    vmbe_area_t *a;
    size_t sum = 0;
    for (a = engine(vm)->areas; a; a = a->next)
        sum += (size_t)(a->huge - a->first);
    return sum;
}

/* Blocks of n bytes in all, new ones, of which the first pages are written. */
static void fill(Vmalloc_t *vm, size_t n)
{
    size_t i;
    for (i = 0; i < n; i += BLOCK) {
        char *p = vmresize(vm, NULL, BLOCK, VM_RSZERO);
        assert_non_null(p);
        assert_true(p[0] == 0 && memcmp(p, p + 1, 8191) == 0);
        memset(p, 0x5a, 8192);
    }
}

static Vmalloc_t *small(void **state)
{
    Vmalloc_t *vm = vmopen(Vmdcsystem, Vmbest, 0);
    (void)state;
    assert_non_null(vm);
    fill(vm, 4 * MIB);
    assert_int_equal(asked(vm), 0); /* most of one would be left over */
    return vm;
}

static void slow_ones_are_left_alone_for_a_while(void **state)
{
    size_t huge = vmos_hugesize(), before;
    Vmalloc_t *vm = small(state);
    fill(vm, 40 * MIB);
    before = asked(vm);
    if (huge == 0 || huge > 4 * MIB || before == 0) {
        vmclose(vm);
        skip(); /* the system has none */
    }
    vmbe_ahead_took(0, huge);    /* whatever they were here */
    vmbe_ahead_took(huge, huge); /* a nanosecond a byte: 64 MiB come in small pages */
    before = asked(vm);
    fill(vm, 48 * MIB);
    assert_int_equal(asked(vm), before);
    fill(vm, 64 * MIB);
    assert_true(asked(vm) > before);
    vmbe_ahead_took(0, huge);
    vmbe_ahead_took(huge, huge);
    vmbe_ahead_took(huge, huge); /* slow again: twice as many */
    before = asked(vm);
    fill(vm, 96 * MIB);
    assert_int_equal(asked(vm), before);
    fill(vm, 96 * MIB);
    assert_true(asked(vm) > before);
    vmclose(vm);
}

/* Large blocks that nobody writes to take hardly any memory. */
static void large_blocks_are_hardly_touched(void **state)
{
    Vmalloc_t *vm = vmopen(Vmdcsystem, Vmbest, 0);
    size_t k, i, n = 32 * MIB, page = (size_t)sysconf(_SC_PAGESIZE), sum = 0;
    unsigned char *in = malloc(n / page + 1);
    (void)state;
    fill(vm, 20 * MIB);
    for (k = 0; k < 3; k++) {
        char *p = vmresize(vm, NULL, n >> 2 * k, VM_RSZERO);
        char *from = (char *)VMB_UP((uintptr_t)p, page);
        assert_non_null(p);
        assert_int_equal(mincore(from, (n >> 2 * k) - page, (void *)in), 0);
        for (i = 0; i < (n >> 2 * k) / page - 1; i++)
            sum += (in[i] & 1) * page;
    }
    assert_true(sum <= 3 * VMB_MAX(2 * MIB, vmos_hugesize())); /* what shares a huge page with blocks that are used */
    free(in);
    vmclose(vm);
}

/* What took its time is told by the thread's processor time, which sleeping does not count to. */
static void processor_time_stands_while_the_thread_sleeps(void **state)
{
    uint64_t t = vmos_threadtime(), n = vmos_nanotime();
    (void)state;
    usleep(50000);
    assert_true(vmos_nanotime() - n >= 50000000);
    assert_true(vmos_threadtime() - t < 50000000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(slow_ones_are_left_alone_for_a_while),
        cmocka_unit_test(large_blocks_are_hardly_touched),
        cmocka_unit_test(processor_time_stands_while_the_thread_sleeps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
