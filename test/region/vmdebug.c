/* SPDX-License-Identifier: MIT */
#include "_bump.h"

#include <inttypes.h>
#include <unistd.h>

static void a_descriptor(void **state)
{
    (void)state;
    assert_int_equal(vmdebug(7), 2);
    assert_int_equal(vmdebug(-1), 7);
    assert_int_equal(vmdebug(2), -1);
}

static void faults_are_told(void **state)
{
    char line[400], expect[400];
    chk_t *c;
    Vmalloc_t *vm = bump_open(&c, 0);
    int fd[2], old;
    ssize_t n;

    (void)state;
    vmname(vm, "mine");
    assert_int_equal(pipe(fd), 0);
    old = vmdebug(fd[1]);
    bump_faults = 2;
    errno = 4711;
    assert_int_equal(vmdbcheck(vm), 2);
    assert_int_equal(errno, 4711);
    vmname(vm, "");
    vmmtfault(vm, NULL, "a sentence");
    bump_faults = 0;
    assert_int_equal(vmdbcheck(vm), 0);
    assert_int_equal(vmdbcheck(NULL), -1);
    vmdebug(old);
    n = read(fd[0], line, sizeof line - 1);
    line[n] = '\0';
    snprintf(expect, sizeof expect,
             "vmalloc(%ld): region mine: not as it should be at 0x%" PRIxPTR "\n"
             "vmalloc(%ld): region mine: not as it should be at 0x%" PRIxPTR "\n"
             "vmalloc(%ld): region 0x%" PRIxPTR ": a sentence\n",
             (long)getpid(), (uintptr_t)bump_of(vm)->at, (long)getpid(),
             (uintptr_t)bump_of(vm)->at, (long)getpid(), (uintptr_t)vm);
    assert_string_equal(line, expect);
    close(fd[0]);
    close(fd[1]);
    bump_close(vm, c);
}

static void watches(void **state)
{
    static char a[70];
    int i;

    (void)state;
    assert_int_equal(vmr_watched(a), 0);
    for (i = 0; i < 32; i++)
        assert_null(vmdbwatch(a + i));
    assert_null(vmdbwatch(a + 5)); /* there already */
    for (i = 0; i < 32; i++)
        assert_int_equal(vmr_watched(a + i), 1);
    assert_int_equal(vmr_watched(NULL), 0);
    for (i = 32; i < 70; i++)
        assert_ptr_equal(vmdbwatch(a + i), a + i - 32);
    assert_int_equal(vmr_watched(a + 37), 0);
    assert_int_equal(vmr_watched(a + 38), 1);
    assert_null(vmdbwatch(NULL));
    assert_int_equal(vmr_watched(a + 38), 0);
    assert_null(vmdbwatch(a));
    assert_int_equal(vmr_watched(a), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_descriptor),
        cmocka_unit_test(faults_are_told),
        cmocka_unit_test(watches),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
