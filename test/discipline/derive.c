/* SPDX-License-Identifier: MIT */
#include "support/protocol.h"
#include "region.h"

static void speaks_the_protocol(void **state)
{
    (void)state;
    for (int heap = 0; heap <= 1; heap++) {
        Vmdisc_t *disc = vmdcderive(vmr_heap(), 4096, heap);

        assert_non_null(disc);
        assert_int_equal(disc->round, 4096);
        protocol_nonsense(disc);
        protocol_life(disc, 4096, 0);
        protocol_toomuch(disc, 4096);
        assert_int_equal(vmdcfree(disc), 0);
    }
}

static void stays_and_goes_with_its_region(void **state)
{
    Vmdisc_t *disc = vmdcderive(vmr_heap(), 0, 1);

    (void)state;
    assert_int_equal(disc->round, 0);
    assert_int_equal(tell(disc, VM_OPEN, NULL), 0);
    assert_int_equal(tell(disc, VM_ENDOPEN, NULL), 0);
    assert_int_equal(tell(disc, VM_NOMEM, NULL), 0);
    assert_true(tell(disc, VM_DISC, NULL) != 0);
    assert_int_equal(tell(disc, VM_CLOSE, (void *)1), 0);
    assert_int_equal(tell(disc, VM_ENDCLOSE, NULL), 0); /* frees it */
}

static void bad_arguments_are_refused(void **state)
{
    (void)state;
    errno = 0;
    assert_null(vmdcderive(NULL, 0, 0));
    assert_int_equal(errno, EINVAL);
    assert_null(vmdcderive(NULL, 0, 1));
    errno = 0;
    assert_null(vmdcderive(vmr_heap(), -1, 0));
    assert_int_equal(errno, EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(speaks_the_protocol),
        cmocka_unit_test(stays_and_goes_with_its_region),
        cmocka_unit_test(bad_arguments_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
