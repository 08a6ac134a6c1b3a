/* SPDX-License-Identifier: MIT */
#include "support/counting.h"
#include "support/protocol.h"
#include "discipline_tables.h"
#include "made.h"
#include <vmalloc/discipline.h>

static void refused(Vmdisc_t *disc)
{
    errno = 0;
    assert_int_equal(vmdcfree(disc), -1);
    assert_int_equal(errno, EINVAL);
}

static void only_what_was_made_is_freed(void **state)
{
    Vmdisc_t plain = {vmdc_heap.memoryf, NULL, 0, 0};
    struct {
        Vmdiscmore_t more;
        char own[256];
    } larger = {{{vmdc_heap.memoryf, NULL, 0, sizeof larger}, VM_DCMORE, 0, 0, NULL, NULL, NULL, NULL},
                ""};
    counting_t own;

    (void)state;
    refused(NULL);
    refused(&plain);
    refused(&vmdc_system);
    refused(&vmdc_heap);
    refused(&larger.more.disc);
    refused(&counting_init(&own)->disc);
}

static void a_copy_is_not_the_original(void **state)
{
    char copy[1024] __attribute__((aligned(16)));
    Vmdisc_t *disc = vmdcguard();

    (void)state;
    assert_true(disc->size <= sizeof copy);
    memcpy(copy, disc, disc->size);
    refused((Vmdisc_t *)copy);
    errno = 0;
    assert_int_equal(vmdcfree(disc), 0);
    assert_int_equal(errno, 0);
}

static void each_kind_is_freed(void **state)
{
    static char buffer[4096];
    Vmdisc_t *made[] = {vmdcfixed(buffer, sizeof buffer),
                        vmdchuge(0, VM_HUGEANY),
                        vmdclimit(&vmdc_system, 0, 1, NULL, NULL),
                        vmdcguard(),
                        vmdcfail(&vmdc_system, 0, 0, 0, 0),
                        vmdclog(&vmdc_system, 2),
                        vmdcderive(vmr_heap(), 0, 1)};

    (void)state;
    for (size_t i = 0; i < sizeof made / sizeof *made; i++) {
        assert_non_null(made[i]);
        assert_ptr_equal(((Vmdiscmore_t *)made[i])->tag, VM_DCMORE);
        assert_int_equal(vmdcfree(made[i]), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_what_was_made_is_freed),
        cmocka_unit_test(a_copy_is_not_the_original),
        cmocka_unit_test(each_kind_is_freed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
