/* SPDX-License-Identifier: MIT */
/* The book of blocks and their sizes: what is entered is found until it is dropped, newest first. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "checker.h"

#define MANY 100000

static char place[MANY * 16];

static void *at(size_t i)
{
    return place + i * 16;
}

static void test_found_until_dropped(void **state)
{
    Vmethod_t plain = *Vmbest;
    vmck_region_t *r = vmck_add((const Vmdata_t *)(const void *)place, &plain);
    vmck_region_t *other = vmck_add((const Vmdata_t *)(const void *)(place + 16), &plain);
    size_t i;

    (void)state;
    assert_ptr_equal(vmck_region((const Vmdata_t *)(const void *)place), r);
    assert_null(vmck_region((const Vmdata_t *)(const void *)(place + 32)));
    for (i = 0; i < MANY; i++)
        assert_int_equal(vmck_note(i % 2 ? r : other, at(i), i), 0);
    for (i = 0; i < MANY; i++) {
        assert_int_equal(vmck_size(i % 2 ? r : other, at(i)), (long)i);
        assert_int_equal(vmck_size(i % 2 ? other : r, at(i)), -1);
    }
    for (i = 0; i < MANY; i += 3)
        assert_int_equal(vmck_drop(i % 2 ? r : other, at(i)), 1);
    for (i = 0; i < MANY; i++)
        assert_int_equal(vmck_size(i % 2 ? r : other, at(i)), i % 3 == 0 ? -1 : (long)i);
    assert_int_equal(vmck_drop(r, at(3)), 0);
    vmck_resize(r, at(1), 77);
    assert_int_equal(vmck_size(r, at(1)), 77);
    vmck_remove(r);
    assert_null(vmck_region((const Vmdata_t *)(const void *)place));
    assert_int_equal(vmck_size(other, at(4)), 4);
    vmck_remove(other);
}

static void test_newest_first(void **state)
{
    Vmethod_t plain = *Vmlast;
    vmck_region_t *r = vmck_add((const Vmdata_t *)(const void *)place, &plain);
    size_t size, i;

    (void)state;
    assert_null(vmck_newest(r, &size));
    for (i = 0; i < 10; i++)
        vmck_note(r, at(i), i + 1);
    vmck_drop(r, at(9));
    vmck_drop(r, at(5));
    for (i = 8; i < 9; i--)
        if (i != 5) {
            assert_ptr_equal(vmck_newest(r, &size), at(i));
            assert_int_equal(size, i + 1);
            vmck_drop(r, at(i));
        }
    assert_null(vmck_newest(r, &size));
    vmck_remove(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_found_until_dropped),
        cmocka_unit_test(test_newest_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
