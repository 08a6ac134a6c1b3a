/* SPDX-License-Identifier: MIT */
/*
 * Looks that are left out when the process had no fault: whether that was so is asked as long as it is cheaper than a
 * look, and every fault is told of; what a look costs is set here, so that no clock decides.
 */
#include "_test.h"

#include "image.h"

static uint64_t faults, asked;
static int slowly;
uint64_t __wrap_vmos_faults(void);
uint64_t __wrap_vmos_faults(void)
{
    asked++;
    if (slowly)
        usleep(1000); /* at the least */
    return faults;
}

static vmi_t img;

static void begin(uint64_t lookcost)
{
    memset(&img, 0, sizeof img);
    img.calm = img.counted = 1;
    img.lookcost = lookcost;
    faults = 5;
    asked = 0;
}

static void each_fault_is_told(void **state)
{
    (void)state;
    begin(UINT64_MAX);
    slowly = 0;
    assert_false(vmi_calm(&img)); /* not asked before */
    for (int k = 0; k < 500; k++) {
        assert_true(vmi_calm(&img));
        faults++;
        assert_false(vmi_calm(&img));
    }
    assert_int_equal(asked, 1001);
    img.calm = 0;
    assert_false(vmi_calm(&img));
    img.calm = 1;
    assert_false(vmi_calm(&img)); /* there may have been some meanwhile */
    assert_true(vmi_calm(&img));
    faults = 0;
    assert_false(vmi_calm(&img));
    assert_false(vmi_calm(&img));
}

static void what_is_dear_is_not_asked(void **state)
{
    int looks = 0;
    (void)state;
    begin(1000); /* ns */
    slowly = 1;
    for (int k = 0; k < 1000; k++)
        looks += !vmi_calm(&img);
    assert_int_equal(asked, 48); /* three were timed, of 16 each */
    assert_int_equal(looks, 1000 - 47);
    assert_int_equal(img.lookcost, 0);
    for (int k = 0; k < 64; k++)
        vmi_calm_looked(&img, vmi_calm_look(&img));
    assert_true(img.lookcost != 0);
    img.lookcost = UINT64_MAX; /* a look has become dearer: asked again, when its time has come */
    for (int k = 0; k < 200; k++)
        vmi_calm(&img);
    assert_true(vmi_calm(&img));
    assert_in_range(asked, 49, 48 + 201);
    slowly = 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_fault_is_told),
        cmocka_unit_test(what_is_dear_is_not_asked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
