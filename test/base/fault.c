/* SPDX-License-Identifier: MIT */
/* Messages: one line, one write, errno as before. */
#include "_test.h"

static int ends[2];
static char text[2048];

/* What was written since; a packet pipe is not everywhere, so all of it. */
static const char *said(void)
{
    ssize_t n = read(ends[0], text, sizeof(text) - 1);
    text[n > 0 ? n : 0] = '\0';
    return text;
}

static int start(void **state)
{
    (void)state;
    if (pipe(ends) != 0)
        return -1;
    vmb_faultfd = ends[1];
    return 0;
}

static int stop(void **state)
{
    (void)state;
    vmb_faultfd = 2;
    close(ends[0]);
    close(ends[1]);
    return 0;
}

static void one_line(void **state)
{
    char want[100];
    (void)state;
    errno = 77;
    vmb_fault("region %s: block %p, %zu bytes", "tree", (void *)0x10, (size_t)5);
    assert_int_equal(errno, 77);
    snprintf(want, sizeof(want), "vmalloc(%d): region tree: block 0x10, 5 bytes\n", (int)getpid());
    assert_string_equal(said(), want);
}

static void long_lines_are_cut(void **state)
{
    static char many[1000];
    (void)state;
    memset(many, 'x', sizeof(many) - 1);
    vmb_fault("%s", many);
    said();
    assert_int_equal(strlen(text), 512);
    assert_int_equal(text[511], '\n');
    assert_int_equal(text[510], 'x');
}

static void silence(void **state)
{
    (void)state;
    errno = 77;
    vmb_faultfd = -1;
    vmb_fault("not told");
    vmb_faultfd = 9999; /* not open */
    vmb_fault("nor this");
    assert_int_equal(errno, 77);
    vmb_faultfd = ends[1];
    vmb_fault("told");
    assert_non_null(strstr(said(), "): told\n"));
    assert_null(strstr(text, "not"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(one_line, start, stop),
        cmocka_unit_test_setup_teardown(long_lines_are_cut, start, stop),
        cmocka_unit_test_setup_teardown(silence, start, stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
