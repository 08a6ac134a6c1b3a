/* SPDX-License-Identifier: MIT */
#include "_bump.h"

static void only_of_that_region(void **state)
{
    chk_t *c, *d;
    Vmalloc_t *vm = bump_open(&c, 0), *other = bump_open(&d, 0);
    char *p = vmalloc(vm, 10), *q = vmalloc(vm, 20000);

    (void)state;
    assert_ptr_equal(vmsegment(vm, p), c->segs[0].addr);
    assert_ptr_equal(vmsegment(vm, q), c->segs[1].addr);
    assert_ptr_equal(vmsegfind(vm, q + 19999), c->segs[1].addr);
    assert_ptr_equal(vmsegment(vm, c->segs[0].addr), c->segs[0].addr);
    assert_ptr_not_equal(vmsegment(vm, c->segs[0].addr + c->segs[0].size), c->segs[0].addr);
    assert_null(vmsegment(other, p));
    assert_null(vmsegment(vm, NULL));
    assert_null(vmsegment(vm, &p));
    errno = 0;
    assert_null(vmsegment(NULL, p));
    assert_int_equal(errno, EINVAL);
    bump_close(vm, c);
    bump_close(other, d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(only_of_that_region)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
