/* SPDX-License-Identifier: MIT */
/* Rounding, multiples, logarithms, the hash. */
#include "_test.h"

static void rounds(void **state)
{
    (void)state;
    assert_int_equal(vmb_round(0, 7), 0);
    assert_int_equal(vmb_round(1, 1), 1);
    assert_int_equal(vmb_round(21, 7), 21);
    assert_int_equal(vmb_round(22, 7), 28);
    assert_int_equal(vmb_round(SIZE_MAX, 1), SIZE_MAX);
    assert_int_equal(vmb_round(SIZE_MAX - 1, 16), 0);
    assert_int_equal(vmb_round(1, SIZE_MAX), SIZE_MAX);
    assert_int_equal(vmb_round(SIZE_MAX - 15, 16), SIZE_MAX - 15);
}

static void rounds_to_powers(void **state)
{
    (void)state;
    assert_int_equal(VMB_UP(0, 16), 0);
    assert_int_equal(VMB_UP(1, 16), 16);
    assert_int_equal(VMB_UP(32, 16), 32);
    assert_int_equal(VMB_DOWN(31, 16), 16);
    assert_int_equal(VMB_DOWN(UINTPTR_MAX, 4096), UINTPTR_MAX - 4095);
}

static void common_multiples(void **state)
{
    (void)state;
    assert_int_equal(vmb_lcm(16, 4096), 4096);
    assert_int_equal(vmb_lcm(12, 18), 36);
    assert_int_equal(vmb_lcm(7, 13), 91);
    assert_int_equal(vmb_lcm(1, SIZE_MAX), SIZE_MAX);
    assert_int_equal(vmb_lcm(SIZE_MAX, SIZE_MAX), SIZE_MAX);
    assert_int_equal(vmb_lcm(SIZE_MAX, SIZE_MAX - 1), 0);
    assert_int_equal(vmb_lcm(0, 5), 0);
    assert_int_equal(vmb_lcm(5, 0), 0);
}

static void longs(void **state)
{
    (void)state;
    assert_true(vmb_long(0) == 0 && vmb_long(17) == 17);
    assert_true(vmb_long(LONG_MAX - 1) == LONG_MAX - 1);
    assert_true(vmb_long(LONG_MAX) == LONG_MAX);
    assert_true(vmb_long((size_t)LONG_MAX + 1) == LONG_MAX);
    assert_true(vmb_long(SIZE_MAX) == LONG_MAX);
}

static void counts_bits(void **state)
{
    (void)state;
    for (int i = 0; i < 64; i++) {
        assert_int_equal(vmb_ctz((uint64_t)1 << i), i);
        assert_int_equal(vmb_ctz(~(uint64_t)0 << i), i);
        assert_int_equal(vmb_pop(((uint64_t)1 << i) - 1), i);
    }
    for (size_t x = 1; x < 5000; x++) {
        assert_true((size_t)1 << vmb_log2(x) <= x);
        assert_true((size_t)2 << vmb_log2(x) > x);
    }
    assert_int_equal(vmb_log2(SIZE_MAX), sizeof(size_t) * 8 - 1);
}

static void overflows(void **state)
{
    size_t r;
    (void)state;
    assert_false(vmb_mulover(SIZE_MAX / 2, 2, &r));
    assert_int_equal(r, SIZE_MAX - 1);
    assert_true(vmb_mulover(SIZE_MAX / 2 + 1, 2, &r));
    assert_false(vmb_addover(SIZE_MAX, 0, &r));
    assert_true(vmb_addover(SIZE_MAX, 1, &r));
}

/* One input bit changes about half of the output, also for the high bits of addresses. */
static void hashes_mix(void **state)
{
    uint64_t seed = 1;
    (void)state;
    for (int bit = 4; bit < 48; bit++) {
        int changed = 0;
        for (int i = 0; i < 256; i++) {
            uint64_t x = rnd_next(&seed);
            changed += vmb_pop(vmb_mix(x) ^ vmb_mix(x ^ (uint64_t)1 << bit));
        }
        assert_in_range(changed, 256 * 26, 256 * 38);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rounds),      cmocka_unit_test(rounds_to_powers),
        cmocka_unit_test(common_multiples), cmocka_unit_test(longs), cmocka_unit_test(counts_bits),
        cmocka_unit_test(overflows),   cmocka_unit_test(hashes_mix),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
