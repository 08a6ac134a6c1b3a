/* SPDX-License-Identifier: MIT */
/* Vmdebug's fences, quarantine and registry: what is found, as what, and that nothing else is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <vmalloc.h>
#include <vmalloc/method.h>

#include "method/_debug.h"

static Vmalloc_t *vm;

static int setup(void **state)
{
    (void)state;
    errors_begin();
    vm = vmopen(Vmdcsystem, Vmdebug, 0);
    return vm == NULL;
}

static int teardown(void **state)
{
    (void)state;
    return vmclose(vm);
}

static void test_each_byte_behind_and_before_a_block_is_watched(void **state)
{
    (void)state;
    for (size_t size = 0; size < 300; size += size < 40 ? 1 : 37) {
        for (int at = -16; at < 8; at++) {
            char *p = vmalloc(vm, size), *bad = at < 0 ? p + at : p + size + at;
            assert_non_null(p);
            memset(p, 1, size);
            *bad = (char)(*bad + 1);
            assert_int_equal(errors_since(), 0);
            assert_int_equal(vmfree(vm, p), 0);
            assert_int_equal(errors_since(), 1);
        }
    }
}

static void test_writing_only_what_was_asked_for_is_no_error(void **state)
{
    (void)state;
    for (size_t size = 0; size < 5000; size = size * 5 / 4 + 1) {
        char *p = vmalloc(vm, size), *q = vmalign(vm, size + 1, 256);
        memset(p, 255, size);
        memset(q, 0, size + 1);
        assert_int_equal(vmsize(vm, p), size);
        assert_int_equal((uintptr_t)q % 256, 0);
        p = vmresize(vm, p, 2 * size + 1, VM_RSMOVE | VM_RSCOPY);
        memset(p, 7, 2 * size + 1);
        p = vmresize(vm, p, size / 2 + 1, VM_RSMOVE | VM_RSCOPY);
        memset(p, 9, size / 2 + 1);
        assert_int_equal(vmfree(vm, p), 0);
        assert_int_equal(vmfree(vm, q), 0);
    }
    assert_int_equal(vmdbcheck(vm), 0);
    assert_int_equal(errors_since(), 0);
}

static void test_a_double_free_is_known_at_once_and_much_later(void **state)
{
    char *p = vmalloc(vm, 100), *q = vmalloc(vm, 100);
    (void)state;
    assert_int_equal(vmfree(vm, p), 0);
    assert_int_equal(vmfree(vm, p), -1);
    assert_int_equal(errors_since(), 1);
    assert_non_null(strstr(errors_text(), "double free"));
    assert_int_equal(vmfree(vm, q), 0);
    for (int i = 0; i < 20000; i++)
        assert_int_equal(vmfree(vm, vmalloc(vm, 64)), 0);
    assert_int_equal(vmfree(vm, q), -1);
    assert_non_null(strstr(errors_text(), "double free"));
}

static void test_writing_to_a_freed_block_shows(void **state)
{
    char *p = vmalloc(vm, 100);
    (void)state;
    assert_int_equal(vmfree(vm, p), 0);
    p[50] = 0;
    assert_int_equal(vmdbcheck(vm), 1);
    assert_int_equal(errors_since(), 1);
    assert_int_equal(vmdbcheck(vm), 1); /* counted again, told once */
    assert_int_equal(errors_since(), 0);
}

/* Its pages may be hidden only where who runs into them is told so. */
static void test_a_large_freed_block_is_no_trap_where_faults_are_not_caught(void **state)
{
    size_t size = (size_t)1 << 19;
    volatile char *p = vmalloc(vm, size);
    (void)state;
    assert_non_null(p);
    assert_int_equal(vmfree(vm, (char *)p), 0);
    assert_int_equal((unsigned char)p[size / 2], VMDG_FREEDBYTE);
    assert_int_equal(vmdbcheck(vm), 0);
    p[size / 2] = 0;
    assert_int_equal(vmdbcheck(vm), 1);
    assert_int_equal(errors_since(), 1);
}

static void test_addresses_that_are_no_blocks_are_told_apart(void **state)
{
    static char data[64];
    char local[64], *p = vmalloc(vm, 1000);
    Vmalloc_t *other = vmopen(Vmdcheap, Vmdebug, 0);
    (void)state;
    errno = 0;
    assert_int_equal(vmfree(vm, p + 1), -1);
    assert_int_equal(errno, EINVAL);
    assert_non_null(strstr(errors_text(), "inside"));
    assert_int_equal(vmfree(vm, p + 512), -1);
    assert_non_null(strstr(errors_text(), "inside"));
    assert_int_equal(vmfree(vm, local + 8), -1);
    assert_non_null(strstr(errors_text(), "stack"));
    assert_int_equal(vmfree(vm, data + 8), -1);
    assert_non_null(strstr(errors_text(), "static data"));
    assert_int_equal(vmfree(vm, (void *)16), -1);
    assert_non_null(strstr(errors_text(), "small number"));
    assert_int_equal(vmfree(other, p), -1);
    assert_non_null(strstr(errors_text(), "wrong region"));
    assert_null(vmresize(vm, data, 10, VM_RSMOVE));
    assert_int_equal(errors_since(), 7);
    assert_int_equal(vmfree(vm, p), 0);
    assert_int_equal(vmclose(other), 0);
    assert_int_equal(errors_since(), 0);
}

static void test_what_went_with_its_region_is_told_so(void **state)
{
    Vmalloc_t *r = vmopen(Vmdcheap, Vmdebug, 0);
    char *p = vmalloc(r, 10), *q = vmalloc(r, 10);
    (void)state;
    assert_int_equal(vmfree(r, q), 0);
    assert_int_equal(vmclear(r), 0);
    assert_int_equal(vmfree(r, p), -1);
    assert_non_null(strstr(errors_text(), "cleared or closed"));
    p = vmalloc(r, 10);
    assert_int_equal(vmclose(r), 0);
    assert_int_equal(errors_since(), 1);
    assert_int_equal(vmfree(vm, p), -1);
    assert_non_null(strstr(errors_text(), "cleared or closed"));
    assert_int_equal(vmclose(r), -1);
    assert_non_null(strstr(errors_text(), "closed"));
    assert_null(vmalloc(r, 10));
    assert_int_equal(errors_since(), 3);
}

static void test_methods_with_rules_of_their_own(void **state)
{
    Vmalloc_t *r = vmopen(Vmdcheap, vmover(Vmdebug, Vmlast), 0);
    char *p = vmalloc(r, 50), *q = vmalloc(r, 50);
    (void)state;
    assert_int_equal(vmfree(r, p), -1);
    assert_non_null(strstr(errors_text(), "cannot be freed"));
    assert_int_equal(vmfree(r, q), 0);
    assert_int_equal(vmclose(r), 0);
    assert_int_equal(errors_since(), 1);
    r = vmopen(Vmdcheap, vmover(Vmdebug, Vmpool), VM_SINGLE);
    assert_non_null(vmalloc(r, 50));
    assert_non_null(vmalloc(r, 50));
    assert_int_equal(errors_since(), 0);
    assert_null(vmalloc(r, 51));
    assert_non_null(strstr(errors_text(), "one size"));
    assert_int_equal(vmclose(r), 0);
}

static void test_sizes_that_cannot_be_meant(void **state)
{
    (void)state;
    errno = 0;
    assert_null(vmalloc(vm, SIZE_MAX - 7));
    assert_int_equal(errno, ENOMEM);
    assert_non_null(strstr(errors_text(), "overflow"));
}

static int counted(Vmalloc_t *v, Void_t *addr, size_t size, int busy, Void_t *handle)
{
    size_t *n = handle;
    (void)v, (void)addr;
    n[0] += busy != 0;
    n[1] += busy ? size : 0;
    return 0;
}

static void test_statistics_are_of_what_the_program_has(void **state)
{
    size_t n[2] = {0, 0};
    Vmstat_t st;
    char *p = vmalloc(vm, 1000);
    (void)state;
    assert_non_null(vmalloc(vm, 10));
    assert_non_null(vmalloc(vm, 0));
    assert_int_equal(vmfree(vm, p), 0);
    assert_int_equal(vmstat(vm, &st), 0);
    assert_int_equal(st.n_busy, 2);
    assert_int_equal(st.s_busy, 10);
    assert_int_equal(st.m_busy, 10);
    assert_int_equal(vmblkwalk(vm, counted, n), 0);
    assert_int_equal(n[0], 2);
    assert_int_equal(n[1], 10);
    assert_int_equal(vmaddr(vm, p), -1);
}

static void test_resizing_moves_only_where_it_may(void **state)
{
    char *p = vmalloc(vm, 100), *q;
    (void)state;
    strcpy(p, "text");
    assert_ptr_equal(vmresize(vm, p, 50, VM_RSMOVE | VM_RSCOPY), p);
    assert_int_equal(vmsize(vm, p), 50);
    p[50]++;
    assert_int_equal(vmdbcheck(vm), 1);
    assert_int_equal(errors_since(), 1);
    p[50]--;
    q = vmresize(vm, p, 200, VM_RSMOVE | VM_RSCOPY | VM_RSZERO);
    assert_ptr_not_equal(p, q);
    assert_string_equal(q, "text");
    for (int i = 50; i < 200; i++)
        assert_int_equal(q[i], 0);
    assert_int_equal(vmfree(vm, p), -1);
    assert_int_equal(errors_since(), 1);
}

int main(void)
{
#define EACH(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        EACH(test_each_byte_behind_and_before_a_block_is_watched),
        EACH(test_writing_only_what_was_asked_for_is_no_error),
        EACH(test_a_double_free_is_known_at_once_and_much_later),
        EACH(test_writing_to_a_freed_block_shows),
        EACH(test_a_large_freed_block_is_no_trap_where_faults_are_not_caught),
        EACH(test_addresses_that_are_no_blocks_are_told_apart),
        EACH(test_what_went_with_its_region_is_told_so),
        EACH(test_methods_with_rules_of_their_own),
        EACH(test_sizes_that_cannot_be_meant),
        EACH(test_statistics_are_of_what_the_program_has),
        EACH(test_resizing_moves_only_where_it_may),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
