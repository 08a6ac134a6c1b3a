/* SPDX-License-Identifier: MIT */
/* Runs the tests of a program one after the other; see cmocka.h.  A group's or a test's setup and
 * teardown fail by returning something else than 0, as tests do by longjmp(). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "cmocka.h"

enum { PASSED, FAILED, SKIPPED };

static jmp_buf out; /* of the test that runs */
static int running;
static const char *filter;

void print_message(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vprintf(format, args);
    va_end(args);
    fflush(stdout);
}

void print_error(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
}

static void leave(int how)
{
    if (running)
        longjmp(out, how);
}

static void failed(const char *what, const char *file, int line)
{
    print_error("\n%s:%d: error: %s\n", file, line, what);
    leave(FAILED);
}

void _fail(const char *file, int line)
{
    failed("it fails", file, line);
}

void check_true(int is, const char *what, const char *file, int line)
{
    if (!is)
        failed(what, file, line);
}

void check_equal(uintmax_t a, uintmax_t b, int equal, const char *what, const char *file, int line)
{
    if ((a == b) == equal)
        return;
    print_error("%#jx, %#jx", a, b);
    failed(what, file, line);
}

void check_string(const char *a, const char *b, int equal, const char *what, const char *file,
                  int line)
{
    if ((strcmp(a, b) == 0) == equal)
        return;
    print_error("\"%s\", \"%s\"", a, b);
    failed(what, file, line);
}

void check_memory(const void *a, const void *b, size_t n, const char *what, const char *file,
                  int line)
{
    if (memcmp(a, b, n) != 0)
        failed(what, file, line);
}

void check_range(uintmax_t v, uintmax_t low, uintmax_t high, const char *what, const char *file,
                 int line)
{
    if (low <= v && v <= high)
        return;
    print_error("%ju is not in %ju..%ju", v, low, high);
    failed(what, file, line);
}

void check_skip(const char *file, int line)
{
    print_message("%s:%d: skipped\n", file, line);
    longjmp(out, SKIPPED);
}

/* '*' stands for any characters, '?' for one. */
static int matches(const char *pattern, const char *name)
{
    if (*pattern == '*')
        return matches(pattern + 1, name) || (*name && matches(pattern, name + 1));
    if (*pattern == 0 || *name == 0)
        return *pattern == *name;
    return (*pattern == '?' || *pattern == *name) && matches(pattern + 1, name + 1);
}

void cmocka_set_test_filter(const char *pattern)
{
    filter = pattern;
}

static int run(const struct CMUnitTest *t, void **state)
{
    volatile int how = PASSED;
    int jumped = setjmp(out);
    running = 1;
    if (jumped)
        how = jumped;
    else if (t->setup_func && t->setup_func(state) != 0)
        how = FAILED;
    else
        t->test_func(state);
    running = 0;
    if (t->teardown_func && t->teardown_func(state) != 0)
        how = FAILED;
    return how;
}

int _cmocka_run_group_tests(const char *name, const struct CMUnitTest *tests, size_t n,
                            int (*setup)(void **state), int (*teardown)(void **state))
{
    static const char *const word[] = {"      OK", "  FAILED", " SKIPPED"};
    void *common = NULL, *own;
    size_t count[3] = {0, 0, 0}, i;
    if (setup && setup(&common) != 0)
        return 1;
    for (i = 0; i < n; i++) {
        int how;
        if (filter && !matches(filter, tests[i].name))
            continue;
        print_message("[ RUN      ] %s\n", tests[i].name);
        own = tests[i].initial_state ? tests[i].initial_state : common;
        how = run(&tests[i], &own);
        count[how]++;
        print_message("[ %s ] %s\n", word[how], tests[i].name);
    }
    print_message("[==========] %s: %zu passed, %zu failed, %zu skipped\n", name, count[PASSED],
                  count[FAILED], count[SKIPPED]);
    if (teardown && teardown(&common) != 0)
        return 1;
    return count[FAILED] != 0;
}
