/* SPDX-License-Identifier: MIT */
#include "support/counting.h"
#include "support/protocol.h"
#include <fcntl.h>
#include <stdio.h>
#include <vmalloc/discipline.h>

static counting_t under;
static Vmdisc_t *disc;
static int fd[2];

static int setup(void **state)
{
    (void)state;
    if (pipe(fd) < 0)
        return -1;
    disc = vmdclog(&counting_init(&under)->disc, fd[1]);
    return disc ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    close(fd[0]);
    close(fd[1]);
    return vmdcfree(disc);
}

/* One write of one line: what a read of the pipe gets. */
static void line_is(const char *rest)
{
    char line[512], want[512];
    ssize_t n = read(fd[0], line, sizeof line - 1);

    assert_true(n > 0);
    line[n] = '\0';
    snprintf(want, sizeof want, "vmlog: %ld 0x%" PRIxPTR " %s\n", (long)getpid(),
             (uintptr_t)&protocol_vm, rest);
    assert_string_equal(line, want);
}

static const char *text(const char *name, const void *addr, size_t csize, size_t nsize,
                        const void *result)
{
    static char line[256];

    snprintf(line, sizeof line, "%s 0x%" PRIxPTR " %zu %zu -> 0x%" PRIxPTR, name, (uintptr_t)addr, csize,
             nsize, (uintptr_t)result);
    return line;
}

static void requests_are_told(void **state)
{
    char *a = ask(disc, NULL, 0, 4096);

    (void)state;
    line_is(text("get", NULL, 0, 4096, a));
    assert_ptr_equal(ask(disc, a, 4096, 8192), a);
    line_is(text("grow", a, 4096, 8192, a));
    assert_ptr_equal(ask(disc, a, 8192, 16), a);
    line_is(text("shrink", a, 8192, 16, a));
    under.refuse = 1;
    assert_null(ask(disc, a, 16, 0));
    line_is(text("release", a, 16, 0, NULL));
    under.refuse = 0;
    assert_ptr_equal(ask(disc, a, 16, 0), a);
    line_is(text("release", a, 16, 0, a));
}

static void events_are_told_by_name(void **state)
{
    static const struct {
        int type;
        const char *name;
    } known[] = {{VM_OPEN, "VM_OPEN"},   {VM_ENDOPEN, "VM_ENDOPEN"},
                 {VM_CLOSE, "VM_CLOSE"}, {VM_ENDCLOSE, "VM_ENDCLOSE"},
                 {VM_DISC, "VM_DISC"},   {VM_BADADDR, "VM_BADADDR"},
                 {17, "event 17"},       {-5, "event -5"}};
    char line[256];

    (void)state;
    under.answer = -3;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        assert_int_equal(tell(disc, known[i].type, &under), -3);
        assert_int_equal(under.type, known[i].type);
        assert_ptr_equal(under.obj, &under);
        snprintf(line, sizeof line, "%s 0x%" PRIxPTR " -> -3", known[i].name, (uintptr_t)&under);
        line_is(line);
    }
    assert_int_equal(tell(disc, VM_NOMEM, (void *)12345), -3);
    line_is("VM_NOMEM 12345 -> -3");
}

static void writing_changes_no_errno(void **state)
{
    Vmdisc_t *deaf = vmdclog(&under.disc, 999);
    char *a;

    (void)state;
    errno = 0;
    a = ask(deaf, NULL, 0, 4096);
    assert_non_null(a);
    assert_int_equal(errno, 0);
    assert_ptr_equal(ask(deaf, a, 4096, 0), a);
    assert_int_equal(vmdcfree(deaf), 0);
    assert_null(vmdclog(&under.disc, -1));
    assert_int_equal(errno, EINVAL);
    assert_null(vmdclog(NULL, 2));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(requests_are_told, setup, teardown),
        cmocka_unit_test_setup_teardown(events_are_told_by_name, setup, teardown),
        cmocka_unit_test_setup_teardown(writing_changes_no_errno, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
