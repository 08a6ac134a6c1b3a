/* SPDX-License-Identifier: MIT */
/*
 * What is seen of regions from outside is what vmstat() tells: this process looks at its own memory as
 * another one would, also by a reader that fails where it is told to.
 */
#define _GNU_SOURCE 1
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "region.h"
#include <vmalloc/discipline.h>
#include <vmalloc/stat.h>

#define MANY 16

static struct seen {
    Vmpeek_t region[MANY];
    size_t segments[MANY], bytes[MANY], n;
    long reads, failfrom; /* reads from this one on fail; 0: none */
} seen;

/* As from another process: what is not mapped fails, and no checker looks at who reads what. */
static int readself(const void *addr, void *buf, size_t size, void *handle)
{
    struct iovec to = {buf, size}, from = {(void *)(uintptr_t)addr, size};
    struct seen *s = handle;
    if (s->failfrom && ++s->reads >= s->failfrom)
        return -1;
    return process_vm_readv(getpid(), &to, 1, &from, 1, 0) == (ssize_t)size ? 0 : -1;
}

static int region(const Vmpeek_t *r, void *handle)
{
    struct seen *s = handle;
    if (s->n < MANY)
        s->region[s->n++] = *r;
    return 0;
}

static int segment(const Vmpeek_t *r, const void *addr, size_t size, void *handle)
{
    struct seen *s = handle;
    assert_non_null(addr);
    assert_ptr_equal(r->vm, s->region[s->n - 1].vm);
    s->segments[s->n - 1]++;
    s->bytes[s->n - 1] += size;
    return 0;
}

static void look(void)
{
    memset(&seen, 0, sizeof seen);
    assert_memory_equal(&vmr_mark, VM_PEEKMAGIC, VM_PEEKMAGICSIZE); /* by which others find it */
    assert_int_equal(vmpeek(&vmr_mark, readself, region, segment, &seen), 0);
}

static const Vmpeek_t *find(const Vmalloc_t *vm, size_t *i)
{
    for (*i = 0; *i < seen.n; ++*i)
        if (seen.region[*i].vm == vm)
            return &seen.region[*i];
    return NULL;
}

/* The names, and all numbers that both know. */
static void agrees(Vmalloc_t *vm, const char *method, const char *discipline, const char *name)
{
    const Vmpeek_t *p;
    Vmstat_t st;
    size_t i;
    assert_int_equal(vmstat(vm, &st), 0);
    look();
    p = find(vm, &i);
    assert_non_null(p);
    assert_string_equal(p->name, name);
    assert_string_equal(p->method, method);
    assert_string_equal(p->discipline, discipline);
    assert_int_equal(p->known, 1);
    assert_int_equal(p->n_busy, st.n_busy);
    assert_int_equal(p->s_busy, st.s_busy);
    assert_int_equal(p->s_free, st.s_free);
    assert_int_equal(p->extent, st.extent);
    assert_int_equal(p->m_extent, st.m_extent);
    assert_int_equal(p->n_seg, st.n_seg);
    assert_int_equal(seen.segments[i], st.n_seg);
    assert_int_equal(seen.bytes[i], st.extent);
}

static void work(Vmalloc_t *vm, size_t unit, size_t n, size_t spread)
{
    void **p = malloc(n * sizeof *p);
    size_t i;
    for (i = 0; i < n; i++)
        assert_non_null(p[i] = vmalloc(vm, unit + i % spread));
    for (i = 0; i < n; i += 3)
        vmfree(vm, p[i]);
    free(p);
}

static void test_best(void **state)
{
    Vmalloc_t *vm = vmopen(Vmdcsystem, Vmbest, 0), *small;
    static char buffer[8192];
    (void)state;
    vmname(vm, "first");
    agrees(vm, "best", "system", "first");
    work(vm, 1, 30000, 3000);
    work(vm, 70000, 100, 9);
    agrees(vm, "best", "system", "first");
    small = vmopen(vmdcfixed(buffer, sizeof buffer), Vmbest, 0);
    work(small, 10, 30, 40);
    agrees(small, "best", "fixed", "");
    vmclose(small);
    vmclose(vm);
}

static void test_last_and_pool(void **state)
{
    Vmalloc_t *last = vmopen(Vmdcheap, Vmlast, 0), *pool = vmopen(Vmdcheap, Vmpool, 0);
    (void)state;
    agrees(last, "last", "heap", "");
    work(last, 10, 5000, 500);
    agrees(last, "last", "heap", "");
    agrees(pool, "pool", "heap", "");
    work(pool, 40, 5000, 1);
    agrees(pool, "pool", "heap", "");
    vmclose(pool);
    vmclose(last);
}

static void test_all_are_seen(void **state)
{
    Vmalloc_t *vm[5];
    size_t i, at;
    (void)state;
    for (i = 0; i < 5; i++)
        vm[i] = vmopen(Vmdcheap, Vmbest, 0);
    look();
    assert_ptr_equal(seen.region[0].vm, Vmheap);
    assert_string_equal(seen.region[0].name, "Vmheap");
    for (i = 0; i < 5; i++)
        assert_non_null(find(vm[i], &at));
    vmclose(vm[2]);
    look();
    assert_null(find(vm[2], &at));
    assert_int_equal(seen.n, 5);
    for (i = 0; i < 5; i++)
        if (i != 2)
            vmclose(vm[i]);
}

/* Whichever read fails, nothing but fewer regions comes of it. */
static void test_reads_that_fail(void **state)
{
    Vmalloc_t *vm = vmopen(Vmdcheap, Vmbest, 0), *last = vmopen(Vmdcheap, Vmlast, 0);
    long from;
    size_t n = 1000;
    (void)state;
    work(vm, 1, 1000, 300);
    for (from = 1; n > 0 && from < 400; from++) {
        memset(&seen, 0, sizeof seen);
        seen.failfrom = from;
        if (vmpeek(&vmr_mark, readself, region, segment, &seen) != 0) {
            assert_true(errno == EFAULT || errno == ENOTSUP);
            assert_int_equal(seen.n, 0);
        }
        assert_true(seen.n <= 3);
    }
    vmclose(last);
    vmclose(vm);
}

static void test_no_mark(void **state)
{
    static vmr_mark_t copy;
    (void)state;
    assert_int_equal(vmpeek((void *)16, readself, region, NULL, &seen), -1);
    assert_int_equal(errno, EFAULT);
    copy = vmr_mark; /* its own address does not follow */
    assert_int_equal(vmpeek(&copy, readself, region, NULL, &seen), -1);
    assert_int_equal(errno, EINVAL);
}

static void test_json(void **state)
{
    FILE *f = tmpfile();
    Vmalloc_t *vm = vmopen(Vmdcheap, Vmpool, 0);
    char text[4096], line[64];
    size_t n;
    (void)state;
    vmname(vm, "a \"b\"\\\n");
    vmalloc(vm, 24);
    assert_int_equal(vmstatjson(vm, fileno(f)), 0);
    rewind(f);
    n = fread(text, 1, sizeof text - 1, f);
    text[n] = '\0';
    snprintf(line, sizeof line, "{\"pid\": %ld, \"regions\": [\n{\"region\": \"%p\"", (long)getpid(), (void *)vm);
    assert_memory_equal(text, line, strlen(line));
    assert_non_null(strstr(text, "\"name\": \"a \\\"b\\\"\\\\\\u000a\", \"method\": \"pool\", "
                                 "\"discipline\": \"heap\", \"n_busy\": 1, \"s_busy\": 24,"));
    assert_string_equal(text + n - 4, "\n]}\n");
    fclose(f);
    assert_int_equal(vmstatjson(vm, -1), -1);
    assert_int_equal(errno, EBADF);
    vmclose(vm);
}

int main(void)
{
    char from = 1, to = 0;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_best),         cmocka_unit_test(test_last_and_pool),
        cmocka_unit_test(test_all_are_seen), cmocka_unit_test(test_reads_that_fail),
        cmocka_unit_test(test_no_mark),      cmocka_unit_test(test_json),
    };
    if (readself(&from, &to, 1, &seen) != 0) /* forbidden here */
        return 77;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
