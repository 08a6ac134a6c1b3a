/* SPDX-License-Identifier: MIT */
/* vmover(): an upper method of the test's own, which counts calls, over each of the standard methods. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <vmalloc.h>

#include "over.h"

typedef struct state {
    size_t allocs;
    char mark;
} state_t;

static Void_t *count_alloc(Vmalloc_t *vm, size_t size, int local)
{
    ((state_t *)vmmt_upper(vm))->allocs++;
    return (*vmmt_under(vm)->allocf)(vm, size, local);
}

static Void_t *count_resize(Vmalloc_t *vm, Void_t *p, size_t size, int type, int local)
{
    return (*vmmt_under(vm)->resizef)(vm, p, size, type, local);
}

static int count_free(Vmalloc_t *vm, Void_t *p, int local)
{
    return (*vmmt_under(vm)->freef)(vm, p, local);
}

static int count_event(Vmalloc_t *vm, int event, Void_t *arg)
{
    return (*vmmt_under(vm)->more->eventf)(vm, event, arg);
}

static vmmt_over_t counter;

static int setup(void **state)
{
    (void)state;
    counter.meth = *Vmbest;
    counter.meth.allocf = count_alloc;
    counter.meth.resizef = count_resize;
    counter.meth.freef = count_free;
    counter.meth.meth = VM_MTPROFILE;
    counter.meth.more = &counter.more;
    counter.more = *Vmbest->more;
    counter.more.eventf = count_event;
    counter.more.size = VMMT_OVERSIZE(Vmbest->more->size, sizeof(state_t));
    counter.magic = VMMT_OVERMAGIC;
    counter.under = Vmbest;
    counter.upper = sizeof(state_t);
    return 0;
}

static void test_the_method_below_is_told(void **state)
{
    Vmalloc_t *vm = vmopen(Vmdcheap, vmover(&counter.meth, Vmlast), 0);
    (void)state;
    assert_ptr_equal(vmunder(&vm->meth), Vmlast);
    assert_int_equal(vmclose(vm), 0);
    assert_ptr_equal(vmunder(Vmdebug), Vmbest);
    assert_ptr_equal(vmunder(Vmpool), Vmpool);
    assert_null(vmunder(NULL));
}

static void works(Vmethod_t *meth)
{
    Vmalloc_t *vm = vmopen(Vmdcheap, meth, 0);
    char *p, *q;
    assert_non_null(vm);
    ((state_t *)vmmt_upper(vm))->mark = 7;
    for (int i = 0; i < 1000; i++)
        assert_non_null(vmalloc(vm, 40));
    p = vmalloc(vm, 40);
    assert_non_null(p);
    p[39] = 'x';
    q = vmalloc(vm, 40);
    assert_ptr_not_equal(p, q);
    assert_int_equal(vmfree(vm, q), 0);
    assert_int_equal(p[39], 'x');
    assert_int_equal(((state_t *)vmmt_upper(vm))->allocs, 1002);
    assert_int_equal(((state_t *)vmmt_upper(vm))->mark, 7);
    assert_int_equal(vmclose(vm), 0);
}

static void test_an_upper_method_works_over_each_lower_one(void **state)
{
    (void)state;
    works(&counter.meth);
    works(vmover(&counter.meth, Vmbest));
    works(vmover(&counter.meth, Vmlast));
    works(vmover(&counter.meth, Vmpool));
}

static void test_the_same_two_give_the_same_method(void **state)
{
    Vmethod_t *m = vmover(&counter.meth, Vmlast);
    (void)state;
    assert_ptr_equal(vmover(&counter.meth, Vmbest), &counter.meth);
    assert_ptr_equal(vmover(&counter.meth, Vmlast), m);
    assert_ptr_not_equal(vmover(&counter.meth, Vmpool), m);
    assert_ptr_equal(vmover(m, Vmlast), m);
    assert_ptr_equal(vmover(m, Vmpool), vmover(&counter.meth, Vmpool));
}

static void refused(Vmethod_t *upper, Vmethod_t *under)
{
    errno = 0;
    assert_null(vmover(upper, under));
    assert_int_equal(errno, EINVAL);
}

static void test_what_cannot_be_joined_is_refused(void **state)
{
    (void)state;
    refused(NULL, Vmbest);
    refused(&counter.meth, NULL);
    refused(Vmbest, Vmlast);
    refused(&counter.meth, &counter.meth);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_upper_method_works_over_each_lower_one),
        cmocka_unit_test(test_the_same_two_give_the_same_method),
        cmocka_unit_test(test_what_cannot_be_joined_is_refused),
        cmocka_unit_test(test_the_method_below_is_told),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
