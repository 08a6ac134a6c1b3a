/* SPDX-License-Identifier: MIT */
/* What must work before libc has set itself up: called from the first functions that a program
 * runs at all, .preinit_array, which precede every constructor. */
#include "_test.h"

#if defined(__linux__)

static char found[64];
static int locked;

static void first(void)
{
    static vmos_lock_t lk;
    const char *value = vmos_getenv("VMOS_EARLY");
    if (value != NULL)
        strncpy(found, value, sizeof(found) - 1);
    vmos_lock(&lk);
    locked = vmos_lockedbyme(&lk);
    vmos_unlock(&lk);
    if (vmos_pagesize() < 4096 || vmos_cpus() < 1 || vmos_random() == 0 || vmos_nanotime() == 0)
        locked = 0;
}

#ifdef __GLIBC__
#define FIRST ".preinit_array"
#else /* musl has none in programs that load libraries */
#define FIRST ".init_array"
#endif
__attribute__((section(FIRST), used)) static void (*const early)(void) = first;

static void works_early(void **state)
{
    (void)state;
    assert_string_equal(found, "value");
    assert_true(locked);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(works_early)};
    if (argc > 0 && getenv("VMOS_EARLY") == NULL) {
        setenv("VMOS_EARLY", "value", 1);
        execv(argv[0], argv);
        return 77;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#else

int main(void)
{
    return 77;
}

#endif
