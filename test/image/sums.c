/* SPDX-License-Identifier: MIT */
/*
 * Every page has its sum, however it came to be what it is; and each bit that is changed in the file is told,
 * with the page that it is in.
 */
#define _GNU_SOURCE 1 /* SEEK_DATA, memmem() */
#include "_test.h"

#include "format.h"

#define BIG ((size_t)400 * 65536) /* more pages than a record names, of any size */

typedef struct told {
    long n;
    size_t offset, size;
    void *addr;
} told_t;

static int tell(const Vmimgpage_t *page, Void_t *handle)
{
    told_t *t = handle;
    assert_true(page->done <= page->all);
    if (page->wrong) {
        t->n++;
        t->offset = page->offset;
        t->size = page->size;
        t->addr = page->addr;
    }
    return 0;
}

static void sound(const char *path)
{
    told_t t = {0, 0, 0, NULL};
    char why[160];
    long n = vmimagecheck(path, tell, &t);
    if (n < 0) {
        vmimagewhy(why, sizeof why);
        fail_msg("%s", why);
    }
    if (n > 0)
        fail_msg("%ld pages are wrong, the last at %p, offset %zu", n, t.addr, t.offset);
}

static void flip(int fd, off_t at, int bit)
{
    unsigned char c = 0;
    assert_int_equal(pread(fd, &c, 1, at), 1);
    c ^= (unsigned char)(1 << bit);
    assert_int_equal(pwrite(fd, &c, 1, at), 1);
}

/* One bit of the byte at `at`: that page is told, and no other. */
static void flipped(int fd, off_t at, int bit)
{
    told_t t = {0, 0, 0, NULL};
    flip(fd, at, bit);
    assert_int_equal(vmimagecheck(file, tell, &t), 1);
    assert_int_equal(t.n, 1);
    if ((size_t)at < t.offset || (size_t)at >= t.offset + t.size)
        fail_msg("bit %d of byte %ld: the page at %zu is told", bit, (long)at, t.offset);
    flip(fd, at, bit);
}

/* Blocks that stay, some of zeros, and some that are gone. */
static void fill(Vmalloc_t *vm)
{
    char *p[40];
    for (size_t i = 0; i < 40; i++) {
        p[i] = vmresize(vm, NULL, 9000, VM_RSZERO);
        assert_non_null(p[i]);
        if (i % 3)
            memset(p[i], (int)i, 9000);
    }
    push(vm, 500);
    assert_int_equal(vmcommit(vm), 0);
    for (size_t i = 30; i < 40; i++)
        if (vmfree(vm, p[i]) != 0)
            break;
    push(vm, 500);
    assert_int_equal(vmcommit(vm), 0);
}

/* A region of a method whose blocks may be of one size. */
static void fill_pool(Vmalloc_t *vm)
{
    push(vm, 2000);
    assert_int_equal(vmcommit(vm), 0);
}

static void closed(void **state)
{
    Vmethod_t *const meth[] = {Vmbest, Vmlast, Vmpool};
    (void)state;
    for (int i = 0; i < 3; i++) {
        Vmalloc_t *vm = must_open(file, 0, meth[i]);
        (meth[i] == Vmpool ? fill_pool : fill)(vm);
        sound(file); /* in the journal */
        assert_int_equal(vmclose(vm), 0);
        sound(file);
        vm = must_open(file, 0, NULL);
        push(vm, 100);
        assert_int_equal(vmcommit(vm), 0);
        push(vm, 100);
        assert_int_equal(vmrollback(vm), 0);
        push(vm, 1);
        assert_int_equal(vmcommit(vm), 0);
        assert_int_equal(vmsnapshot(vm, other), 0);
        assert_int_equal(vmclose(vm), 0);
        sound(file);
        sound(other);
        unlink(file);
    }
}

/* Any byte of any page that is there, in turns each bit of it; and holes in which something appears. */
static void every_page(void **state)
{
    Vmalloc_t *vm = must_open(file, 0, NULL);
    struct stat st;
    size_t page, k = 0;
    off_t at;
    int fd;
    (void)state;
    fill(vm);
    page = (size_t)getpagesize();
    assert_int_equal(vmclose(vm), 0);
    fd = open(file, O_RDWR);
    assert_int_equal(fstat(fd, &st), 0);
    for (at = lseek(fd, VMI_HOME, SEEK_DATA); at >= 0 && at < st.st_size; at = lseek(fd, at, SEEK_DATA), k++) {
        told_t t = {0, 0, 0, NULL};
        flip(fd, at, 0); /* sums of pages that are not there mean nothing */
        if (vmimagecheck(file, tell, &t) == 1 && t.offset == (size_t)at / t.size * t.size) {
            flip(fd, at, 0);
            flipped(fd, at + (off_t)(k * 509 % page), (int)(k % 8));
            page = t.size;
        } else {
            flip(fd, at, 0);
        }
        at += (off_t)page;
    }
    assert_true(k >= 3);
    sound(file);
    close(fd);
}

/* Each bit of some bytes of a page with a block, and of its sum. */
static void every_bit(void **state)
{
    Vmalloc_t *vm = must_open(file, 0, NULL);
    char *block = vmalloc(vm, 3000);
    told_t t = {0, 0, 0, NULL};
    struct stat st;
    char *map, *p;
    int fd;
    (void)state;
    assert_non_null(block);
    memset(block, 0, 3000);
    strcpy(block, "in this block");
    assert_int_equal(vmcommit(vm), 0);
    assert_int_equal(vmclose(vm), 0);
    fd = open(file, O_RDWR);
    assert_int_equal(fstat(fd, &st), 0);
    map = malloc((size_t)st.st_size);
    assert_non_null(map);
    assert_int_equal(pread(fd, map, (size_t)st.st_size, 0), st.st_size);
    p = memmem(map, (size_t)st.st_size, "in this block", 13);
    assert_non_null(p);
    for (int i = 0; i < 3000; i += 97)
        for (int bit = 0; bit < 8; bit++)
            flipped(fd, p - map + i, bit);
    flip(fd, p - map, 3);
    assert_int_equal(vmimagecheck(file, tell, &t), 1);
    assert_ptr_equal(t.addr, block - (uintptr_t)block % t.size);
    flip(fd, p - map, 3);
    flip(fd, VMI_HOME, 5); /* the sum of page 0 */
    assert_int_equal(vmimagecheck(file, tell, &t), 1);
    flip(fd, VMI_HOME, 5);
    sound(file);
    free(map);
    close(fd);
}

/* More pages at once than a record names: their sums are in the file before the commit is, also when
 * the process dies then. */
static void many_at_once(void **state)
{
    pid_t child = fork();
    int status;
    Vmalloc_t *vm;
    (void)state;
    if (child == 0) {
        char *p;
        vm = open_image(file, 0, NULL);
        p = vm != NULL ? vmalloc(vm, BIG) : NULL;
        if (p == NULL)
            _exit(1);
        memset(p, 'x', BIG / 2);
        _exit(vmcommit(vm) != 0);
    }
    assert_true(child > 0 && waitpid(child, &status, 0) == child);
    assert_int_equal(status, 0);
    sound(file);
    vm = must_open(file, 0, NULL);
    push(vm, 10);
    assert_int_equal(vmcommit(vm), 0);
    assert_int_equal(vmclose(vm), 0);
    sound(file);
}

/* Pages that were there become zeros: purged, or written. */
static void zeroed(void **state)
{
    Vmalloc_t *vm = must_open(file, 0, NULL);
    char *p = vmalloc(vm, BIG / 8), *q = vmalloc(vm, BIG / 8);
    (void)state;
    assert_true(p != NULL && q != NULL);
    memset(p, 1, BIG / 8);
    memset(q, 2, BIG / 8);
    assert_int_equal(vmcommit(vm), 0);
    memset(q, 0, BIG / 8);
    assert_int_equal(vmfree(vm, p), 0);
    assert_int_equal(vmcompact(vm), 0);
    assert_int_equal(vmcommit(vm), 0);
    sound(file);
    assert_int_equal(vmclose(vm), 0);
    sound(file);
}

static int stop(const Vmimgpage_t *page, Void_t *handle)
{
    (void)page, (void)handle;
    errno = ECANCELED;
    return -1;
}

static void refused(void **state)
{
    Vmalloc_t *vm = must_open(file, 0, NULL);
    int fd;
    (void)state;
    push(vm, 10);
    assert_int_equal(vmcommit(vm), 0);
    assert_int_equal(vmclose(vm), 0);
    assert_int_equal(vmimagecheck(NULL, NULL, NULL), -1);
    assert_int_equal(vmimagecheck(folder, NULL, NULL), -1);
    assert_int_equal(vmimagecheck(other, NULL, NULL), -1);
    assert_int_equal(errno, ENOENT);
    fd = open(file, O_RDWR);
    flip(fd, VMI_HOME, 1);
    close(fd);
    assert_int_equal(vmimagecheck(file, NULL, NULL), 1);
    assert_int_equal(vmimagecheck(file, stop, NULL), -1);
    assert_int_equal(errno, ECANCELED);
    assert_int_equal(truncate(file, 100000), 0);
    assert_int_equal(vmimagecheck(file, NULL, NULL), -1);
    assert_int_equal(errno, EUCLEAN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(closed, setup, teardown),
        cmocka_unit_test_setup_teardown(every_page, setup, teardown),
        cmocka_unit_test_setup_teardown(every_bit, setup, teardown),
        cmocka_unit_test_setup_teardown(many_at_once, setup, teardown),
        cmocka_unit_test_setup_teardown(zeroed, setup, teardown),
        cmocka_unit_test_setup_teardown(refused, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
