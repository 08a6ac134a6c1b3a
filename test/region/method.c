/* SPDX-License-Identifier: MIT */
#include "_bump.h"

static int purged;

static int purge(Vmalloc_t *vm, void *addr, size_t size, Vmdisc_t *disc)
{
    assert_ptr_equal(vm->disc, disc);
    assert_true(addr != NULL && size == 4096);
    return ++purged;
}

static void knows_what_disciplines_tell(void **state)
{
    Vmdiscmore_t more = {.disc = {chk_memory, NULL, 0, sizeof more}, .tag = VM_DCMORE,
                         .flags = VM_DCZERO, .purgef = purge};
    Vmdisc_t copy = *Vmdcsystem;
    Vmalloc_t vm = {.disc = &more.disc};
    char page[4096];

    (void)state;
    assert_int_equal(vmr_dcflags(&vm), VM_DCZERO);
    assert_int_equal(vmr_purge(&vm, page, sizeof page), 1);
    more.tag = 0;
    assert_int_equal(vmr_dcflags(&vm), 0);
    assert_int_equal(vmr_purge(&vm, page, sizeof page), -1);
    more.tag = VM_DCMORE;
    more.disc.size = (size_t)-1; /* never set */
    assert_int_equal(vmr_dcflags(&vm), 0);
    copy.size = 0;
    vm.disc = &copy;
    assert_int_equal(vmr_dcflags(&vm), VM_DCZERO | VM_DCRESERVE);
}

static int bad;

static int onbad(chk_t *c, Vmalloc_t *vm, int type, void *obj)
{
    (void)c;
    if (type == VM_BADADDR) {
        assert_int_equal(vmstat(vm, NULL), 0);
        assert_ptr_equal(obj, &bad);
        bad++;
        errno = 0;
    }
    return 0;
}

static void tells_of_bad_addresses(void **state)
{
    chk_t *c;
    Vmalloc_t *vm = bump_open(&c, 0);

    (void)state;
    c->onevent = onbad;
    assert_int_equal(vmfree(vm, &bad), -1);
    assert_int_equal(errno, EINVAL);
    assert_int_equal(bad, 1);
    c->disc.exceptf = NULL;
    errno = 0;
    vmmtbadaddr(vm, &bad);
    assert_int_equal(errno, EINVAL);
    assert_int_equal(bad, 1);
    bump_close(vm, c);
}

static void state_is_cleared_and_behind_the_data(void **state)
{
    chk_t *c;
    Vmalloc_t *vm = bump_open(&c, 0);

    (void)state;
    assert_ptr_equal(vmmtstate(vm), vmr_state(vm));
    assert_true((char *)vmmtstate(vm) >= (char *)(vm->data + 1));
    assert_true((char *)vmmtstate(vm) + sizeof(bump_t) <= vmmtsegs(vm)->base);
    assert_int_equal(bump_of(vm)->blocks, 0);
    bump_close(vm, c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(knows_what_disciplines_tell),
        cmocka_unit_test(tells_of_bad_addresses),
        cmocka_unit_test(state_is_cleared_and_behind_the_data),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
