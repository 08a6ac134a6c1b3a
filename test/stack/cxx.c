/* SPDX-License-Identifier: MIT */
/* The walker on code of C++. */
#include "_test.h"

#ifdef HAVE_CXX

extern void cxx_call(void (*f)(void));

static void *pcs[64];
static size_t n;

static void take(void)
{
    n = vmsk_capture(pcs, 64, 0);
    STAY();
}

int main(void);
FRAME static void in_a_handler(void **state)
{
    (void)state;
    cxx_call(take);
    assert_in(pcs[0], take);
    assert_true(ENTRY_IN(pcs, n, 1, cxx_call) >= 3);
    assert_true(ENTRY_IN(pcs, n, 1, cxx_call) < ENTRY_IN(pcs, n, 1, in_a_handler));
    ENTRY_IN(pcs, n, 1, main);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(in_a_handler)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#else

int main(void)
{
    return 77;
}

#endif
