/* SPDX-License-Identifier: MIT */
#include "_bump.h"

static int answer;

static int ondisc(chk_t *c, Vmalloc_t *vm, int type, void *obj)
{
    (void)c, (void)vm;
    if (type == VM_DISC)
        assert_non_null(obj);
    return type == VM_DISC ? answer : 0;
}

static void replaces(void **state)
{
    chk_t *c, *d = chk_new(0, CHK_MALLOC, CHK_REFUSE);
    Vmalloc_t *vm = bump_open(&c, 0);
    Vmdisc_t empty = {NULL, NULL, 0, 0};

    (void)state;
    c->onevent = ondisc;
    assert_ptr_equal(vmdisc(vm, NULL), &c->disc);
    errno = 0;
    assert_null(vmdisc(vm, &empty));
    assert_int_equal(errno, EINVAL);
    answer = 1;
    assert_null(vmdisc(vm, &d->disc));
    assert_int_equal(errno, ECANCELED);
    assert_ptr_equal(vmdisc(vm, NULL), &c->disc);
    answer = 0;
    errno = 4711;
    assert_ptr_equal(vmdisc(vm, &d->disc), &c->disc);
    assert_int_equal(errno, 4711);
    assert_ptr_equal(vmdisc(vm, NULL), &d->disc);
    assert_ptr_equal(vmdisc(vm, &c->disc), &d->disc); /* d's handler is asked, c's is not */
    assert_int_equal(d->nevents, 1);
    bump_close(vm, c);
    free(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(replaces)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
