/* SPDX-License-Identifier: MIT */
#include "support/protocol.h"
#include "os.h"
#include <vmalloc/discipline.h>

static void speaks_the_protocol(void **state)
{
    Vmdisc_t *disc = vmdcguard();

    (void)state;
    protocol_nonsense(disc);
    protocol_life(disc, vmos_pagesize(), 1);
    protocol_life(disc, 127 * 16, 1);
    protocol_toomuch(disc, vmos_pagesize());
    assert_int_equal(vmdcfree(disc), 0);
}

static void both_sides_are_guarded(void **state)
{
    Vmdisc_t *disc = vmdcguard();
    size_t page = vmos_pagesize(), sizes[] = {page, 3 * page, 127 * 16, 16, page + 16};

    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        size_t slack = -sizes[i] & (page - 1);
        char *seg = ask(disc, NULL, 0, sizes[i]);

        assert_int_equal((uintptr_t)seg % VM_ALIGN, 0);
        assert_true(readable(seg) && readable(seg + sizes[i] - 1));
        assert_false(readable(seg + sizes[i]));
        assert_false(readable(seg + sizes[i] + page - 1));
        assert_false(readable(seg - slack - 1));
        assert_false(readable(seg - slack - page));
        assert_null(ask(disc, seg, sizes[i], sizes[i] + page));
        assert_ptr_equal(ask(disc, seg, sizes[i], 0), seg);
        assert_false(readable(seg));
    }
    assert_int_equal(vmdcfree(disc), 0);
}

/* Sizes that are no multiple of VM_ALIGN leave less than that before the guard. */
static void alignment_is_kept(void **state)
{
    Vmdisc_t *disc = vmdcguard();

    (void)state;
    for (size_t size = 1; size < 40; size++) {
        char *seg = ask(disc, NULL, 0, size);

        assert_int_equal((uintptr_t)seg % VM_ALIGN, 0);
        assert_false(readable(seg + ((size + VM_ALIGN - 1) & ~(size_t)(VM_ALIGN - 1))));
        assert_ptr_equal(ask(disc, seg, size, 0), seg);
    }
    assert_int_equal(vmdcfree(disc), 0);
}

static void shrinking_moves_the_guard(void **state)
{
    Vmdisc_t *disc = vmdcguard();
    size_t page = vmos_pagesize(), size = 4 * page + 32;
    char *seg = ask(disc, NULL, 0, size);

    (void)state;
    memset(seg, 'a', size);
    assert_null(ask(disc, seg, size, size - 16));
    assert_ptr_equal(ask(disc, seg, size, size), seg);
    assert_ptr_equal(ask(disc, seg, size, size - page), seg);
    assert_ptr_equal(ask(disc, seg, size - page, size - 4 * page), seg);
    assert_true(all(seg, 'a', 32));
    assert_false(readable(seg + 32));
    assert_ptr_equal(ask(disc, seg, 32, 0), seg);
    assert_int_equal(vmdcfree(disc), 0);
}

static void purge_leaves_the_edges(void **state)
{
    Vmdisc_t *disc = vmdcguard();
    Vmdiscmore_t *more = (Vmdiscmore_t *)disc;
    size_t page = vmos_pagesize();
    char *seg = ask(disc, NULL, 0, page + 16);

    (void)state;
    memset(seg, 'a', page + 16);
    assert_int_equal(more->purgef(&protocol_vm, seg, page + 16, disc), 0);
    assert_true(all(seg, 'a', 16));
    assert_true(all(seg + 16, 0, page));
    assert_ptr_equal(ask(disc, seg, page + 16, 0), seg);
    assert_int_equal(vmdcfree(disc), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(speaks_the_protocol),    cmocka_unit_test(both_sides_are_guarded),
        cmocka_unit_test(alignment_is_kept),      cmocka_unit_test(shrinking_moves_the_guard),
        cmocka_unit_test(purge_leaves_the_edges),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
