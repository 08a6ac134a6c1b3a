/* SPDX-License-Identifier: MIT */
#include "support/counting.h"
#include "support/protocol.h"
#include <vmalloc/discipline.h>

#define KIB ((size_t)1024)

static void speaks_the_protocol(void **state)
{
    counting_t under;
    Vmdisc_t *disc = vmdcfail(&counting_init(&under)->disc, 0, 0, 0, 0);

    (void)state;
    protocol_nonsense(disc);
    protocol_life(disc, 4 * KIB, 0);
    assert_int_equal(vmdcfailcount(disc), 2);
    assert_int_equal(under.held, 0);
    assert_int_equal(vmdcfree(disc), 0);
}

static void nth_and_later_fail(void **state)
{
    counting_t under;
    Vmdisc_t *disc = vmdcfail(&counting_init(&under)->disc, 3, 0, 0, 0);
    char *a = ask(disc, NULL, 0, KIB);

    (void)state;
    assert_non_null(a);
    assert_ptr_equal(ask(disc, a, KIB, 2 * KIB), a);
    errno = 0;
    assert_null(ask(disc, a, 2 * KIB, 3 * KIB));
    assert_int_equal(errno, ENOMEM);
    assert_null(ask(disc, NULL, 0, KIB));
    assert_int_equal(vmdcfailcount(disc), 4);
    assert_int_equal(under.gets + under.grows, 2);
    assert_ptr_equal(ask(disc, a, 2 * KIB, KIB), a); /* shrinking and releasing never fail */
    assert_int_equal(vmdcfailset(disc, 1, 0, 0, 0), 0);
    assert_int_equal(vmdcfailcount(disc), 0);
    assert_null(ask(disc, NULL, 0, KIB));
    assert_ptr_equal(ask(disc, a, KIB, 0), a);
    assert_int_equal(vmdcfree(disc), 0);
}

static void bytes_run_out(void **state)
{
    counting_t under;
    Vmdisc_t *disc = vmdcfail(&counting_init(&under)->disc, 0, 8 * KIB, 0, 0);
    char *a = ask(disc, NULL, 0, 4 * KIB), *b;

    (void)state;
    assert_null(ask(disc, NULL, 0, 4 * KIB + 1));
    assert_null(ask(disc, NULL, 0, SIZE_MAX));
    under.refuse = 1; /* what was not granted does not count */
    assert_null(ask(disc, NULL, 0, 4 * KIB));
    under.refuse = 0;
    b = ask(disc, NULL, 0, 4 * KIB);
    assert_non_null(b);
    assert_ptr_equal(ask(disc, b, 4 * KIB, 0), b);
    assert_null(ask(disc, NULL, 0, 1)); /* what was released still does */
    assert_int_equal(vmdcfailset(disc, 0, 8 * KIB, 0, 0), 0);
    assert_ptr_equal(ask(disc, a, 4 * KIB, 8 * KIB), a);
    assert_ptr_equal(ask(disc, a, 8 * KIB, 0), a);
    assert_int_equal(vmdcfree(disc), 0);
}

/* Bit i tells the fate of request i. */
static unsigned long long fates(Vmdisc_t *disc, int *failures)
{
    unsigned long long bits = 0;

    for (int i = 0; i < 1000; i++) {
        char *p = ask(disc, NULL, 0, KIB);

        if (p)
            ask(disc, p, KIB, 0);
        *failures += p == NULL;
        if (i < 64)
            bits |= (unsigned long long)(p == NULL) << i;
    }
    return bits;
}

static void chance_is_that_of_the_seed(void **state)
{
    counting_t under;
    Vmdisc_t *disc = vmdcfail(&counting_init(&under)->disc, 0, 0, 250, 7);
    int failures = 0, none = 0;
    unsigned long long first = fates(disc, &failures);

    (void)state;
    assert_in_range(failures, 200, 300);
    vmdcfailset(disc, 0, 0, 250, 7);
    assert_true(fates(disc, &failures) == first);
    vmdcfailset(disc, 0, 0, 250, 8);
    assert_true(fates(disc, &failures) != first);
    vmdcfailset(disc, 0, 0, 1000, 7);
    assert_true(fates(disc, &failures) == ~0ull);
    vmdcfailset(disc, 0, 0, 0, 7);
    fates(disc, &none);
    assert_int_equal(none, 0);
    assert_int_equal(vmdcfailcount(disc), 1000);
    assert_int_equal(vmdcfree(disc), 0);
}

static void bad_plans_are_refused(void **state)
{
    counting_t under;
    Vmdisc_t *disc = vmdcfail(&counting_init(&under)->disc, 5, 0, 0, 0);

    (void)state;
    errno = 0;
    assert_null(vmdcfail(NULL, 0, 0, 0, 0));
    assert_int_equal(errno, EINVAL);
    assert_null(vmdcfail(&under.disc, 0, 0, 1001, 0));
    assert_null(vmdcfail(&under.disc, 0, 0, -1, 0));
    assert_int_equal(vmdcfailset(disc, 0, 0, 1001, 0), -1);
    assert_int_equal(vmdcfailset(&under.disc, 0, 0, 0, 0), -1);
    assert_int_equal(vmdcfailset(NULL, 0, 0, 0, 0), -1);
    assert_int_equal(vmdcfailcount(&under.disc), 0);
    assert_int_equal(vmdcfree(disc), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(speaks_the_protocol),   cmocka_unit_test(nth_and_later_fail),
        cmocka_unit_test(bytes_run_out),         cmocka_unit_test(chance_is_that_of_the_seed),
        cmocka_unit_test(bad_plans_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
