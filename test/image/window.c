/* SPDX-License-Identifier: MIT */
/*
 * Records that are stored into a mapping of the journal: a process that dies in the middle of that leaves the commit
 * before, whichever bytes are there and in whatever order they came; what was stored is there when it dies behind it,
 * for readers meanwhile, for a snapshot and after a sync; journals that start anew, windows that are left behind,
 * turns of others, and stores that cannot be made.  Skipped where records are not stored.
 */
#include "_test.h"

#include "image.h"
#include "io.h"

#include <sys/mman.h>

static vmi_io_t io;
static long *stores;      /* shared: how many there were */
static size_t *bytes;     /* shared: of the last one */
static long *sure;        /* shared: commits that returned */
static long dieat;        /* the store in which this process dies, 0: in none */
static size_t some;       /* how much of it is there */
static int way;           /* which */
static int refuse;

enum { FRONT, BACK, ODD, BUT_ONE, WAYS };

/* What of the record is there: words in front, at the end, every other one, all but one.  Exits with 1 when that is
 * all of it, for what is not there are zeros. */
static void partly(char *to, const char *from, size_t n)
{
    size_t i;
    for (i = 0; i + 8 <= n; i += 8) {
        int is = way == FRONT ? i < some : way == BACK ? i >= n - some : way == ODD ? (i / 8) % 2 != 0 : i != some;
        if (is)
            memcpy(to + i, from + i, 8);
    }
    _exit(memcmp(to, from, n) == 0);
}

static int half_store(int fd, void *to, const void *from, size_t n, uint64_t off)
{
    if (refuse)
        return -1;
    *bytes = n;
    if (++*stores == dieat)
        partly(to, from, n);
    return vmi_system.store(fd, to, from, n, off);
}

static int begin(void **state)
{
    stores = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (stores == MAP_FAILED)
        return -1;
    bytes = (size_t *)(void *)(stores + 1);
    sure = stores + 2;
    io = vmi_system;
    io.store = half_store;
    vmi_io = &io;
    dieat = refuse = 0;
    return setup(state);
}

static int end(void **state)
{
    vmi_io = &vmi_system;
    munmap(stores, 4096);
    return teardown(state);
}

static Vmalloc_t *open_loose(unsigned flags, size_t journal)
{
    Vmimgopt_t opt = {.flags = flags, .safety = VM_IMGPROCESS, .journal = journal};
    return vmimage(file, &opt);
}

/* n commits of one more item each; then it dies, at the latest. */
static void live(int n, size_t journal)
{
    Vmalloc_t *vm = open_loose(0, journal);
    if (vm == NULL)
        _exit(2);
    for (int i = 0; i < n; i++) {
        push(vm, 1);
        if (vmcommit(vm) != 0)
            _exit(3);
        ++*sure;
    }
    _exit(4);
}

static int die(int n, long at, size_t how, int which, size_t journal)
{
    int status;
    pid_t child;
    *stores = *sure = 0;
    child = fork();
    if (child == 0) {
        dieat = at;
        some = how;
        way = which;
        live(n, journal);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static long found(void)
{
    Vmalloc_t *vm = must_open(file, VM_IMGEXIST, NULL);
    long n = length(vm);
    assert_int_equal(vmdbcheck(vm), 0);
    assert_int_equal(vmclose(vm), 0);
    return n;
}

static void need_stores(void)
{
    assert_int_equal(die(3, 0, 0, 0, 0), 4);
    if (*stores == 0)
        skip();
    assert_int_equal(found(), 3);
}

/* Deaths in a store, on what the one before left. */
static void killed_in_the_middle_of_a_store(void **state)
{
    long n = 3, torn = 0;
    (void)state;
    need_stores();
    for (int which = 0; which < WAYS; which++)
        for (size_t part = 0; part < *bytes; part += which == ODD ? 4096 : 8 * (6 + part % 9)) {
            int r = die(9, 1 + (long)(part / 8 % 3), part, which, 0);
            assert_true(r == 0 || r == 1 || r == 4); /* 4: so many records were not stored */
            torn += r == 0;
            n += *sure + (r == 1);
            assert_int_equal(found(), n);
        }
    assert_true(torn > 0);
}

/* Journals that are full soon, so that there is a checkpoint between, and windows that are left behind. */
static void what_was_stored_outlives_the_process(void **state)
{
    long n = 3;
    (void)state;
    need_stores();
    for (int i = 0; i < 4; i++) {
        assert_int_equal(die(200 + i, 0, 0, 0, i % 2 ? 30000 : 0), 4);
        n += 200 + i;
        assert_int_equal(found(), n);
    }
}

static long length_read(const char *path)
{
    Vmalloc_t *vm;
    long n;
    int status;
    pid_t child = fork();
    if (child == 0) {
        vm = open_image(path, VM_IMGREAD | VM_IMGEXIST, NULL);
        *stores = vm != NULL ? length(vm) : -2;
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    n = *stores;
    return n;
}

/* The reader is a process in which the image is not open: it is made before. */
static void others_see_what_was_stored(void **state)
{
    int go[2], done[2];
    char c = 0;
    pid_t writer;
    (void)state;
    need_stores();
    assert_int_equal(pipe(go), 0);
    assert_int_equal(pipe(done), 0);
    writer = fork();
    if (writer == 0) {
        Vmalloc_t *vm = open_loose(0, 0);
        for (int i = 0; vm != NULL && i < 5 && read(go[0], &c, 1) == 1; i++) {
            push(vm, 1);
            refuse = i == 3; /* written between the stored ones */
            if (vmcommit(vm) != 0 || (i == 1 && vmsync(vm) != 0) || (i == 2 && vmsnapshot(vm, other) != 0))
                _exit(5);
            if (write(done[1], &c, 1) != 1)
                _exit(6);
        }
        _exit(vm != NULL && vmclose(vm) == 0 ? 0 : 7);
    }
    for (int i = 0; i < 5; i++) {
        assert_int_equal(write(go[1], &c, 1), 1);
        assert_int_equal(read(done[0], &c, 1), 1);
        assert_int_equal(length_read(file), 4 + i);
    }
    assert_int_equal(waitpid(writer, &go[0], 0), writer);
    assert_int_equal(go[0], 0);
    assert_int_equal(length_read(other), 6);
    assert_int_equal(found(), 8);
}

/* Two processes in turns; one closes, and cuts the file, between turns of the other. */
static void a_turn_of_another_between(void **state)
{
    int status;
    long n = 3;
    Vmalloc_t *vm;
    (void)state;
    need_stores();
    vm = open_loose(VM_IMGTURNS, 0);
    assert_non_null(vm);
    for (int i = 0; i < 4; i++) {
        pid_t child;
        assert_int_equal(vmturn(vm, 1), 0);
        assert_int_equal(length(vm), n);
        push(vm, 1);
        assert_int_equal(vmcommit(vm), 0);
        assert_int_equal(vmturn(vm, 0), 0);
        child = fork();
        if (child == 0) {
            vmclose(vm); /* the copy: the file is not its own */
            vm = open_loose(0, 0);
            if (vm == NULL)
                _exit(2);
            push(vm, 1);
            _exit(vmcommit(vm) == 0 && vmclose(vm) == 0 ? 0 : 1);
        }
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_int_equal(status, 0);
        n += 2;
    }
    assert_int_equal(vmclose(vm), 0);
    assert_int_equal(found(), n);
}

/* Where the parent has its window, a child has nothing, or memory of its own. */
static void a_child_that_closes_leaves_other_memory_alone(void **state)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    Vmalloc_t *vm;
    int status;
    pid_t child;
    (void)state;
    need_stores();
    vm = open_loose(0, 0);
    assert_non_null(vm);
    for (int i = 0; i < 3; i++) {
        push(vm, 1);
        assert_int_equal(vmcommit(vm), 0);
    }
    assert_non_null(vmi_find(vm)->window);
    child = fork();
    if (child == 0) {
        char *own = mmap(vmi_find(vm)->window, page, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
        if (own == MAP_FAILED)
            _exit(2);
        own[1] = 5;
        _exit(vmclose(vm) != 0 || own[1] != 5);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    push(vm, 1);
    assert_int_equal(vmcommit(vm), 0);
    assert_int_equal(vmclose(vm), 0);
    assert_int_equal(found(), 7);
}

static size_t wrote;

static int counting_write(int fd, const void *buf, size_t n, uint64_t off)
{
    wrote += n;
    return vmi_system.write(fd, buf, n, off);
}

static void *no_window(int fd, uint64_t off, size_t n)
{
    (void)fd, (void)off, (void)n;
    errno = ENOMEM;
    return NULL;
}

/* Where no window can be had, zeros for one are not written with each commit. */
static void without_windows_commits_are_small(void **state)
{
    Vmalloc_t *vm;
    (void)state;
    need_stores();
    io.write = counting_write;
    io.window = no_window;
    vm = open_loose(0, 0);
    assert_non_null(vm);
    wrote = 0;
    errno = 0;
    for (int i = 0; i < 20; i++) {
        push(vm, 1);
        assert_int_equal(vmcommit(vm), 0);
    }
    assert_int_equal(errno, 0);
    assert_true(wrote < ((size_t)1 << 20) + 20 * 4 * (size_t)sysconf(_SC_PAGESIZE));
    assert_int_equal(vmclose(vm), 0);
    assert_int_equal(found(), 23);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(killed_in_the_middle_of_a_store, begin, end),
        cmocka_unit_test_setup_teardown(what_was_stored_outlives_the_process, begin, end),
        cmocka_unit_test_setup_teardown(others_see_what_was_stored, begin, end),
        cmocka_unit_test_setup_teardown(a_turn_of_another_between, begin, end),
        cmocka_unit_test_setup_teardown(a_child_that_closes_leaves_other_memory_alone, begin, end),
        cmocka_unit_test_setup_teardown(without_windows_commits_are_small, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
