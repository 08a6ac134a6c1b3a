/* SPDX-License-Identifier: MIT */
/* VMALLOC_OPTIONS and VMETHOD. */
#define _GNU_SOURCE 1
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "spawn.h"
#include <fcntl.h>
#include <malloc.h>

/* A child that uses some memory, and the lines that it says. */
static child_t with(const char *options)
{
    return spawn("work", options);
}

static int says(const char *options, const char *line)
{
    child_t c = with(options);
    if (!spawn_succeeded(&c) || !spawn_said(&c, line))
        print_message("%s: status %x, said %s\n", options, c.status, c.said);
    return spawn_succeeded(&c) && spawn_said(&c, line);
}

static int silent(const char *options)
{
    child_t c = with(options);
    if (!spawn_succeeded(&c) || c.said[0] != '\0')
        print_message("%s: status %x, said %s\n", options, c.status, c.said);
    return spawn_succeeded(&c) && c.said[0] == '\0';
}

static void test_known_ones_are_taken_silently(void **state)
{
    (void)state;
    assert_true(silent(""));
    assert_true(silent(", \t\r\n,"));
    assert_true(silent("abort"));
    assert_true(silent("a,noa,f,k,mm,b"));
    assert_true(silent("abort noabort,free\tkeep\nbreak\rmmap"));
    assert_true(silent("mmap=1 break=x abort="));
    assert_true(silent("getmemory=anon"));
    assert_true(silent("getmemory=break"));
    assert_true(silent("getmemory=sbrk:anon,g=mmap:nobreak,g=no-sbrk:zero:safe:native"));
    assert_true(silent("segsize=65536"));
    assert_true(silent("segsize=64k,segsize=1Mi,segsize=2mib,segsize=1MB"));
    assert_true(silent("method=best"));
    assert_true(silent("me=VMBEST,me=vmlast"));
    assert_true(silent("debug"));
    assert_true(silent("profile=&1:depth=3:original"));
    assert_true(silent("period=7,start=3,c=region,s=3"));
    assert_true(silent("method=debug,quarantine=1m,age=100,depth=4,limit=0,exitcode=3,level=fence"));
}

static void test_others_are_told(void **state)
{
    static const char *const absent[] = {"pagesize=4k", "test=3"};
    size_t i;
    char line[100];
    (void)state;
    assert_true(says("frobnicate", "VMALLOC_OPTIONS \"frobnicate\": no such option"));
    assert_true(says("aborting", "VMALLOC_OPTIONS \"aborting\": no such option"));
    assert_true(says("keep,x=y", "VMALLOC_OPTIONS \"x=y\": no such option"));
    assert_true(says("m=last", "VMALLOC_OPTIONS \"m=last\": no such option"));
    assert_true(says("=", "VMALLOC_OPTIONS \"=\": no such option"));
    assert_true(says("ABORT", "VMALLOC_OPTIONS \"ABORT\": no such option"));
    for (i = 0; i < sizeof absent / sizeof *absent; i++) {
        snprintf(line, sizeof line, "VMALLOC_OPTIONS \"%s\": not in this version", absent[i]);
        assert_true(says(absent[i], line));
    }
}

static void test_values_that_make_no_sense(void **state)
{
    static const char *const bad[] = {"method",
                                      "method=",
                                      "method=first",
                                      "method=Vm",
                                      "segsize",
                                      "segsize=0",
                                      "segsize=x",
                                      "segsize=5q",
                                      "segsize=5kx",
                                      "segsize=-5",
                                      "segsize=99999999999999999999",
                                      "getmemory",
                                      "getmemory=y",
                                      "getmemory=anon:",
                                      "warn",
                                      "warn=&77777",
                                      "warn=/no/such/folder/x"};
    size_t i;
    char line[100];
    (void)state;
    for (i = 0; i < sizeof bad / sizeof *bad; i++) {
        snprintf(line, sizeof line, "VMALLOC_OPTIONS \"%s\": the value makes no sense", bad[i]);
        if (strcmp(bad[i], "getmemory=anon:") == 0)
            assert_true(silent(bad[i]));
        else
            assert_true(says(bad[i], line));
    }
}

static void test_verbose(void **state)
{
    char line[100];
#ifdef VMOS_PAGESIZE
    long page = VMOS_PAGESIZE;
#else
    long page = sysconf(_SC_PAGESIZE);
#endif
    (void)state;
    snprintf(line, sizeof line, "method best, memory of the system, segments in multiples of %ld bytes", page);
    assert_true(says("verbose", line));
    assert_true(says("v,method=last",
                     "method last, memory of the system, segments in multiples of # bytes"));
    assert_true(
        says("verb,break", "method best, memory of sbrk, segments in multiples of # bytes"));
    assert_true(says("verbose,segsize=1mi",
                     "method best, memory of the system, segments in multiples of 1048576 bytes"));
    assert_true(says("verbose,segsize=64k",
                     "method best, memory of the system, segments in multiples of 64000 bytes"));
}

static void test_the_first_method_counts(void **state)
{
    (void)state;
    assert_true(says("v,method=last,method=best",
                     "method last, memory of the system, segments in multiples of # bytes"));
}

static void test_usage(void **state)
{
    (void)state;
    assert_true(says("usage", "region Vmheap at 0x*: extent #, segments #, busy #% (# in #), free "
                              "#, cached # in #, most #"));
    assert_true(says("usage,method=last", "region malloc at 0x*: extent #, segments #, busy #% (# "
                                          "in #), free #, cached # in #, most #"));
}

static void test_usage_when_standard_error_is_closed(void **state)
{
    child_t c = spawn("close", "usage");
    (void)state;
    assert_true(spawn_said(&c, "region Vmheap at 0x*: extent #, segments #, busy #% (# in #), free "
                               "#, cached # in #, most #"));
}

static void test_warn_file(void **state)
{
    char folder[] = "/tmp/vmalloc-options-XXXXXX", options[100], path[100], text[100] = "";
    child_t c;
    FILE *f;
    (void)state;
    assert_non_null(mkdtemp(folder));
    snprintf(options, sizeof options, "nosuch,warn=%s/said.%%p.txt", folder);
    c = with(options);
    assert_true(spawn_said(&c, "VMALLOC_OPTIONS \"nosuch\": no such option"));
    snprintf(path, sizeof path, "%s/said.%ld.txt", folder, (long)c.pid);
    f = fopen(path, "r");
    assert_non_null(f);
    assert_null(fgets(text, sizeof text, f));
    fclose(f);
    unlink(path);
    snprintf(options, sizeof options, "warn=%s/said.%%p.txt,verbose", folder);
    c = with(options);
    assert_string_equal(c.said, "");
    snprintf(path, sizeof path, "%s/said.%ld.txt", folder, (long)c.pid);
    f = fopen(path, "r");
    assert_non_null(f);
    assert_non_null(fgets(text, sizeof text, f));
    assert_non_null(strstr(text, "method best"));
    fclose(f);
    unlink(path);
    rmdir(folder);
}

static void test_warn_descriptor(void **state)
{
    (void)state;
    assert_true(says("warn=&2,verbose",
                     "method best, memory of the system, segments in multiples of # bytes"));
    assert_true(says("warn=/dev/fd/2,verbose",
                     "method best, memory of the system, segments in multiples of # bytes"));
}

static void test_vmethod(void **state)
{
    child_t c = spawn_with("last", "VMETHOD", "Vmlast");
    (void)state;
    assert_true(spawn_succeeded(&c));
    assert_string_equal(c.said, "");
    c = spawn_with("last", "VMETHOD", "last");
    assert_false(spawn_succeeded(&c));
    assert_non_null(strstr(c.said, "VMETHOD \"last\": the value makes no sense"));
    c = spawn_with("work", "VMETHOD", "Vmdebug");
    assert_true(spawn_succeeded(&c));
    assert_string_equal(c.said, "");
    c = spawn_with("work", "VMTRACE", "/nosuch/file");
    assert_true(spawn_said(&c, "trace=/nosuch/file: cannot be written"));
}

static void test_sources_work(void **state)
{
    child_t c = spawn("broken", "break");
    (void)state;
    assert_true(spawn_succeeded(&c));
    c = spawn("broken", NULL);
    assert_false(spawn_succeeded(&c));
}

static void test_method_last(void **state)
{
    child_t c = spawn("last", "method=last");
    (void)state;
    assert_true(spawn_succeeded(&c));
    assert_string_equal(c.said, "");
}

/* Under a method that watches, what Vmlast keeps is no misuse either. */
static void test_method_last_watched(void **state)
{
    child_t c = spawn("last", "method=last,profile=&1");
    (void)state;
    assert_true(spawn_succeeded(&c));
    assert_null(strstr(c.said, "not a block"));
}

static void test_keep(void **state)
{
    child_t c = spawn("kept", "keep");
    (void)state;
    assert_true(spawn_succeeded(&c));
    c = spawn("kept", NULL);
    assert_false(spawn_succeeded(&c));
}

/* ---- what the children do ---- */

static void work(void)
{
    void *blocks[100];
    size_t i;
    for (i = 0; i < 100; i++)
        blocks[i] = memset(malloc(i * i * 10 + 1), 1, i * i * 10 + 1);
    for (i = 0; i < 100; i++)
        free(blocks[i]);
}

/* 0 when memory comes from the break. */
static int broken(void)
{
    char *start = sbrk(0);
    void *p = malloc(200000000);
    char *end = sbrk(0);
    work();
    if (p == NULL)
        return 1;
    memset(p, 1, 1000);
    free(p);
    malloc_trim(0);
    work();
    return end - start >= 200000000 && (char *)p >= start - 100000000 && (char *)p < end ? 0 : 1;
}

/* 0 when only the last block can be freed. */
static int last(void)
{
    char *p = malloc(100), *q = malloc(100), *r;
    memset(p, 1, 100);
    memset(q, 2, 100);
    free(p);
    r = malloc(100);
    if (r == p || q[99] != 2 || r <= q || r > q + 128)
        return 1;
    free(r);
    if (malloc(100) != r)
        return 2;
    r = realloc(p, 1000);
    if (r == NULL || r[0] != 1 || r[99] != 1)
        return 3;
    work();
    return 0;
}

static int kept(void)
{
    void *p = malloc(100);
    size_t i;
    free(p);
    for (i = 0; i < 1000; i++)
        if (malloc(100) == p)
            return 1;
    return 0;
}

static int perform(const char *what)
{
    if (strcmp(what, "broken") == 0)
        return broken();
    if (strcmp(what, "last") == 0)
        return last();
    if (strcmp(what, "kept") == 0)
        return kept();
    work();
    if (strcmp(what, "close") == 0)
        close(2);
    return 0;
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known_ones_are_taken_silently),
        cmocka_unit_test(test_others_are_told),
        cmocka_unit_test(test_values_that_make_no_sense),
        cmocka_unit_test(test_verbose),
        cmocka_unit_test(test_the_first_method_counts),
        cmocka_unit_test(test_usage),
        cmocka_unit_test(test_usage_when_standard_error_is_closed),
        cmocka_unit_test(test_warn_file),
        cmocka_unit_test(test_warn_descriptor),
        cmocka_unit_test(test_vmethod),
        cmocka_unit_test(test_sources_work),
        cmocka_unit_test(test_method_last),
        cmocka_unit_test(test_method_last_watched),
        cmocka_unit_test(test_keep),
    };
    if (argc > 1)
        return perform(argv[1]);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
