/* SPDX-License-Identifier: MIT */
#include "support/protocol.h"
#include <stdlib.h>
#include <vmalloc/discipline.h>

#define SIZE 4099

static void speaks_the_protocol(void **state)
{
    static char buffer[SIZE];
    Vmdisc_t *disc = vmdcfixed(buffer, sizeof buffer);

    (void)state;
    assert_int_equal(disc->round, VM_ALIGN);
    protocol_nonsense(disc);
    protocol_life(disc, 1024 - 16, 0);
    protocol_toomuch(disc, 1024);
    assert_int_equal(vmdcfree(disc), 0);
}

/* The one segment through growth to the last usable byte; the buffer has no byte around it. */
static void exhaust(Vmdisc_t *disc, const char *start, const char *end)
{
    size_t all = (size_t)(end - start) & ~(size_t)(VM_ALIGN - 1);
    char *seg = ask(disc, NULL, 0, 1024);

    assert_ptr_equal(seg, start);
    assert_true((uintptr_t)seg % VM_ALIGN == 0);
    assert_null(ask(disc, NULL, 0, 1024));
    assert_null(ask(disc, seg, 1024, all + VM_ALIGN));
    assert_ptr_equal(ask(disc, seg, 1024, all), seg);
    memset(seg, 'a', all);
    assert_null(ask(disc, seg, all, all + 1));
    assert_null(ask(disc, seg + 16, all, 0));
    assert_ptr_equal(ask(disc, seg, all, 2048), seg);
    assert_ptr_equal(ask(disc, seg, 2048, 0), seg);
    assert_ptr_equal(ask(disc, NULL, 0, all), seg); /* for the next region */
    assert_ptr_equal(ask(disc, seg, all, 0), seg);
    assert_null(ask(disc, NULL, 0, all + 1));
}

static char *aligned(char *p)
{
    return p + (-(uintptr_t)p & (VM_ALIGN - 1));
}

static void uses_all_of_a_buffer_at_any_address(void **state)
{
    (void)state;
    for (size_t odd = 0; odd <= VM_ALIGN; odd++) {
        char *raw = malloc(SIZE + odd), *buffer = raw + odd;
        Vmdisc_t *disc = vmdcfixed(buffer, SIZE);

        assert_non_null(disc);
        exhaust(disc, aligned(buffer), buffer + SIZE);
        assert_int_equal(vmdcfree(disc), 0);
        free(raw);
    }
}

static void can_live_in_the_buffer_itself(void **state)
{
    (void)state;
    for (size_t odd = 0; odd <= VM_ALIGN; odd++) {
        char *raw = malloc(SIZE + odd), *buffer = raw + odd;
        Vmdisc_t *disc = vmdcfixedin(buffer, SIZE);

        assert_ptr_equal(disc, aligned(buffer));
        exhaust(disc, aligned((char *)disc + disc->size), buffer + SIZE);
        assert_int_equal(vmdcfree(disc), 0);
        assert_int_equal(vmdcfree(disc), -1);
        free(raw);
    }
}

static void bad_buffers_are_refused(void **state)
{
    static char buffer[4096];

    (void)state;
    errno = 0;
    assert_null(vmdcfixed(NULL, 4096));
    assert_int_equal(errno, EINVAL);
    assert_null(vmdcfixed(buffer, 4095));
    assert_null(vmdcfixedin(NULL, 4096));
    assert_null(vmdcfixedin(buffer, 4095));
    assert_null(vmdcfixedin(buffer, 0));
    assert_non_null(vmdcfixedin(buffer, 4096));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(speaks_the_protocol),
        cmocka_unit_test(uses_all_of_a_buffer_at_any_address),
        cmocka_unit_test(can_live_in_the_buffer_itself),
        cmocka_unit_test(bad_buffers_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
