/* SPDX-License-Identifier: MIT */
/* Addresses given to free and realloc that are no blocks: a line that says what they are, and an
 * end by abort(), or with noabort none. */
#define _GNU_SOURCE 1
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "spawn.h"
#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <sys/mman.h>

static char data[256];

/* Kept from the compiler, which would refuse to compile this. */
static void *opaque(void *p)
{
    void *volatile v = p;
    return v;
}

static void give_back(void *p)
{
    free(opaque(p));
}

/* ---- what the children do ---- */

static void free_twice(void)
{
    void *p = malloc(100);
    give_back(p);
    give_back(p);
}

static void free_large_twice(void)
{
    void *p = malloc(1000000), *keep = malloc(1000000);
    give_back(p);
    give_back(p);
    free(keep);
}

static void free_inside(void)
{
    give_back((char *)malloc(100) + 32);
}

static void free_inside_unaligned(void)
{
    give_back((char *)malloc(100) + 1);
}

static void free_inside_large(void)
{
    give_back((char *)malloc(1000000) + 500000);
}

static void free_stack(void)
{
    char local[64];
    give_back(local + 16);
}

static void free_static(void)
{
    give_back(data);
}

static void free_mapping(void)
{
    give_back(mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
}

static void free_number(void)
{
    give_back((void *)(uintptr_t)1);
}

static void free_high(void)
{
    give_back((void *)UINTPTR_MAX);
}

static void realloc_foreign(void)
{
    errno = 0;
    if (realloc(opaque(data), 100) != NULL || errno != EINVAL)
        _exit(1);
}

static void realloc_freed(void)
{
    void *p = malloc(100);
    give_back(p);
    errno = 0;
    if (realloc(opaque(p), 5000) != NULL || errno != EINVAL)
        _exit(1);
}

static void realloc_to_zero_foreign(void)
{
    errno = EXDEV;
    if (realloc(opaque(data), 0) != NULL || errno != EXDEV)
        _exit(1);
}

static void realloc_inside(void)
{
    char *p = malloc(1000);
    if (realloc(opaque(p + 16), 10) != NULL)
        _exit(1);
}

static void *freer(void *p)
{
    give_back(p);
    return NULL;
}

static void free_in_two_threads(void)
{
    void *p = malloc(100);
    pthread_t t;
    pthread_create(&t, NULL, freer, p);
    pthread_join(t, NULL);
    give_back(p);
}

static void realloc_freed_elsewhere(void)
{
    void *p = malloc(100);
    pthread_t t;
    pthread_create(&t, NULL, freer, p);
    pthread_join(t, NULL);
    if (realloc(opaque(p), 300) != NULL || errno != EINVAL)
        _exit(1);
}

static void free_aligned_inside(void)
{
    char *p = memalign(4096, 4096);
    give_back(p + 64);
}

/* Two hundred of them, and then all blocks are still as they should be. */
static void free_many(void)
{
    char *blocks[100], *twice[100];
    int i, k;
    for (i = 0; i < 100; i++) {
        blocks[i] = malloc(64);
        twice[i] = malloc(64);
        memset(blocks[i], i, 64);
    }
    for (i = 0; i < 100; i++)
        give_back(twice[i]);
    for (i = 0; i < 100; i++) {
        give_back(twice[i]);
        give_back(blocks[i] + 8);
    }
    for (i = 0; i < 100; i++)
        twice[i] = memset(malloc(64), 255, 64);
    for (i = 0; i < 100; i++)
        for (k = 0; k < 64; k++)
            if (blocks[i][k] != (char)i)
                _exit(1);
    for (i = 0; i < 100; i++)
        for (k = 0; k < i; k++)
            if (twice[i] == twice[k])
                _exit(2);
}

typedef struct misuse {
    const char *name;
    void (*doit)(void);
    const char *line;
} misuse_t;

static const misuse_t all[] = {
    {"free twice", free_twice, "free(0x*): double free: block of 112 bytes"},
    {"free a large block twice", free_large_twice,
     "free(0x*): double free or never allocated: in free memory"},
    {"free inside", free_inside,
     "free(0x*): not a block: inside a block, at offset 32 of 112 bytes at 0x*"},
    {"free inside, unaligned", free_inside_unaligned,
     "free(0x*): not a block: inside a block, at offset 1 of 112 bytes at 0x*"},
    {"free inside a large block", free_inside_large,
     "free(0x*): not a block: inside a block, at offset 500000 of 1003520 bytes at 0x*"},
    {"free stack", free_stack, "free(0x*): not a block: no memory of malloc"},
    {"free static", free_static, "free(0x*): not a block: no memory of malloc"},
    {"free a mapping", free_mapping, "free(0x*): not a block: no memory of malloc"},
    {"free 1", free_number, "free(0x1): not a block: no memory of malloc"},
    {"free -1", free_high, "free(0x*): not a block: no memory of malloc"},
    {"realloc foreign", realloc_foreign, "realloc(0x*): not a block: no memory of malloc"},
    {"realloc freed", realloc_freed, "realloc(0x*): freed before: block of 112 bytes"},
    {"realloc freed by another thread", realloc_freed_elsewhere, "realloc(0x*): freed before: block of 112 bytes"},
    {"realloc foreign to 0", realloc_to_zero_foreign,
     "realloc(0x*): not a block: no memory of malloc"},
    {"realloc inside", realloc_inside,
     "realloc(0x*): not a block: inside a block, at offset 16 of 1024 bytes at 0x*"},
    {"free in two threads", free_in_two_threads, "free(0x*): double free: block of 112 bytes"},
    {"free inside an aligned block", free_aligned_inside,
     "free(0x*): not a block: inside a block, at offset 64 of 4096 bytes at 0x*"},
};
enum { ALL = sizeof all / sizeof *all };

static int perform(const char *name)
{
    size_t i;
    for (i = 0; i < ALL; i++)
        if (strcmp(all[i].name, name) == 0) {
            errno = EXDEV;
            all[i].doit();
            return 0;
        }
    free_many();
    return 0;
}

/* ---- what is expected of them ---- */

static void test_aborts_with_a_line(void **state)
{
    size_t i;
    (void)state;
    for (i = 0; i < ALL; i++) {
        child_t c = spawn(all[i].name, NULL);
        if (!spawn_aborted(&c) || !spawn_said(&c, all[i].line))
            print_message("%s: status %x, said %s", all[i].name, c.status, c.said);
        assert_true(spawn_aborted(&c));
        assert_true(spawn_said(&c, all[i].line));
    }
}

static void test_goes_on_with_noabort(void **state)
{
    size_t i;
    (void)state;
    for (i = 0; i < ALL; i++) {
        child_t c = spawn(all[i].name, "noabort");
        if (!spawn_succeeded(&c) || !spawn_said(&c, all[i].line))
            print_message("%s: status %x, said %s", all[i].name, c.status, c.said);
        assert_true(spawn_succeeded(&c));
        assert_true(spawn_said(&c, all[i].line));
    }
}

static void test_corrupts_nothing(void **state)
{
    child_t c = spawn("many", "noabort,warn=/dev/null");
    (void)state;
    assert_true(spawn_succeeded(&c));
    assert_string_equal(c.said, "");
}

static void test_last_word_on_abort_counts(void **state)
{
    child_t c = spawn("free 1", "noabort,abort");
    (void)state;
    assert_true(spawn_aborted(&c));
}

static void test_keep_frees_nothing(void **state)
{
    child_t c = spawn("free static", "keep");
    (void)state;
    assert_true(spawn_succeeded(&c));
    c = spawn("free twice", "keep");
    assert_true(spawn_succeeded(&c));
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_aborts_with_a_line), cmocka_unit_test(test_goes_on_with_noabort),
        cmocka_unit_test(test_corrupts_nothing),   cmocka_unit_test(test_last_word_on_abort_counts),
        cmocka_unit_test(test_keep_frees_nothing),
    };
    if (argc > 1)
        return perform(argv[1]);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
