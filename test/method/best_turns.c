/* SPDX-License-Identifier: MIT */
/* How often a lane goes on to another word of bits, where a few more or fewer blocks live than slabs have. */
#include "_best.h"

enum { PAIRS = 20000 };

/* Random ones of n blocks are freed and allocated anew: how often the next block was in another word. */
static size_t churn(Vmalloc_t *vm, size_t n, size_t size)
{
    char **block = calloc(n, sizeof *block);
    uint64_t seed = n;
    size_t i, words = 0;
    const vmbe_cursor_t *c;
    /* so that there are pages for slabs of any size, whatever the first segment has */
    assert_int_equal(vmfree(vm, vmalloc(vm, (size_t)1 << 20)), 0);
    for (i = 0; i < n; i++)
        assert_non_null(block[i] = vmalloc(vm, size));
    c = vmbe_cursor(vmbe_lane_mine(engine(vm)), size);
    for (i = 0; i < 2 * PAIRS; i++) { /* the first half makes the slabs that the second one has */
        const uint64_t *word = c->word;
        size_t k = rnd_below(&seed, n);
        assert_int_equal(vmfree(vm, block[k]), 0);
        assert_non_null(block[k] = vmalloc(vm, size));
        words += i >= PAIRS && c->word != word;
    }
    free(block);
    return words;
}

/* A slab that is nearly full is not gone through for every few of its blocks, and what is made instead is
 * not much. */
static void few(void **state)
{
    static const size_t sizes[] = {16, 64, 200};
    size_t k, n;
    (void)state;
    for (k = 0; k < sizeof sizes / sizeof *sizes; k++)
        for (n = 150; n < 1000; n += n / 4) {
            Vmalloc_t *vm = vmopen(Vmdcsystem, Vmbest, 0);
            size_t words = churn(vm, n, sizes[k]), blocks = engine(vm)->slabblocks;
            if (words > PAIRS / 8 || blocks > 3 * n + 256)
                fail_msg("%zu blocks of %zu: %zu words, slabs of %zu", n, sizes[k], words, blocks);
            sound(vm);
            vmclose(vm);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(few)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
