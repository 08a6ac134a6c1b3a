/* SPDX-License-Identifier: MIT */
#include "_bump.h"

static void keeps_the_segments(void **state)
{
    chk_t *c;
    Vmalloc_t *vm = bump_open(&c, 0);
    size_t calls, events;

    (void)state;
    vmalloc(vm, 100000);
    assert_non_null(vmuserdata(vm, 1, 8));
    calls = c->calls;
    events = c->nevents;
    errno = 4711;
    assert_int_equal(vmclear(vm), 0);
    assert_int_equal(errno, 4711);
    assert_int_equal(c->calls, calls);
    assert_int_equal(c->nevents, events);
    assert_int_equal(bump_of(vm)->events[VM_METHCLEAR], 1);
    assert_int_equal(bump_of(vm)->blocks, 0);
    assert_null(vmuserdata(vm, 1, 0));
    bump_fail = VM_METHCLEAR;
    assert_int_equal(vmclear(vm), -1);
    bump_fail = 0;
    bump_close(vm, c);
}

static void refuses_nonsense(void **state)
{
    (void)state;
    errno = 0;
    assert_int_equal(vmclear(NULL), -1);
    assert_int_equal(errno, EINVAL);
}

/* Handles are blocks of Vmheap; one in its own region stays. */
static void clears_vmheap(void **state)
{
    chk_t *c, *d;
    Vmalloc_t *stays, *vm;

    (void)state;
    bump_open(&c, 0);
    stays = bump_open(&d, VM_MEMORYF);
    assert_int_equal(regions(), 3);
    assert_int_equal(vmclear(Vmheap), 0);
    assert_int_equal(regions(), 2);
    assert_non_null(vmalloc(stays, 100));
    bump_close(stays, d);
    vm = bump_open(&d, 0);
    bump_close(vm, d);
    chk_drop(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keeps_the_segments),
        cmocka_unit_test(refuses_nonsense),
        cmocka_unit_test(clears_vmheap),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
