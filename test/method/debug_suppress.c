/* SPDX-License-Identifier: MIT */
/* Suppressions: what the reader of rules understands, what they apply to, and that no text harms it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "report.h"

static int parse(const char *text)
{
    unsigned line;
    return vmdg_suppress_parse(text, strlen(text), &line);
}

static int setup(void **state)
{
    (void)state;
    vmdg_suppress_reset();
    return 0;
}

static const vmdg_trace_t trace = {
    .n = 4,
    .frame = {
        {.function = "release", .file = "/src/one/release.c", .line = 12, .object = "/lib/libone.so"},
        {.function = "list<int>::clear()", .file = "", .object = "/lib/libone.so"},
        {.function = "", .file = "", .object = "/usr/lib/libtwo.so.3"},
        {.function = "main", .file = "main.c", .line = 7, .object = "/bin/prog"},
    },
};

static int applies(const char *text, vmdg_kind_t kind)
{
    vmdg_suppress_reset();
    assert_int_equal(parse(text), 1);
    return vmdg_suppressed(kind, &trace);
}

static void test_patterns(void **state)
{
    static const struct {
        const char *pattern, *text;
        int matches;
    } cases[] = {
        {"", "", 1},          {"", "a", 0},          {"*", "", 1},           {"a*c", "abbbc", 1},
        {"a*c", "abbb", 0},   {"a?c", "abc", 1},     {"a?c", "ac", 0},       {"*a*b*", "xxaxxbxx", 1},
        {"*ab", "aab", 1},    {"**", "x", 1},        {"abc", "abcd", 0},     {"*.so", "lib.so", 1},
        {"a*a*a*a*a*b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaa", 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(vmdg_glob(cases[i].pattern, strlen(cases[i].pattern), cases[i].text),
                         cases[i].matches);
}

static void test_rules_apply_to_frames_in_order(void **state)
{
    (void)state;
    assert_true(applies("{ double-free; fun:release; ... }", VMDG_DOUBLEFREE));
    assert_false(applies("{ double-free; fun:release; ... }", VMDG_INSIDE));
    assert_false(applies("{ double-free; fun:main; ... }", VMDG_DOUBLEFREE));
    assert_true(applies("{ double-free; ...; fun:main }", VMDG_DOUBLEFREE));
    assert_true(applies("{ double-free; fun:rel*; fun:list<int>::clear(); obj:*libtwo*; fun:main }",
                        VMDG_DOUBLEFREE));
    assert_false(applies("{ double-free; fun:rel*; obj:*libtwo*; fun:main }", VMDG_DOUBLEFREE));
    assert_false(applies("{ double-free; ...; fun:main; fun:_start }", VMDG_DOUBLEFREE));
    assert_true(applies("{ free; src:release.c:12; ... }", VMDG_DOUBLEFREE));
    assert_true(applies("{ free; src:/src/one/*; ... }", VMDG_DOUBLEFREE));
    assert_true(applies("{ free; src:release.c; ... }", VMDG_DOUBLEFREE));
    assert_false(applies("{ free; src:release.c:13; ... }", VMDG_DOUBLEFREE));
    assert_true(applies("{ past-end, leak; ...; fun:m*n }", VMDG_LEAK));
    assert_true(applies("{ *; ... }", VMDG_STRUCTURE));
}

static void test_other_forms(void **state)
{
    (void)state;
    assert_true(applies("leak:libtwo", VMDG_LEAK));
    assert_true(applies("leak:^main$", VMDG_LEAK));
    assert_false(applies("leak:^ain", VMDG_LEAK));
    assert_false(applies("leak:mai$", VMDG_LEAK));
    assert_true(applies("{\n  its name\n  Memcheck:Leak\n  match-leak-kinds: definite\n  fun:release\n  ...\n}\n",
                        VMDG_LEAK));
    assert_false(applies("{\n  n\n  Memcheck:Param\n  write(buf)\n  fun:release\n}\n", VMDG_LEAK));
    assert_true(applies("# comment\n\n{ # a name\n  vmalloc:access\n  # another\n  fun:release\n}\n",
                        VMDG_PAST));
}

static void test_what_makes_no_sense_is_refused_with_its_line(void **state)
{
    static const char *const wrong[] = {
        "{", "{ }", "{ leak }", "{ leak; fun:a", "nokind:x", "leak", "leak:", "}", "{ leak; what:x; }",
        "{ name only; fun:a }",
    };
    unsigned line = 0;
    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        vmdg_suppress_reset();
        assert_int_equal(parse(wrong[i]), -1);
    }
    vmdg_suppress_reset();
    assert_int_equal(vmdg_suppress_parse("leak:a\n\n{ leak; fun:a }\nbad\n", 29, &line), -1);
    assert_int_equal(line, 4);
    assert_true(vmdg_suppress_asks(VMDG_LEAK));
}

static void test_the_line_of_a_report_suppresses_it(void **state)
{
    char text[1024];
    vmb_out_t o;
    (void)state;
    vmb_out_init(&o, text, sizeof text);
    vmdg_suppress_line(&o, VMDG_FAMILY, &trace);
    assert_string_equal(text, "{ wrong-family; fun:release; fun:list<int>::clear(); "
                              "obj:/usr/lib/libtwo.so.3; ... }");
    assert_true(applies(text, VMDG_FAMILY));
}

static void test_the_shipped_list_is_the_built_in_one(void **state)
{
    static char text[65536];
    FILE *f = fopen(VMALLOC_TEST_SOURCE "/share/default.supp", "r");
    size_t n;
    (void)state;
    assert_non_null(f);
    n = fread(text, 1, sizeof text - 1, f);
    fclose(f);
    text[n] = '\0';
    assert_string_equal(text, vmdg_suppress_default);
    assert_true(parse(text) > 0);
}

static uint64_t seed = 88172645463325252u;

static size_t chance(size_t n)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (size_t)(seed % n);
}

/* Good texts with bytes changed, left out, doubled: none may read or write elsewhere (see the
 * sanitizers), and none takes long. */
static void test_no_text_harms_the_reader(void **state)
{
    static const char good[] = "# c\n{ n\n leak,past-end\n fun:a*b?\n src:x.c:3\n obj:/l/*\n ...\n}\n"
                               "{ *; ...; fun:main; ... }\nleak:^x$\n{ n; Memcheck:Addr8; ... }\n";
    char text[2 * sizeof good];
    (void)state;
    for (int round = 0; round < 20000; round++) {
        size_t n = sizeof good - 1;
        unsigned line;
        char *exact;
        memcpy(text, good, n);
        for (size_t changes = 1 + chance(8); changes > 0; changes--) {
            size_t at = chance(n), len = chance(20);
            if (chance(3) == 0)
                text[at] = (char)chance(256);
            else if (chance(2) == 0)
                text[at] = "{};:\n,*?#.^$"[chance(12)];
            else if (at + len < n && n > len + 1) {
                memmove(text + at, text + at + len, n - at - len);
                n -= len;
            }
        }
        exact = malloc(n);
        memcpy(exact, text, n);
        vmdg_suppress_reset();
        vmdg_suppress_parse(exact, n, &line);
        free(exact);
        vmdg_suppressed(VMDG_LEAK, &trace);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_patterns, setup),
        cmocka_unit_test_setup(test_rules_apply_to_frames_in_order, setup),
        cmocka_unit_test_setup(test_other_forms, setup),
        cmocka_unit_test_setup(test_what_makes_no_sense_is_refused_with_its_line, setup),
        cmocka_unit_test_setup(test_the_line_of_a_report_suppresses_it, setup),
        cmocka_unit_test_setup(test_the_shipped_list_is_the_built_in_one, setup),
        cmocka_unit_test_setup(test_no_text_harms_the_reader, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
