/* SPDX-License-Identifier: MIT */
/* Stacks that come again are known; others are never taken for them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "walk.h"

static vmsk_again_t *memory;
static unsigned known, walked, wrong, met;
static int trails = 1;
static size_t most = 40; /* entries that are asked for */

/* A walk that ends where it meets the one before has the same entries, but for the first, which is in the
 * function that calls both. */
static void walk_near(const vmsk_here_t *here, void *const *pcs, size_t n)
{
    void *others[64];
    size_t m = vmsk_capture_near(memory, here, others, most);
    if (m == 0)
        return;
    met++;
    wrong += m != n || memcmp(pcs + 1, others + 1, (n - 1) * sizeof *pcs) != 0;
}

/* The value stands for the stack: a number of its own. */
static __attribute__((noinline)) uint32_t number(uint64_t salt)
{
    void *pcs[64], *again[64];
    vmsk_here_t here;
    uint32_t *value = vmsk_known(memory, salt += most << 8, &here);
    size_t n = vmsk_capture(pcs, most, 0);
    uint32_t id;
    memset(again, 0, sizeof again);
    memcpy(again, pcs, n * sizeof *pcs);
    again[n++] = (void *)(uintptr_t)salt;
    id = vmsk_intern(again, n);
    if (value != NULL) {
        known++;
        wrong += *value != id;
        return *value;
    }
    walked++;
    if (trails)
        walk_near(&here, pcs, n - 1);
    vmsk_remember(memory, &here, pcs, n - 1, id);
    return id;
}

static __attribute__((noinline)) uint32_t left(uint64_t salt)
{
    return number(salt) + (uint32_t)known * 0;
}
static __attribute__((noinline)) uint32_t right(uint64_t salt)
{
    return number(salt) + (uint32_t)walked * 0;
}

static __attribute__((noinline)) uint32_t deeper(int depth, unsigned path, uint64_t salt)
{
    volatile char room[16 + (path & 1) * 64];
    uint32_t id;
    room[0] = (char)depth;
    if (depth == 0)
        id = path & 1 ? left(salt) : right(salt);
    else
        id = deeper(depth - 1, path >> 1, salt);
    return id + (uint32_t)room[0] * 0;
}

/* Only walks over plain frames are remembered: main() on i386, which aligns its stack, has none, nor has what calls it
 * in a libc without tables (musl). */
static int plain(void)
{
    void *at[64];
    size_t count = vmsk_capture(at, 64, 0);
    for (size_t i = 0; i < count; i++) {
        vmsk_rule_t rule = vmsk_rule_find((uintptr_t)at[i]);
        if ((vmsk_kind(rule) != VMSK_FRAME && vmsk_kind(rule) != VMSK_STOP) || vmsk_base(rule) & VMSK_AT_SP)
            return 0;
    }
    return count > 1;
}

static int setup(void **state)
{
    (void)state;
    memory = calloc(1, vmsk_again_size());
    return memory == NULL;
}

static void test_a_stack_that_comes_again_is_known(void **state)
{
    volatile uint32_t first = 0; /* so that the first call is not one apart from the others */
    (void)state;
    for (int i = 0; i < 105; i++) {
        uint32_t id = left(1);
        assert_true(id != 0 && (first == 0 || id == first));
        first = id;
    }
    assert_int_equal(wrong, 0);
    assert_true(!VMOS_CALLER || known >= 100 || !plain());
}

static void test_the_salt_tells_them_apart(void **state)
{
    (void)state;
    for (uint64_t i = 0; i < 300; i++)
        left(i % 3);
    assert_int_equal(wrong, 0);
}

/* Frames of changing sizes and paths, in a random order. */
static void test_other_stacks_are_never_taken_for_it(void **state)
{
    uint32_t seed = 7;
    (void)state;
    for (int i = 0; i < 200000; i++) {
        seed = seed * 1664525u + 1013904223u;
        deeper((int)(seed >> 20 & 7), seed >> 24 & 31, 1);
    }
    assert_int_equal(wrong, 0);
    assert_true(walked > 0);
}

static int budget;
static __attribute__((noinline)) int wander(int depth, uint32_t *seed);

static __attribute__((noinline)) int wander_far(int depth, uint32_t *seed)
{
    volatile char room[16 + (*seed >> 9 & 64)];
    room[0] = 1;
    return wander(depth, seed) + room[0];
}

/* Up and down in deep stacks, asking on the way. */
static __attribute__((noinline)) int wander(int depth, uint32_t *seed)
{
    int steps = 0;
    for (int i = 0; i < 3 && budget > 0; i++) {
        budget--;
        *seed = *seed * 1664525u + 1013904223u;
        steps += number(*seed >> 30) != 0;
        if (depth < 50 && *seed >> 28 < 7)
            steps += *seed >> 20 & 1 ? wander(depth + 1, seed) : wander_far(depth + 1, seed);
    }
    return steps;
}

static void test_walks_meet_those_before(void **state)
{
    uint32_t seed = 9;
    int steps = 0;
    (void)state;
    for (int i = 0; i < 300; i++) {
        budget = 200;
        steps += wander(0, &seed);
    }
    assert_int_equal(wrong, 0);
    assert_true(steps > 3000);
    assert_true(!VMOS_CALLER || met > 1000 || !plain());
}

/* Of deep stacks the inner ends, with what lies farther out in the trail of an earlier walk. */
static void test_walks_go_no_farther_than_asked(void **state)
{
    uint32_t seed = 11;
    int steps = 0;
    (void)state;
    met = 0;
    for (int i = 0; i < 300; i++) {
        most = 1 + (size_t)i * 7 % 23;
        budget = 200;
        steps += wander(i % 2 ? 0 : -300, &seed);
    }
    most = 40;
    assert_int_equal(wrong, 0);
    assert_true(steps > 3000);
    assert_true(!VMOS_CALLER || met > 1000 || !plain());
}

static void test_the_same_without_trails(void **state)
{
    trails = 0;
    test_other_stacks_are_never_taken_for_it(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_stack_that_comes_again_is_known),
        cmocka_unit_test(test_the_salt_tells_them_apart),
        cmocka_unit_test(test_other_stacks_are_never_taken_for_it),
        cmocka_unit_test(test_walks_meet_those_before),
        cmocka_unit_test(test_walks_go_no_farther_than_asked),
        cmocka_unit_test(test_the_same_without_trails),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
