/* SPDX-License-Identifier: MIT */
/* Disciplines under real regions: what the protocol tests cannot show. */
#include "support/counting.h"
#include "support/pattern.h"
#include "support/protocol.h"
#include <vmalloc/discipline.h>

#define KIB ((size_t)1024)

/* Blocks of many sizes, each with its own pattern; how many there was memory for. */
static int work(Vmalloc_t *vm, int most)
{
    char *block[200];
    int n;

    for (n = 0; n < most; n++) {
        block[n] = vmalloc(vm, 1 + (size_t)n * 37);
        if (block[n] == NULL)
            break;
        assert_ptr_equal(vmregion(block[n]), vm);
        pat_fill(block[n], 0, 1 + (size_t)n * 37, (uint64_t)n);
    }
    for (int i = 0; i < n; i++)
        assert_int_equal(pat_differs(block[i], 1 + (size_t)i * 37, (uint64_t)i),
                         1 + (size_t)i * 37);
    assert_int_equal(vmdbcheck(vm), 0);
    return n;
}

static void all_work(void **state)
{
    static char buffer[2048 * KIB];
    Vmdisc_t odd = *Vmdcsystem;
    Vmdisc_t *discs[] = {Vmdcsystem,
                         &odd,
                         Vmdcheap,
                         vmdcderive(Vmheap, 127, 1),
                         vmdcfixed(buffer + 5, sizeof buffer - 5),
                         vmdchuge(0, VM_HUGEANY),
                         vmdclimit(Vmdcsystem, 1, SIZE_MAX, NULL, NULL),
                         vmdcguard(),
                         vmdcfail(Vmdcsystem, 0, 0, 0, 0)};

    (void)state;
    odd.round = 127;
    for (size_t i = 0; i < sizeof discs / sizeof *discs; i++) {
        Vmalloc_t *vm = vmopen(discs[i], Vmlast, 0);

        assert_non_null(vm);
        assert_int_equal(work(vm, 200), 200);
        assert_int_equal(vmclear(vm), 0);
        vmcompact(vm);
        assert_int_equal(work(vm, 200), 200);
        assert_int_equal(vmclose(vm), 0);
        if (i > 3) /* the derived one went with its region */
            assert_int_equal(vmdcfree(discs[i]), 0);
    }
}

/* Closing the child gives everything back to the parent, its discipline included. */
static void derived_leaves_nothing(void **state)
{
    (void)state;
    for (int heap = 0; heap <= 1; heap++) {
        Vmalloc_t *home = Vmheap, *vm;
        Vmstat_t before, after;

        assert_int_equal(vmstat(home, &before), 0);
        vm = vmopen(vmdcderive(home, 4096, heap), Vmlast, 0);
        assert_non_null(vm);
        assert_int_equal(work(vm, 200), 200);
        assert_null(vmdisc(vm, Vmdcsystem));
        assert_int_equal(vmclose(vm), 0);
        assert_int_equal(vmstat(home, &after), 0);
        assert_int_equal(after.n_busy, before.n_busy);
        assert_int_equal(vmdbcheck(home), 0);
    }
}

/* A parent that frees nothing: the release is refused, and closing does not mind. */
static void derived_from_one_that_keeps(void **state)
{
    Vmalloc_t *parent = vmopen(Vmdcsystem, Vmlast, 0);
    Vmalloc_t *one = vmopen(vmdcderive(parent, 4096, 0), Vmlast, 0);
    Vmalloc_t *two = vmopen(vmdcderive(parent, 4096, 0), Vmlast, 0);

    (void)state;
    assert_int_equal(work(one, 100), 100);
    assert_int_equal(work(two, 100), 100);
    errno = 0;
    assert_int_equal(vmclose(one), 0);
    assert_int_equal(errno, 0);
    assert_int_equal(work(two, 100), 100);
    assert_int_equal(vmclose(two), 0);
    assert_int_equal(vmclose(parent), 0);
}

static void regions_share_a_quota(void **state)
{
    counting_t under;
    Vmdisc_t *disc = vmdclimit(&counting_init(&under)->disc, 0, 32 * KIB, NULL, NULL);
    Vmalloc_t *one = vmopen(disc, Vmlast, 0), *two = vmopen(disc, Vmlast, 0);

    (void)state;
    assert_non_null(two);
    under.events = 0;
    assert_non_null(vmalloc(one, 16 * KIB));
    assert_int_equal(under.events, 0);
    errno = 0;
    assert_null(vmalloc(two, 16 * KIB));
    assert_int_equal(errno, ENOMEM);
    assert_int_equal(under.type, VM_NOMEM); /* heard below, although nothing was asked there */
    assert_true(under.most <= 32 * KIB);
    assert_int_equal(vmclose(one), 0);
    assert_non_null(vmalloc(two, 16 * KIB));
    assert_int_equal(vmdclimited(disc), under.held);
    assert_int_equal(vmclose(two), 0);
    assert_int_equal(vmdclimited(disc), 0);
    assert_int_equal(under.type, VM_ENDCLOSE);
    assert_int_equal(vmdcfree(disc), 0);
}

/* Each request fails once; none of the failures loses memory. */
static void every_request_may_fail(void **state)
{
    counting_t under;
    Vmdisc_t *disc = vmdcfail(&counting_init(&under)->disc, 0, 0, 0, 0);
    int done = 0;

    (void)state;
    for (size_t n = 1; done < 150; n++) {
        Vmalloc_t *vm;

        assert_int_equal(vmdcfailset(disc, n, 0, 0, 0), 0);
        vm = vmopen(disc, Vmlast, 0);
        done = 0;
        if (vm) {
            done = work(vm, 150);
            assert_int_equal(vmclose(vm), 0);
        }
        assert_int_equal(under.held, 0);
        assert_true(n < 1000);
    }
    assert_int_equal(vmdcfree(disc), 0);
}

/* One region after the other uses nearly all of a small buffer. */
static void small_buffers_are_used(void **state)
{
    static char buffer[8 * 1024];
    Vmdisc_t *disc = vmdcfixedin(buffer, sizeof buffer);

    (void)state;
    for (int round = 0; round < 3; round++) {
        Vmalloc_t *vm = vmopen(disc, Vmlast, VM_MEMORYF);
        size_t got = 0;

        assert_non_null(vm);
        while (vmalloc(vm, 240))
            got += 240;
        assert_in_range(got, sizeof buffer / 4 * 3, sizeof buffer);
        assert_int_equal(vmclose(vm), 0);
    }
}

static void log_tells_a_whole_life(void **state)
{
    char text[4096], *line = text;
    const char *const want[] = {" VM_OPEN ",  " get 0x0 0 ", " VM_ENDOPEN ",
                                " VM_CLOSE ", " release ",   " VM_ENDCLOSE "};
    int fd[2];
    Vmdisc_t *disc;
    ssize_t n;

    (void)state;
    assert_int_equal(pipe(fd), 0);
    disc = vmdclog(Vmdcsystem, fd[1]);
    assert_int_equal(vmclose(vmopen(disc, Vmlast, 0)), 0);
    n = read(fd[0], text, sizeof text - 1);
    assert_true(n > 0);
    text[n] = '\0';
    for (size_t i = 0; i < sizeof want / sizeof *want; i++) {
        assert_int_equal(strncmp(line, "vmlog: ", 7), 0);
        line = strstr(line, want[i]);
        assert_non_null(line);
        line = strchr(line, '\n') + 1;
    }
    assert_string_equal(line, "");
    close(fd[0]);
    close(fd[1]);
    assert_int_equal(vmdcfree(disc), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_work),
        cmocka_unit_test(derived_leaves_nothing),
        cmocka_unit_test(derived_from_one_that_keeps),
        cmocka_unit_test(regions_share_a_quota),
        cmocka_unit_test(every_request_may_fail),
        cmocka_unit_test(small_buffers_are_used),
        cmocka_unit_test(log_tells_a_whole_life),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
