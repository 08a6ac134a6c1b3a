/* SPDX-License-Identifier: MIT */
#include "support/counting.h"
#include "support/protocol.h"
#include <pthread.h>
#include <vmalloc/discipline.h>

#define KIB ((size_t)1024)

static int warnings;
static size_t warned;

static void warn(Vmdisc_t *disc, size_t total, void *arg)
{
    assert_ptr_equal(arg, &warnings);
    assert_true(vmdclimited(disc) >= total);
    __atomic_fetch_add(&warnings, 1, __ATOMIC_RELAXED);
    warned = total;
}

static void speaks_the_protocol(void **state)
{
    counting_t under;
    Vmdisc_t *disc = vmdclimit(&counting_init(&under)->disc, 0, SIZE_MAX, NULL, NULL);

    (void)state;
    protocol_nonsense(disc);
    assert_int_equal(under.gets + under.grows + under.shrinks + under.releases, 0);
    protocol_life(disc, 4 * KIB, 0);
    protocol_toomuch(disc, 4 * KIB);
    assert_int_equal(vmdclimited(disc), 0);
    assert_int_equal(under.held, 0);
    assert_int_equal(vmdcfree(disc), 0);
}

static void keeps_the_hard_limit(void **state)
{
    counting_t under;
    Vmdisc_t *disc = vmdclimit(&counting_init(&under)->disc, 0, 16 * KIB, NULL, NULL);
    char *a = ask(disc, NULL, 0, 8 * KIB), *b = ask(disc, NULL, 0, 8 * KIB);

    (void)state;
    assert_non_null(b);
    assert_int_equal(vmdclimited(disc), 16 * KIB);
    errno = 0;
    assert_null(ask(disc, NULL, 0, 1));
    assert_int_equal(errno, ENOMEM);
    assert_null(ask(disc, a, 8 * KIB, 8 * KIB + 1));
    assert_int_equal(under.gets + under.grows, 2);
    assert_ptr_equal(ask(disc, a, 8 * KIB, 4 * KIB), a);
    assert_ptr_equal(ask(disc, b, 8 * KIB, 12 * KIB), b);
    assert_int_equal(vmdclimited(disc), 16 * KIB);
    assert_ptr_equal(ask(disc, a, 4 * KIB, 0), a);
    assert_ptr_equal(ask(disc, b, 12 * KIB, 0), b);
    assert_int_equal(vmdclimited(disc), 0);
    assert_int_equal(vmdcfree(disc), 0);
}

static void counts_what_was_granted(void **state)
{
    counting_t under;
    Vmdisc_t *disc = vmdclimit(&counting_init(&under)->disc, 4 * KIB, 64 * KIB, warn, &warnings);
    char *a = ask(disc, NULL, 0, 4 * KIB), *b;

    (void)state;
    warnings = 0;
    under.refuse = 1;
    assert_null(ask(disc, NULL, 0, 4 * KIB));
    assert_null(ask(disc, a, 4 * KIB, 8 * KIB));
    assert_null(ask(disc, a, 4 * KIB, 2 * KIB));
    assert_null(ask(disc, a, 4 * KIB, 0));
    assert_int_equal(vmdclimited(disc), 4 * KIB);
    assert_int_equal(warnings, 0);
    under.refuse = 0;
    under.apart = 1; /* growth may be answered with a new segment */
    b = ask(disc, a, 4 * KIB, 12 * KIB);
    assert_true(b != NULL && b != a);
    assert_int_equal(vmdclimited(disc), 12 * KIB);
    assert_ptr_equal(ask(disc, b, 8 * KIB, 0), b);
    assert_ptr_equal(ask(disc, a, 4 * KIB, 0), a);
    assert_int_equal(vmdclimited(disc), 0);
    a = malloc(1); /* of a region that was found again: never counted here */
    assert_ptr_equal(ask(disc, a, 4 * KIB, 0), a);
    assert_int_equal(vmdclimited(disc), 0);
    assert_int_equal(vmdcfree(disc), 0);
}

static void warns_once_for_each_crossing(void **state)
{
    counting_t under;
    Vmdisc_t *disc = vmdclimit(&counting_init(&under)->disc, 8 * KIB, 64 * KIB, warn, &warnings);
    char *a = ask(disc, NULL, 0, 8 * KIB), *b;

    (void)state;
    warnings = 0;
    b = ask(disc, NULL, 0, 4 * KIB);
    assert_int_equal(warnings, 1);
    assert_int_equal(warned, 12 * KIB);
    assert_ptr_equal(ask(disc, b, 4 * KIB, 8 * KIB), b);
    assert_int_equal(warnings, 1);
    ask(disc, b, 8 * KIB, 0); /* down to the limit, not below */
    b = ask(disc, NULL, 0, 4 * KIB);
    assert_int_equal(warnings, 1);
    ask(disc, a, 8 * KIB, 0);
    assert_int_equal(warnings, 1);
    a = ask(disc, NULL, 0, 8 * KIB);
    assert_int_equal(warnings, 2);
    ask(disc, a, 8 * KIB, 0);
    ask(disc, b, 4 * KIB, 0);
    assert_int_equal(vmdcfree(disc), 0);
}

static void *churn(void *disc)
{
    char *seg[8] = {NULL};

    for (unsigned int step = 0; step < 4000; step++) {
        char **s = &seg[step * 2654435761u >> 29];

        if (*s)
            ((Vmdisc_t *)disc)->memoryf(NULL, *s, KIB, 0, disc);
        *s = *s ? NULL : ((Vmdisc_t *)disc)->memoryf(NULL, NULL, 0, KIB, disc);
    }
    for (int i = 0; i < 8; i++) {
        if (seg[i])
            ((Vmdisc_t *)disc)->memoryf(NULL, seg[i], KIB, 0, disc);
    }
    return NULL;
}

static void threads_together_keep_it(void **state)
{
    counting_t under;
    Vmdisc_t *disc = vmdclimit(&counting_init(&under)->disc, 0, 10 * KIB, NULL, NULL);
    pthread_t thread[4];

    (void)state;
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&thread[i], NULL, churn, disc), 0);
    for (int i = 0; i < 4; i++)
        pthread_join(thread[i], NULL);
    assert_true(under.most <= 10 * KIB);
    assert_int_equal(under.held, 0);
    assert_int_equal(vmdclimited(disc), 0);
    assert_int_equal(vmdcfree(disc), 0);
}

static void others_are_no_limit(void **state)
{
    counting_t under;

    (void)state;
    counting_init(&under);
    assert_int_equal(vmdclimited(&under.disc), 0);
    assert_int_equal(vmdclimited(NULL), 0);
    errno = 0;
    assert_null(vmdclimit(NULL, 0, 1, NULL, NULL));
    assert_int_equal(errno, EINVAL);
    under.disc.memoryf = NULL;
    assert_null(vmdclimit(&under.disc, 0, 1, NULL, NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(speaks_the_protocol),          cmocka_unit_test(keeps_the_hard_limit),
        cmocka_unit_test(counts_what_was_granted),      cmocka_unit_test(others_are_no_limit),
        cmocka_unit_test(warns_once_for_each_crossing), cmocka_unit_test(threads_together_keep_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
