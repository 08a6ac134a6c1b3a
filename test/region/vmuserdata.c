/* SPDX-License-Identifier: MIT */
#include "_bump.h"

#include <pthread.h>

static void finds_and_makes(void **state)
{
    chk_t *c;
    Vmalloc_t *vm = bump_open(&c, 0);
    char *a, *b;

    (void)state;
    errno = 4711;
    assert_null(vmuserdata(vm, 5, 0));
    assert_null(vmuserdata(vm, 5, -1));
    a = vmuserdata(vm, 5, 100);
    b = vmuserdata(vm, 6, 10000);
    assert_int_equal(errno, 4711);
    assert_int_equal((uintptr_t)a % VM_ALIGN, 0);
    assert_int_equal(a[0] | a[99] | b[0] | b[9999], 0);
    assert_ptr_equal(vmuserdata(vm, 5, 5000), a);
    assert_ptr_equal(vmuserdata(vm, 6, 0), b);
    assert_ptr_equal(vmregion(a), vm);
    errno = 0;
    assert_null(vmuserdata(vm, 7, (ssize_t)(SIZE_MAX / 2)));
    assert_int_equal(errno, ENOMEM);
    assert_null(vmuserdata(NULL, 5, 100));
    assert_int_equal(errno, EINVAL);
    vmr_forget(vm, b - 64, b);
    assert_null(vmuserdata(vm, 6, 0));
    assert_ptr_equal(vmuserdata(vm, 5, 0), a);
    bump_close(vm, c);
}

/* While one waits for the handler, another makes the area. */
static void *made;

static int other_is_first(chk_t *c, Vmalloc_t *vm, int type, void *obj)
{
    (void)obj;
    if (type != VM_NOMEM)
        return 0;
    c->maxbytes = 0;
    made = vmuserdata(vm, 9, 50000);
    return 1;
}

static void same_area_for_both(void **state)
{
    chk_t *c;
    Vmalloc_t *vm = bump_open(&c, 0);
    size_t blocks;
    void *area;

    (void)state;
    c->maxbytes = c->bytes;
    c->onevent = other_is_first;
    blocks = bump_of(vm)->blocks;
    area = vmuserdata(vm, 9, 50000);
    assert_non_null(made);
    assert_ptr_equal(area, made);
    assert_int_equal(bump_of(vm)->blocks, blocks + 1);
    bump_close(vm, c);
}

static Vmalloc_t *shared;

static void *ask(void *arg)
{
    void **got = arg;
    unsigned key;

    for (key = 0; key < 100; key++)
        got[key] = vmuserdata(shared, key, 50);
    return NULL;
}

static void same_area_for_all_threads(void **state)
{
    static void *got[4][100];
    pthread_t t[4];
    chk_t *c;
    int i;

    (void)state;
    shared = bump_open(&c, 0);
    for (i = 0; i < 4; i++)
        pthread_create(&t[i], NULL, ask, got[i]);
    for (i = 0; i < 4; i++)
        pthread_join(t[i], NULL);
    for (i = 1; i < 4; i++)
        assert_memory_equal(got[i], got[0], sizeof got[0]);
    bump_close(shared, c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_and_makes),
        cmocka_unit_test(same_area_for_both),
        cmocka_unit_test(same_area_for_all_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
