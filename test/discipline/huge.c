/* SPDX-License-Identifier: MIT */
#include "support/protocol.h"
#include "os.h"
#include <vmalloc/discipline.h>

static size_t total(Vmdisc_t *disc)
{
    Vmhugestat_t st;

    assert_int_equal(vmdchugestat(disc, &st), 0);
    return st.huge + st.thp + st.plain;
}

static void speaks_the_protocol(void **state)
{
    Vmdisc_t *disc = vmdchuge(0, VM_HUGEANY);

    (void)state;
    assert_non_null(disc);
    protocol_nonsense(disc);
    protocol_life(disc, disc->round, 1);
    protocol_toomuch(disc, disc->round);
    assert_int_equal(vmdcfree(disc), 0);
}

static void tells_what_was_got(void **state)
{
    Vmdisc_t *disc = vmdchuge(0, VM_HUGEANY);
    size_t unit = disc->round;
    char *one = ask(disc, NULL, 0, unit), *two = ask(disc, NULL, 0, unit + 1);

    (void)state;
    assert_int_equal(total(disc), 3 * unit);
    assert_int_equal((uintptr_t)one % unit, 0);
    assert_int_equal((uintptr_t)two % unit, 0);
    assert_null(ask(disc, one, unit, 2 * unit));
    assert_ptr_equal(ask(disc, one, unit, 0), one);
    assert_true(readable(two + 2 * unit - 1));
    assert_ptr_equal(ask(disc, two, unit + 1, 0), two);
    assert_false(readable(two + unit));
    assert_int_equal(vmdchugestat(NULL, NULL), -1);
    assert_int_equal(vmdchugestat(disc, NULL), -1);
    assert_int_equal(vmdcfree(disc), 0);
}

static void strict_sources_give_that_or_nothing(void **state)
{
    Vmdisc_t *only = vmdchuge(0, VM_HUGEONLY), *thp = vmdchuge(0, VM_HUGETHP);
    size_t unit = only->round;
    Vmhugestat_t st;
    char *seg = ask(only, NULL, 0, unit);

    (void)state;
    assert_int_equal(vmdchugestat(only, &st), 0);
    assert_int_equal(st.huge, seg ? unit : 0);
    assert_int_equal(st.thp + st.plain, 0);
    if (seg)
        assert_ptr_equal(ask(only, seg, unit, 0), seg);
    seg = ask(thp, NULL, 0, unit);
    assert_int_equal(vmdchugestat(thp, &st), 0);
    assert_int_equal(st.huge + st.thp, seg ? unit : 0);
    assert_int_equal(st.plain, 0);
    if (seg)
        assert_ptr_equal(ask(thp, seg, unit, 0), seg);
    assert_int_equal(vmdcfree(only), 0);
    assert_int_equal(vmdcfree(thp), 0);
}

static void purge_splits_no_huge_page(void **state)
{
    Vmdisc_t *disc = vmdchuge(0, VM_HUGEANY);
    Vmdiscmore_t *more = (Vmdiscmore_t *)disc;
    size_t unit = disc->round, page = vmos_pagesize();
    char *seg = ask(disc, NULL, 0, 2 * unit);

    (void)state;
    memset(seg, 'a', 2 * unit);
    assert_int_equal(more->purgef(&protocol_vm, seg, unit - 1, disc), -1);
    assert_true(all(seg, 'a', 2 * unit));
    assert_int_equal(more->purgef(&protocol_vm, seg + unit - page, unit + page, disc),
                     page == unit);
    assert_true(all(seg, 'a', unit - page));
    assert_true(all(seg + unit, 0, unit));
    assert_ptr_equal(ask(disc, seg, 2 * unit, 0), seg);
    assert_int_equal(vmdcfree(disc), 0);
}

static void takes_sizes_of_pages_only(void **state)
{
    size_t page = vmos_pagesize();
    Vmdisc_t *disc = vmdchuge(4 * page, VM_HUGEANY);

    (void)state;
    assert_int_equal(disc->round, 4 * page); /* no system has such: ordinary pages */
    protocol_life(disc, 4 * page, 1);
    assert_int_equal(vmdcfree(disc), 0);
    errno = 0;
    assert_null(vmdchuge(3 * page, VM_HUGEANY));
    assert_int_equal(errno, EINVAL);
    assert_null(vmdchuge(page / 2, VM_HUGEANY));
    assert_null(vmdchuge(0, -1));
    assert_null(vmdchuge(0, VM_HUGEANY + 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(speaks_the_protocol),
        cmocka_unit_test(tells_what_was_got),
        cmocka_unit_test(strict_sources_give_that_or_nothing),
        cmocka_unit_test(purge_splits_no_huge_page),
        cmocka_unit_test(takes_sizes_of_pages_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
