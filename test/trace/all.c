/* SPDX-License-Identifier: MIT */
/* VM_TRALL: regions without VM_TRACE are in the trace, those too that were opened before it or after it. */
#include "_trace.h"

static void *allocate(Vmalloc_t *vm, size_t size)
{
    void *p = vmalloc(vm, size);
    assert_non_null(p);
    return p;
}

static char *traced(int flags)
{
    Vmalloc_t *before = vmopen(Vmdcheap, Vmbest, 0), *after;
    char *text;
    size_t size;
    test_begin();
    assert_int_equal(vmtracefile(test_path, flags), 0);
    allocate(before, 1111);
    after = vmopen(Vmdcheap, Vmlast, 0);
    allocate(after, 2222);
    assert_int_equal(vmtracefile(NULL, 0), 0);
    allocate(before, 3333);
    text = test_read(test_path, &size);
    test_end();
    vmclose(before);
    vmclose(after);
    return text;
}

static void test_all_regions(void **state)
{
    char *text = traced(VM_TRALL);
    (void)state;
    assert_non_null(strstr(text, ":1111:"));
    assert_non_null(strstr(text, ":2222:"));
    assert_null(strstr(text, ":3333:"));
    free(text);
}

static void test_without_it(void **state)
{
    char *text = traced(0);
    (void)state;
    assert_null(strstr(text, ":1111:"));
    assert_null(strstr(text, ":2222:"));
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_regions),
        cmocka_unit_test(test_without_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
