/* SPDX-License-Identifier: MIT */
/*
 * Vmdebug over an image: fences are part of it, so that damage is found by the process that opens it again;
 * what was rolled back is known as gone; who opens it must name the same method.
 */
#include "_test.h"

#include <vmalloc/method.h>

static int quiet = -1;

static int start(void **state)
{
    quiet = open("/dev/null", O_WRONLY);
    vmdebug(quiet);
    return setup(state);
}

static int end(void **state)
{
    vmdebug(2);
    close(quiet);
    return teardown(state);
}

/* An image with two blocks; the root is the first one, whose last byte but `beyond` is written. */
static void make(Vmethod_t *meth, size_t beyond)
{
    Vmalloc_t *vm = open_image(file, 0, meth);
    char *p;
    assert_non_null(vm);
    p = vmalloc(vm, 24);
    assert_non_null(p);
    assert_non_null(vmalloc(vm, 24));
    p[23 + beyond] = 1;
    assert_int_equal(vmrootset(vm, "first", p, 0, 0), 0);
    assert_int_equal(vmcommit(vm), 0);
    assert_int_equal(vmclose(vm), 0);
}

/* Such an image as its next process finds it; *p gets the first block. */
static Vmalloc_t *made(Vmethod_t *meth, char **p)
{
    Vmalloc_t *vm;
    make(meth, 0);
    vm = open_image(file, 0, meth);
    assert_non_null(vm);
    *p = vmrootget(vm, "first", NULL);
    assert_non_null(*p);
    return vm;
}

static void again(Vmethod_t *meth, int canfree)
{
    char *p;
    Vmalloc_t *vm = made(meth, &p);
    assert_int_equal(vmsize(vm, p), 24);
    assert_int_equal(vmdbcheck(vm), 0);
    assert_int_equal(vmfree(vm, p), canfree ? 0 : -1);
    assert_int_equal(vmfree(vm, p), -1);
    assert_int_equal(vmclose(vm), 0);
    make(meth, 0); /* into the same image */
    unlink(file);
}

static void over_each_method(void **state)
{
    (void)state;
    again(Vmdebug, 1);
    again(vmover(Vmdebug, Vmlast), 0);
    again(vmover(Vmdebug, Vmpool), 1);
}

static void damage_is_found_later(void **state)
{
    Vmalloc_t *vm;
    (void)state;
    make(Vmdebug, 1);
    vm = open_image(file, 0, Vmdebug);
    assert_non_null(vm);
    assert_int_equal(vmdbcheck(vm), 1);
    assert_int_equal(vmclose(vm), 0);
}

/* A block that was freed is so for the next process, though it was in quarantine; a large one is written to the
 * image like others. */
static void freed_stays_freed(void **state)
{
    char *p, *q;
    Vmalloc_t *vm = made(Vmdebug, &p);
    (void)state;
    q = vmalloc(vm, 300000);
    assert_non_null(q);
    memset(q, 1, 300000);
    assert_int_equal(vmfree(vm, p), 0);
    assert_int_equal(vmfree(vm, q), 0);
    assert_int_equal(vmcommit(vm), 0);
    assert_int_equal(vmclose(vm), 0);
    vm = open_image(file, 0, Vmdebug);
    assert_non_null(vm);
    assert_ptr_equal(vmrootget(vm, "first", NULL), p);
    assert_int_equal(vmsize(vm, p), -1);
    assert_int_equal(vmfree(vm, p), -1);
    assert_int_equal(vmfree(vm, q), -1);
    assert_int_equal(vmdbcheck(vm), 0);
    *p = 1;
    assert_int_equal(vmdbcheck(vm), 1);
    assert_int_equal(vmclose(vm), 0);
}

/* A region whose memory is full of fences of blocks that are gone, half of them freed before. */
static Vmalloc_t *used(int many)
{
    Vmalloc_t *vm = open_image(file, 0, Vmdebug);
    assert_non_null(vm);
    for (int i = 0; i < many; i++) {
        char *p = vmalign(vm, 88, (size_t)16 << i % 2);
        assert_non_null(p);
        if (i % 4 < 2)
            assert_int_equal(vmfree(vm, p), 0);
    }
    assert_int_equal(vmclear(vm), 0);
    return vm;
}

/* Such fences are not taken for that of a block of larger alignment, though they are nearer to the beginning. */
static void aligned_where_others_were(void **state)
{
    enum { MANY = 500, SIZE = 40 };
    static char *p[MANY], whole[SIZE];
    Vmalloc_t *vm = used(2 * MANY);
    (void)state;
    memset(whole, 1, SIZE);
    for (int i = 0; i < MANY; i++) {
        p[i] = vmalign(vm, SIZE, (size_t)64 << i % 3);
        assert_non_null(p[i]);
        memset(p[i], 1, SIZE);
    }
    assert_int_equal(vmcommit(vm), 0);
    assert_int_equal(vmclose(vm), 0);
    vm = must_open(file, 0, Vmdebug);
    assert_int_equal(vmdbcheck(vm), 0);
    for (int i = 0; i < MANY; i++) {
        assert_int_equal(vmsize(vm, p[i]), SIZE);
        assert_memory_equal(p[i], whole, SIZE);
        assert_int_equal(vmfree(vm, p[i]), 0);
    }
    assert_int_equal(vmclose(vm), 0);
}

/* What was freed after the last commit is not. */
static void rolled_back_to_life(void **state)
{
    char *p;
    Vmalloc_t *vm = made(Vmdebug, &p);
    (void)state;
    assert_int_equal(vmfree(vm, p), 0);
    assert_int_equal(vmrollback(vm), 0);
    assert_int_equal(vmsize(vm, p), 24);
    assert_int_equal(p[23], 1);
    assert_int_equal(vmfree(vm, p), 0);
    assert_int_equal(vmclose(vm), 0);
}

static void rolled_back(void **state)
{
    char *p, *q;
    Vmalloc_t *vm = made(Vmdebug, &p);
    (void)state;
    q = vmalloc(vm, 100);
    assert_non_null(q);
    assert_int_equal(vmrollback(vm), 0);
    assert_int_equal(vmsize(vm, p), 24);
    assert_int_equal(vmsize(vm, q), -1);
    assert_int_equal(vmfree(vm, q), -1);
    assert_int_equal(vmfree(vm, p), 0);
    assert_int_equal(vmclose(vm), 0);
}

static void another_method_is_refused(void **state)
{
    (void)state;
    make(Vmdebug, 0);
    assert_null(open_image(file, 0, NULL));
    assert_int_equal(errno, EPROTO);
    assert_null(open_image(file, 0, vmover(Vmdebug, Vmlast)));
    assert_int_equal(errno, EPROTO);
    unlink(file);
    make(Vmbest, 0);
    assert_null(open_image(file, 0, Vmdebug));
    assert_int_equal(errno, EPROTO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(over_each_method, start, end),
        cmocka_unit_test_setup_teardown(damage_is_found_later, start, end),
        cmocka_unit_test_setup_teardown(freed_stays_freed, start, end),
        cmocka_unit_test_setup_teardown(aligned_where_others_were, start, end),
        cmocka_unit_test_setup_teardown(rolled_back, start, end),
        cmocka_unit_test_setup_teardown(rolled_back_to_life, start, end),
        cmocka_unit_test_setup_teardown(another_method_is_refused, start, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
