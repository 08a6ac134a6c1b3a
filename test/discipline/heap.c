/* SPDX-License-Identifier: MIT */
#include "support/protocol.h"
#include "discipline_tables.h"

static Vmdisc_t *const heap = &vmdc_heap;

static void object_is_plain(void **state)
{
    (void)state;
    assert_null(heap->exceptf);
    assert_int_equal(heap->round, 0);
    assert_int_equal(heap->size, sizeof(Vmdisc_t));
}

static void speaks_the_protocol(void **state)
{
    (void)state;
    protocol_nonsense(heap);
    protocol_life(heap, 4096, 0);
    protocol_life(heap, 127 * 16, 0);
    protocol_toomuch(heap, 4096);
}

/* Programs put its memoryf into disciplines of their own. */
static void memoryf_ignores_its_discipline(void **state)
{
    Vmdisc_t copy = {heap->memoryf, NULL, 127, 0};
    char *seg;

    (void)state;
    protocol_life(&copy, 4096, 0);
    seg = heap->memoryf(&protocol_vm, NULL, 0, 4096, NULL);
    assert_non_null(seg);
    assert_ptr_equal(heap->memoryf(NULL, seg, 4096, 0, NULL), seg);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(object_is_plain),
        cmocka_unit_test(speaks_the_protocol),
        cmocka_unit_test(memoryf_ignores_its_discipline),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
