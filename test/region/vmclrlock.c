/* SPDX-License-Identifier: MIT */
#include "_bump.h"

#include <pthread.h>

static jmp_buf away;

static int jump(Vmalloc_t *vm, void *addr, size_t size, Vmdisc_t *disc, void *handle)
{
    (void)vm, (void)addr, (void)size, (void)disc, (void)handle;
    longjmp(away, 1);
}

static void out_of_a_walk(void **state)
{
    chk_t *c;
    Vmalloc_t *vm = bump_open(&c, 0);

    (void)state;
    if (setjmp(away) == 0)
        vmwalk(NULL, jump, NULL);
    assert_true(vmos_lockedbyme(&vmr_listlock));
    assert_int_equal(vmstat(Vmheap, NULL), 1);
    bump_torn = 0;
    errno = 4711;
    vmclrlock(0);
    assert_int_equal(errno, 4711);
    assert_int_equal(bump_torn, Vmheap->meth.more == &bump_more);
    assert_int_equal(vmr_listlock.word, 0);
    assert_int_equal(vmstat(Vmheap, NULL), 0);
    assert_non_null(vmalloc(vm, 10));
    if (setjmp(away) == 0)
        vmwalk(vm, jump, NULL);
    bump_torn = 0;
    vmclrlock(0);
    assert_int_equal(bump_torn, 1);
    assert_int_equal(bump_of(vm)->events[VM_METHTORN], 1);
    bump_close(vm, c);
}

static void *hold(void *arg)
{
    vmmtlock(arg);
    return NULL;
}

static void of_others(void **state)
{
    pthread_t t;
    chk_t *c;
    Vmalloc_t *vm = bump_open(&c, 0);

    (void)state;
    pthread_create(&t, NULL, hold, vm);
    pthread_join(t, NULL);
    vm->data->lock.word = 3; /* nobody's mark: a new thread could get that of the dead one */
    vmclrlock(0);
    assert_int_equal(vmstat(vm, NULL), 1);
    vmclrlock(1);
    assert_int_equal(vmstat(vm, NULL), 0);
    bump_close(vm, c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(out_of_a_walk),
        cmocka_unit_test(of_others),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
