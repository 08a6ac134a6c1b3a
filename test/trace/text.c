/* SPDX-License-Identifier: MIT */
/* Calls that are known give exactly the lines that are known. */
#include "_trace.h"

static char expected[8192];

static void line(const char *format, ...)
{
    size_t n = strlen(expected);
    va_list ap;
    va_start(ap, format);
    vsnprintf(expected + n, sizeof expected - n, format, ap);
    va_end(ap);
}

#define X(p) ((unsigned long)(uintptr_t)(p))

static void compare(void)
{
    size_t n;
    char *text;
    assert_int_equal(vmtrace(-1), test_fd);
    text = test_read(test_path, &n);
    assert_string_equal(text, expected);
    free(text);
    test_end();
}

static void start(void)
{
    expected[0] = '\0';
    test_begin();
    assert_int_equal(vmtrace(test_fd), -1);
}

static void test_calls(void **state)
{
    Vmalloc_t *vm = vmopen(Vmdcheap, Vmbest, VM_TRACE), *other = vmopen(Vmdcheap, Vmbest, 0);
    void *p, *q, *r;
    long size;
    (void)state;
    start();
    p = vmalloc(vm, 10);
    line("0:%lx:10:0:%lx:b:\n", X(p), X(vm));
    q = vmalign(vm, 100, 64);
    line("0:%lx:100:64:%lx:b:\n", X(q), X(vm));
    r = vmresize(vm, p, 5000, VM_RSMOVE | VM_RSCOPY);
    line("%lx:%lx:5000:0:%lx:b:\n", X(p), X(r), X(vm));
    p = vmresize(vm, NULL, 7, 0);
    line("0:%lx:7:0:%lx:b:\n", X(p), X(vm));
    size = vmsize(vm, p);
    assert_null(vmresize(vm, p, 0, 0));
    line("%lx:0:%ld:0:%lx:b:\n", X(p), size, X(vm));
    size = vmsize(vm, r);
    assert_int_equal(vmfree(vm, r), 0);
    line("%lx:0:%ld:0:%lx:b:\n", X(r), size, X(vm));
    assert_int_equal(vmcompact(vm), 0);
    line("0:0:0:0:%lx:b:\n", X(vm));
    /* none of these */
    assert_int_equal(vmfree(vm, NULL), 0);
    assert_int_equal(vmfree(vm, (char *)q + 1), -1);
    assert_null(vmalloc(vm, SIZE_MAX / 2));
    vmfree(other, vmalloc(other, 20));
    vmclear(vm);
    vmset(vm, VM_TRACE, 0);
    vmalloc(vm, 30);
    vmset(other, VM_TRACE, 1);
    p = vmalloc(other, 40);
    line("0:%lx:40:0:%lx:b:\n", X(p), X(other));
    vmclose(other);
    vmclose(vm);
    compare();
}

static void test_methods(void **state)
{
    Vmalloc_t *last = vmopen(Vmdcheap, Vmlast, VM_TRACE);
    Vmalloc_t *pool = vmopen(Vmdcheap, Vmpool, VM_TRACE);
    Vmalloc_t *single = vmopen(Vmdcheap, Vmlast, VM_TRACE | VM_SINGLE);
    void *p, *q;
    (void)state;
    start();
    p = vmalloc(last, 20);
    line("0:%lx:20:0:%lx:l:\n", X(p), X(last));
    q = vmalloc(last, 30);
    line("0:%lx:30:0:%lx:l:\n", X(q), X(last));
    assert_int_equal(vmfree(last, p), -1);
    assert_int_equal(vmfree(last, q), 0);
    line("%lx:0:32:0:%lx:l:\n", X(q), X(last));
    p = vmalloc(pool, 15);
    line("0:%lx:15:0:%lx:p:\n", X(p), X(pool));
    assert_null(vmalloc(pool, 16));
    assert_int_equal(vmfree(pool, p), 0);
    line("%lx:0:15:0:%lx:p:\n", X(p), X(pool));
    p = vmresize(single, NULL, 9, 0);
    line("0:%lx:9:0:%lx:l:\n", X(p), X(single));
    vmclose(single);
    vmclose(pool);
    vmclose(last);
    compare();
}

/* A segment of a region in a region is no block that the program asked for. */
static void test_what_the_library_asks_for(void **state)
{
    Vmalloc_t *vm, *in;
    void *p;
    (void)state;
    vmset(Vmheap, VM_TRACE, 1);
    start();
    vm = vmopen(Vmdcheap, Vmbest, 0);
    in = vmopen(vmdcderive(vm, 0, 0), Vmbest, 0);
    vmalloc(in, 100000);
    p = vmalloc(Vmheap, 11);
    line("0:%lx:11:0:%lx:b:\n", X(p), X(Vmheap));
    vmclose(in);
    vmclose(vm);
    vmset(Vmheap, VM_TRACE, 0);
    vmfree(Vmheap, p);
    compare();
}

static int givesmore(Vmalloc_t *vm, int event, void *obj, Vmdisc_t *disc)
{
    (void)obj, (void)disc;
    if (event == VM_NOMEM)
        vmfree(Vmheap, vmalloc(Vmheap, 12));
    (void)vm;
    return 0;
}

static void *once(Vmalloc_t *vm, void *addr, size_t csize, size_t nsize, Vmdisc_t *disc)
{
    static _Alignas(16) char buffer[65536];
    (void)vm, (void)disc;
    return csize == 0 && nsize <= sizeof buffer ? buffer : nsize == 0 ? addr : NULL;
}

/* What an event handler calls is the program's. */
static void test_calls_of_handlers(void **state)
{
    Vmdisc_t disc = {once, givesmore, 65536, 0};
    Vmalloc_t *vm = vmopen(&disc, Vmbest, VM_TRACE);
    size_t n;
    char *text;
    (void)state;
    start();
    vmset(Vmheap, VM_TRACE, 1);
    assert_null(vmalloc(vm, 100000));
    vmset(Vmheap, VM_TRACE, 0);
    vmtrace(-1);
    text = test_read(test_path, &n);
    assert_non_null(strstr(text, ":12:0:"));
    assert_null(strstr(text, ":100000:"));
    free(text);
    test_end();
    vmclose(vm);
}

static void test_busy(void **state)
{
    Vmethod_t *meth[] = {Vmbest, Vmlast, Vmpool};
    size_t i, n, lines;
    char *text, *s;
    (void)state;
    assert_int_equal(vmtrbusy(Vmheap), -1);
    for (i = 0; i < 3; i++) {
        Vmalloc_t *vm = vmopen(Vmdcheap, meth[i], 0);
        void *p[3];
        for (n = 0; n < 3; n++)
            p[n] = vmalloc(vm, 40);
        vmfree(vm, p[2]); /* a free block ends nothing */
        start();
        assert_int_equal(vmtrbusy(vm), 0);
        vmtrace(-1);
        text = test_read(test_path, &n);
        for (s = text, lines = 0; (s = strstr(s, ":u:\n")) != NULL; s++)
            lines++;
        assert_int_equal(lines, 2);
        snprintf(expected, sizeof expected, "0:%lx:", X(p[1]));
        assert_non_null(strstr(text, expected));
        free(text);
        test_end();
        vmclose(vm);
    }
    assert_int_equal(vmtrbusy(NULL), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_calls),
        cmocka_unit_test(test_methods),
        cmocka_unit_test(test_what_the_library_asks_for),
        cmocka_unit_test(test_calls_of_handlers),
        cmocka_unit_test(test_busy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
