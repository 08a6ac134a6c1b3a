/* SPDX-License-Identifier: MIT */
#include "_bump.h"

static void tells_all(void **state)
{
    chk_t *c;
    Vmalloc_t *vm = bump_open(&c, 0);
    Vmstat_t st;
    char *p;

    (void)state;
    vmalloc(vm, 100);
    p = vmalloc(vm, 30000);
    vmname(vm, "numbers");
    memset(&st, 0xff, sizeof st);
    errno = 4711;
    assert_int_equal(vmstat(vm, &st), 0);
    assert_int_equal(errno, 4711);
    assert_int_equal(st.n_busy, 2);
    assert_int_equal(st.s_busy, 112 + 30000);
    assert_int_equal(st.n_free, 0);
    assert_int_equal(st.n_seg, 2);
    assert_int_equal(st.extent, c->bytes);
    assert_int_equal(st.m_extent, c->bytes);
    assert_int_equal(st.n_region, 1);
    assert_int_equal(st.n_open, 0);
    assert_int_equal(st.mode, VM_MTLAST);
    assert_string_equal(st.name, "numbers");
    assert_true(strncmp(st.mesg, "region numbers at 0x", 20) == 0);
    assert_non_null(strstr(st.mesg, "segments 2, busy "));
    assert_int_equal(vmfree(vm, p), 0);
    assert_int_equal(vmmtrelease(vm, vmmtsegs(vm)), 0);
    assert_int_equal(vmstat(vm, &st), 0);
    assert_true(st.m_extent > st.extent);
    bump_close(vm, c);
}

static void of_no_region(void **state)
{
    chk_t *c;
    Vmalloc_t *vm;
    Vmstat_t st;

    (void)state;
    assert_int_equal(vmstat(NULL, NULL), 0);
    assert_int_equal(vmstat(NULL, &st), 0);
    assert_non_null(strstr(st.mesg, "region Vmheap at"));
    vm = bump_open(&c, VM_TRACE);
    Vmregion = vm;
    assert_int_equal(vmstat(NULL, &st), 0);
    assert_int_equal(st.mode, VM_MTLAST | VM_TRACE);
    vmmtlock(vm);
    assert_int_equal(vmstat(NULL, NULL), 1);
    assert_int_equal(vmlocked(vm), 1);
    vmmtunlock(vm);
    assert_int_equal(vmlocked(vm), 0);
    Vmregion = NULL;
    assert_int_equal(vmstat(NULL, NULL), 0);
    errno = 0;
    assert_int_equal(vmstat(NULL, &st), -1);
    assert_int_equal(errno, EINVAL);
    Vmregion = Vmheap;
    bump_close(vm, c);
}

static void a_single_region_is_never_locked(void **state)
{
    chk_t *c;
    Vmalloc_t *vm = bump_open(&c, VM_SINGLE);

    (void)state;
    vmmtlock(vm);
    assert_int_equal(vmstat(vm, NULL), 0);
    vmmtunlock(vm);
    bump_close(vm, c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tells_all),
        cmocka_unit_test(of_no_region),
        cmocka_unit_test(a_single_region_is_never_locked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
