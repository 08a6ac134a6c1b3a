/* SPDX-License-Identifier: MIT */
#include "support/protocol.h"
#include <limits.h>
#include "os.h"
#include <vmalloc/discipline.h>

static void speaks_the_protocol(void **state)
{
    (void)state;
    for (int mode = VM_NUMABIND; mode <= VM_NUMAINTERLEAVE; mode++) {
        Vmdisc_t *disc;
        Vmdiscmore_t *more;

        errno = 0;
        disc = vmdcnuma(mode, 1);
        if (disc == NULL) { /* no NUMA here, or not for us */
            assert_int_not_equal(errno, 0);
            continue;
        }
        more = (Vmdiscmore_t *)disc;
        protocol_nonsense(disc);
        protocol_life(disc, vmos_pagesize(), 1);
        protocol_life(disc, 127 * 16, 1);
        protocol_toomuch(disc, vmos_pagesize());
        assert_true(more->flags & VM_DCZERO);
        assert_non_null(more->purgef);
        assert_int_equal(vmdcfree(disc), 0);
    }
}

static void bad_policies_are_refused(void **state)
{
    (void)state;
    errno = 0;
    assert_null(vmdcnuma(VM_NUMABIND, 0));
    assert_int_equal(errno, EINVAL);
    assert_null(vmdcnuma(-1, 1));
    assert_null(vmdcnuma(VM_NUMAINTERLEAVE + 1, 1));
    errno = 0;
    assert_null(vmdcnuma(VM_NUMABIND, ~(ULONG_MAX >> 1) >> 1)); /* no machine has node 62 or 30 alone */
    assert_int_not_equal(errno, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(speaks_the_protocol),
        cmocka_unit_test(bad_policies_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
