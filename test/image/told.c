/* SPDX-License-Identifier: MIT */
/*
 * vmtell() and vmstored(), and commits that look at nothing because the process had no fault of a page.
 *
 * A process lives for some commits on a block of which the first half is told of at times, and dies without
 * closing; then the last commit is read and must be what it was told.  Stores are told of, or made where and when
 * nobody tells; some words change with each commit (hot pages), long rows of commits change only these, others
 * change much; and it goes back at times.
 */
#include "_test.h"

#include "image.h"

#include <sys/mman.h>

#ifdef __linux__
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#endif

#define PAGES ((size_t)64)
#define STEPS 150

static size_t per; /* words of a page */
static long *model; /* shared: what the last commit has */
static unsigned seed;

static size_t draw(size_t below)
{
    seed = seed * 1103515245u + 12345u;
    return (seed >> 8) % below;
}

static long *find(Vmalloc_t *vm)
{
    long *words = vmrootget(vm, "words", NULL);
    if (words != NULL)
        return words;
    words = vmalign(vm, PAGES * per * sizeof *words + 100, 64);
    if (words == NULL || vmrootset(vm, "words", words, 1, 1) != 0)
        _exit(1);
    memset(words, 0, PAGES * per * sizeof *words);
    return words;
}

static void ok(int r)
{
    if (r != 0)
        _exit(2);
}

static void store(Vmalloc_t *vm, long *words, size_t i, int tell)
{
    words[i] = (long)draw(1000000) + 1;
    if (tell)
        ok(vmstored(vm, &words[i], sizeof words[i]));
}

/* One row of stores; quiet: to the same few pages as always. */
static void change(Vmalloc_t *vm, long *words, int on, int quiet)
{
    size_t half = PAGES / 2 * per, i;
    store(vm, words, half + 5, 0);
    store(vm, words, half + 9 * per + draw(per), 0);
    if (draw(3) == 0)
        store(vm, words, draw(half), on);
    if (quiet)
        return;
    if (draw(2))
        store(vm, words, half + draw(half), 0);
    if (draw(8) == 0)
        for (i = 0; i < PAGES / 2; i++)
            store(vm, words, half + i * per + draw(per), 0);
    if (draw(4) == 0) { /* more than one page in one call */
        size_t at = draw(half - 3 * per);
        for (i = at; i < at + 2 * per; i += per)
            words[i] = (long)i;
        if (on)
            ok(vmstored(vm, &words[at], 2 * per * sizeof *words));
    }
    if (draw(6) == 0)
        vmfree(vm, vmalloc(vm, 1 + draw(9000)));
}

static void live(unsigned flags, int steps)
{
    size_t bytes = PAGES * per * sizeof(long);
    Vmimgopt_t opt = {.flags = flags, .safety = VM_IMGPROCESS, .journal = 600000};
    Vmalloc_t *vm = vmimage(file, &opt);
    long *words = vm != NULL ? find(vm) : NULL;
    int on = 0, k;
    if (words == NULL)
        _exit(3);
    for (k = 0; k < steps; k++) {
        if (k > 0 && draw(12) == 0) {
            change(vm, words, on, 0);
            ok(vmrollback(vm)); /* ends the telling */
            on = 0;
            ok(memcmp(words, model, bytes));
        }
        change(vm, words, on, k % 70 > 25);
        if (draw(9) == 0)
            ok(vmtell(vm, words, bytes / 2, on = !on));
        change(vm, words, on, k % 70 > 25);
        ok(vmcommit(vm));
        memcpy(model, words, bytes);
    }
    words[0] = -1; /* is not committed */
    _exit(0);
}

static void what_was_committed_is_there(unsigned flags, int rounds)
{
    size_t bytes;
    per = (size_t)sysconf(_SC_PAGESIZE) / sizeof(long);
    bytes = PAGES * per * sizeof(long);
    model = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(model != MAP_FAILED);
    for (int round = 0; round < rounds; round++) {
        int status;
        Vmalloc_t *vm;
        pid_t child;
        seed = (unsigned)round + 1;
        child = fork();
        if (child == 0)
            live(flags, STEPS + round);
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_int_equal(status, 0);
        vm = must_open(file, VM_IMGREAD | VM_IMGEXIST, NULL);
        assert_memory_equal(vmrootget(vm, "words", NULL), model, bytes);
        assert_int_equal(vmdbcheck(vm), 0);
        assert_int_equal(vmclose(vm), 0);
    }
    munmap(model, bytes);
}

static void as_the_system_tells(void **state)
{
    (void)state;
    what_was_committed_is_there(0, 6);
}

static void as_contents_tell(void **state)
{
    (void)state;
    what_was_committed_is_there(VM_IMGNOTRACK, 1);
}

/* A word that changed with each commit, then not for long, then once more, without a fault of a page between. */
static void a_page_that_changes_no_more_and_then_does(void **state)
{
    int status;
    long *words;
    Vmalloc_t *vm;
    pid_t child = fork();
    (void)state;
    per = (size_t)sysconf(_SC_PAGESIZE) / sizeof(long);
    if (child == 0) {
        vm = must_open(file, 0, NULL);
        words = find(vm);
        for (int pause = 10; pause < 40; pause++) {
            for (int k = 0; k < pause + 5; k++) {
                words[0]++;
                words[9 * per] += k < 5;
                ok(vmcommit(vm));
            }
            words[9 * per]++;
            ok(vmcommit(vm));
            words[9 * per] += 1000;
            ok(vmrollback(vm));
            if (words[9 * per] != 6 * (pause - 9))
                _exit(4);
        }
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    vm = must_open(file, VM_IMGREAD | VM_IMGEXIST, NULL);
    words = vmrootget(vm, "words", NULL);
    assert_int_equal(words[9 * per], 6 * 30);
    assert_int_equal(vmclose(vm), 0);
}

/* Pages that are told of are left alone, however many of them were written, here and there: no commit has the system
 * note writes to them again. */
static void told_pages_are_not_watched(void **state)
{
    enum { N = 60 };
    size_t ps = (size_t)sysconf(_SC_PAGESIZE), written = 0;
    Vmalloc_t *vm = must_open(file, 0, NULL);
    vmi_t *img = vmi_find(vm);
    char *p = vmalign(vm, 2 * N * ps, ps), *at = p;
    vmos_span_t spans[2 * N];
    (void)state;
    assert_non_null(p);
    if (img->tier != VM_IMGUFFD) {
        assert_int_equal(vmclose(vm), 0);
        skip();
    }
    memset(p, 1, 2 * N * ps);
    assert_int_equal(vmcommit(vm), 0);
    assert_int_equal(vmtell(vm, p, 2 * N * ps, 1), 0);
    for (size_t i = 0; i < N; i++) {
        p[2 * i * ps]++;
        assert_int_equal(vmstored(vm, &p[2 * i * ps], 1), 0);
        assert_int_equal(vmcommit(vm), 0);
    }
    for (int i = 0, n = vmos_track_look(img->pagemap, &at, p + 2 * N * ps, spans, 2 * N); i < n; i++)
        written += spans[i].size / ps;
    assert_true(written >= N);
    assert_int_equal(vmclose(vm), 0);
}

/* The region's last pages go and come back, as when a method gives memory up and takes it again; meanwhile nobody
 * looks at them, and a store there need not be a fault of a page then. */
static void memory_that_goes_and_comes_back(void **state)
{
    size_t ps = (size_t)sysconf(_SC_PAGESIZE), len;
    Vmalloc_t *vm = must_open(file, 0, Vmlast);
    char *p = vmalloc(vm, 20 * ps), *last;
    Vmdisc_t *disc;
    vmi_t *img = vmi_find(vm);
    (void)state;
    assert_non_null(p);
    assert_int_equal(vmrootset(vm, "p", p, 0, 1), 0);
    len = (size_t)img->head->len;
    memset(img->base + len - ps, 1, ps); /* so that the file has all pages */
    assert_int_equal(vmcommit(vm), 0);
    assert_int_equal(vmclose(vm), 0);
    vm = must_open(file, VM_IMGEXIST, NULL);
    p = vmrootget(vm, "p", NULL);
    disc = vm->disc;
    img = vmi_find(vm);
    last = img->base + len - ps;
    assert_true(p < last);
    for (int round = 0; round < 6; round++) {
        int quiet = round == 5 ? 8 : 0;
        assert_ptr_equal(disc->memoryf(vm, img->base, len, len - 4 * ps, disc), img->base);
        for (int k = 0; k <= quiet; k++) {
            ++*p;
            assert_int_equal(vmcommit(vm), 0);
        }
        assert_ptr_equal(disc->memoryf(vm, img->base, len - 4 * ps, len, disc), img->base);
        ++*p;
        if (round == 5)
            *last = 55;
        assert_int_equal(vmcommit(vm), 0);
    }
    assert_int_equal(vmclose(vm), 0);
    vm = must_open(file, VM_IMGEXIST, NULL);
    assert_int_equal(*last, 55);
    assert_int_equal(vmclose(vm), 0);
}

/* A program that takes the right to ask for its faults from itself, as one in a sandbox does. */
static void faults_that_cannot_be_counted_any_more(void **state)
{
    (void)state;
#if defined(__linux__) && defined(SYS_getrusage)
    int status;
    pid_t child = fork();
    if (child == 0) {
        struct sock_filter f[] = {BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
                                  BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getrusage, 0, 1),
                                  BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
                                  BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
        struct sock_fprog prog = {sizeof f / sizeof *f, f};
        Vmalloc_t *vm = must_open(file, 0, NULL);
        long *words;
        per = (size_t)sysconf(_SC_PAGESIZE) / sizeof(long);
        words = find(vm);
        for (int k = 0; k < 5; k++) {
            words[0] = k;
            ok(vmcommit(vm));
        }
        if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
            prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog) != 0)
            _exit(77);
        for (int k = 0; k < 9; k++) {
            words[0] = k;
            ok(vmcommit(vm));
        }
        words[9 * per] = 55;
        ok(vmcommit(vm));
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
        skip();
    assert_int_equal(status, 0);
    Vmalloc_t *vm = must_open(file, VM_IMGREAD | VM_IMGEXIST, NULL);
    per = (size_t)sysconf(_SC_PAGESIZE) / sizeof(long);
    assert_int_equal(((long *)vmrootget(vm, "words", NULL))[9 * per], 55);
    assert_int_equal(vmclose(vm), 0);
#else
    skip();
#endif
}

static void what_is_not_of_the_region_is_refused(void **state)
{
    Vmalloc_t *vm = must_open(file, 0, NULL);
    char *p = vmalloc(vm, 100000), here = 0;
    Vmimgstat_t st;
    (void)state;
    assert_non_null(p);
    assert_int_equal(vmimgstat(vm, &st), 0);
    errno = 0;
    assert_int_equal(vmtell(vm, p, 100000, 1), 0);
    assert_int_equal(vmtell(vm, p, 10, 1), 0); /* has no whole page */
    assert_int_equal(vmstored(vm, p, 100000), 0);
    assert_int_equal(vmstored(vm, p, 0), 0);
    assert_int_equal(errno, 0);
    assert_int_equal(vmtell(vm, &here, 1, 1), -1);
    assert_int_equal(errno, EINVAL);
    errno = 0;
    assert_int_equal(vmtell(vm, p, (size_t)-1, 1), -1);
    assert_int_equal(errno, EINVAL);
    errno = 0;
    assert_int_equal(vmstored(vm, &here, 1), -1);
    assert_int_equal(errno, EINVAL);
    assert_int_equal(vmstored(vm, (char *)st.base - 1, 1), -1);
    assert_int_equal(vmstored(vm, (char *)st.base + st.limit, 1), -1);
    assert_int_equal(vmstored(NULL, p, 1), -1);
    assert_int_equal(vmtell(NULL, p, 1, 1), -1);
    assert_int_equal(vmcommit(vm), 0);
    assert_int_equal(vmclose(vm), 0);
    vm = must_open(file, VM_IMGREAD | VM_IMGEXIST, NULL);
    errno = 0;
    assert_int_equal(vmtell(vm, p, 100000, 1), -1);
    assert_int_equal(errno, EROFS);
    assert_int_equal(vmclose(vm), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(as_the_system_tells, setup, teardown),
        cmocka_unit_test_setup_teardown(as_contents_tell, setup, teardown),
        cmocka_unit_test_setup_teardown(a_page_that_changes_no_more_and_then_does, setup, teardown),
        cmocka_unit_test_setup_teardown(told_pages_are_not_watched, setup, teardown),
        cmocka_unit_test_setup_teardown(memory_that_goes_and_comes_back, setup, teardown),
        cmocka_unit_test_setup_teardown(faults_that_cannot_be_counted_any_more, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_not_of_the_region_is_refused, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
