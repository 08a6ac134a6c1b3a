/* SPDX-License-Identifier: MIT */
/* Bitmaps against an array of bytes that is searched bit by bit. */
#include "_test.h"

#define N 450 /* no multiple of 64 */
#define WORDS ((N + 63) / 64)

static uint64_t map[WORDS + 2]; /* a word on both sides that must stay as it is */
static unsigned char model[N];

static uint64_t *const bits = map + 1;

static void start(uint64_t fill)
{
    memset(map, fill ? 0xff : 0, sizeof(map));
    memset(model, fill != 0, sizeof(model));
    map[0] = map[WORDS + 1] = 0xa5a5a5a5a5a5a5a5u;
}

static size_t next(size_t from, int value)
{
    while (from < N && model[from] != value)
        from++;
    return from < N ? from : N;
}

static size_t prev(size_t from)
{
    while (from != (size_t)-1 && !model[from])
        from--;
    return from;
}

static void compare(void)
{
    for (size_t i = 0; i < N; i++)
        assert_int_equal(vmb_bit(bits, i), model[i]);
    assert_true(map[0] == 0xa5a5a5a5a5a5a5a5u && map[WORDS + 1] == 0xa5a5a5a5a5a5a5a5u);
}

static void random_runs(void **state)
{
    uint64_t seed = 42;
    (void)state;
    start(0);
    for (int turn = 0; turn < 3000; turn++) {
        size_t from = rnd_below(&seed, N + 1);
        size_t most = rnd_below(&seed, 2) ? 8 : N; /* short runs and long ones */
        size_t n = rnd_below(&seed, VMB_MIN(most, N - from) + 1);
        int value = (int)rnd_below(&seed, 2);
        if (value)
            vmb_bits_set(bits, from, n);
        else
            vmb_bits_clear(bits, from, n);
        memset(model + from, value, n);
        compare();
        from = rnd_below(&seed, N + 3);
        assert_int_equal(vmb_bits_next1(bits, from, N), next(from, 1));
        assert_int_equal(vmb_bits_next0(bits, from, N), next(from, 0));
        from = rnd_below(&seed, N);
        assert_int_equal(vmb_bits_prev1(bits, from), prev(from));
    }
}

/* One bit alone, seen from everywhere. */
static void single_bits(void **state)
{
    (void)state;
    for (size_t i = 0; i < N; i += i % 64 < 3 || i % 64 > 60 ? 1 : 7) {
        start(0);
        vmb_bits_set(bits, i, 1);
        for (size_t from = 0; from < N; from++) {
            assert_int_equal(vmb_bits_next1(bits, from, N), from <= i ? i : N);
            assert_int_equal(vmb_bits_prev1(bits, from), from >= i ? i : (size_t)-1);
        }
        start(1);
        vmb_bits_clear(bits, i, 1);
        for (size_t from = 0; from < N; from++)
            assert_int_equal(vmb_bits_next0(bits, from, N), from <= i ? i : N);
    }
}

/* Bits behind the end, in the last word, are not found. */
static void ends_inside_a_word(void **state)
{
    (void)state;
    start(0);
    vmb_bits_set(bits, 100, 28);
    assert_int_equal(vmb_bits_next1(bits, 0, 100), 100);
    assert_int_equal(vmb_bits_next1(bits, 0, 101), 100);
    assert_int_equal(vmb_bits_next0(bits, 100, 120), 120);
    assert_int_equal(vmb_bits_next0(bits, 100, 128), 128);
    assert_int_equal(vmb_bits_next0(bits, 100, 129), 128);
    assert_int_equal(vmb_bits_next1(bits, 0, 0), 0);
    assert_int_equal(vmb_bits_next1(bits, 200, 100), 100);
}

static void whole_words(void **state)
{
    (void)state;
    start(0);
    vmb_bits_set(bits, 64, 128);
    assert_true(bits[0] == 0 && bits[1] == ~(uint64_t)0 && bits[2] == ~(uint64_t)0 && bits[3] == 0);
    vmb_bits_clear(bits, 64, 64);
    assert_true(bits[1] == 0 && bits[2] == ~(uint64_t)0);
    vmb_bits_set(bits, 448, 0);
    vmb_bits_clear(bits, 128, 0);
    assert_true(bits[2] == ~(uint64_t)0 && bits[7] == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_runs),
        cmocka_unit_test(single_bits),
        cmocka_unit_test(ends_inside_a_word),
        cmocka_unit_test(whole_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
