/* SPDX-License-Identifier: MIT */
#include "support/protocol.h"
#include "discipline_tables.h"
#include "os.h"
#include <stdio.h>

static Vmdisc_t *const system_ = &vmdc_system;

static void object_is_plain(void **state)
{
    (void)state;
    assert_null(system_->exceptf);
    assert_int_equal(system_->round, 0);
    assert_int_equal(system_->size, sizeof(Vmdisc_t));
}

static void speaks_the_protocol(void **state)
{
    (void)state;
    protocol_nonsense(system_);
    protocol_life(system_, vmos_pagesize(), 1);
    protocol_life(system_, 127 * 16, 1);
    protocol_toomuch(system_, vmos_pagesize());
}

static void released_memory_is_gone(void **state)
{
    size_t page = vmos_pagesize();
    char *seg = ask(system_, NULL, 0, 2 * page + 1);

    (void)state;
    assert_true(readable(seg + 3 * page - 1));
    assert_ptr_equal(ask(system_, seg, 2 * page + 1, page - 1), seg);
    assert_true(readable(seg));
    assert_false(readable(seg + page));
    assert_ptr_equal(ask(system_, seg, page - 1, 0), seg);
    assert_false(readable(seg));
}

static void grows_back_cleared(void **state)
{
    size_t page = vmos_pagesize(), size = 8 * page;
    char *seg = ask(system_, NULL, 0, size);

    (void)state;
    memset(seg, 'a', size);
    assert_ptr_equal(ask(system_, seg, size, page + 127), seg);
    assert_ptr_equal(ask(system_, seg, page + 127, size), seg);
    assert_true(all(seg, 'a', page + 127));
    assert_true(all(seg + page + 127, 0, size - page - 127));
    assert_ptr_equal(ask(system_, seg, size, 0), seg);
}

static void never_grows_over_others(void **state)
{
    size_t page = vmos_pagesize();
    char *seg = ask(system_, NULL, 0, 2 * page);
    char *other;

    (void)state;
    assert_ptr_equal(ask(system_, seg, 2 * page, page), seg);
    other = vmos_mapat(seg + page, page, 0);
    assert_ptr_equal(other, seg + page);
    memset(other, 'o', page);
    assert_null(ask(system_, seg, page, page + 1));
    assert_ptr_equal(ask(system_, seg, page, page), seg);
    assert_ptr_equal(ask(system_, seg, page, 0), seg);
    assert_true(all(other, 'o', page));
    assert_int_equal(vmos_unmap(other, page), 0);
}

/* Multiples of lcm(127, 16): neighbours keep out of each other's pages whatever they do. */
static void odd_sizes_do_not_meet(void **state)
{
    enum { N = 32, UNIT = 127 * 16 };
    char *seg[N];
    size_t size[N];
    unsigned int random = 1;

    (void)state;
    for (int i = 0; i < N; i++) {
        size[i] = UNIT * (size_t)(1 + i % 7);
        seg[i] = ask(system_, NULL, 0, size[i]);
        memset(seg[i], i, size[i]);
    }
    for (int step = 0; step < 2000; step++) {
        int i = (int)((random = random * 1103515245u + 12345u) >> 16) % N;
        size_t to = UNIT * (size_t)((random >> 8) % 9);
        char *p = ask(system_, seg[i], size[i], to);

        assert_true(p == seg[i] || (p == NULL && to > size[i]));
        if (p && to == 0)
            seg[i] = ask(system_, NULL, 0, to = UNIT);
        if (p)
            memset(seg[i], i, size[i] = to);
        for (int j = 0; j < N; j++)
            assert_true(all(seg[j], j, size[j]));
    }
    for (int i = 0; i < N; i++)
        assert_ptr_equal(ask(system_, seg[i], size[i], 0), seg[i]);
}

static void purges_whole_pages(void **state)
{
    size_t page = vmos_pagesize();
    char *seg = ask(system_, NULL, 0, 4 * page);

    (void)state;
    memset(seg, 'a', 4 * page);
    assert_int_equal(vmdc_system_purge(NULL, seg + page, page, system_), 1);
    assert_true(all(seg, 'a', page));
    assert_true(all(seg + page, 0, page));
    assert_true(all(seg + 2 * page, 'a', 2 * page));
    assert_int_equal(vmdc_system_purge(NULL, seg + 1, 3 * page, system_), 0);
    assert_true(all(seg, 'a', page));
    assert_true(all(seg + page, 0, 2 * page));
    assert_true(all(seg + 3 * page, 'a', page));
    assert_int_equal(vmdc_system_purge(NULL, seg + 1, page, system_), -1);
    assert_int_equal(vmdc_system_purge(NULL, seg, 0, system_), -1);
    assert_ptr_equal(ask(system_, seg, 4 * page, 0), seg);
}

static int in_maps(const char *text)
{
    char line[512];
    FILE *f = fopen("/proc/self/maps", "r");
    int found = 0;

    while (f && !found && fgets(line, sizeof line, f))
        found = strstr(line, text) != NULL;
    if (f)
        fclose(f);
    return found;
}

static void mappings_are_named(void **state)
{
    size_t page = vmos_pagesize();
    char *probe = vmos_map(NULL, page, 0);
    char *seg = ask(system_, NULL, 0, page);

    (void)state;
    vmos_name(probe, page, "probe");
    if (in_maps("[anon:probe]"))
        assert_true(in_maps("[anon:vmalloc]"));
    assert_ptr_equal(ask(system_, seg, page, 0), seg);
    vmos_unmap(probe, page);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(object_is_plain),         cmocka_unit_test(speaks_the_protocol),
        cmocka_unit_test(released_memory_is_gone), cmocka_unit_test(grows_back_cleared),
        cmocka_unit_test(never_grows_over_others), cmocka_unit_test(odd_sizes_do_not_meet),
        cmocka_unit_test(purges_whole_pages),      cmocka_unit_test(mappings_are_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
