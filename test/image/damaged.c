/* SPDX-License-Identifier: MIT */
/*
 * A journal that was not closed, and a byte of one of its records changed afterwards: that of the last commit
 * is one that was cut off, and any other is damage, which is told, and not gone past unless that is asked for.
 * And: what stays behind a row of records that was cut off does not come back.
 */
#include "_test.h"

#include "format.h"
#include "io.h"

#define COMMITS 6

static int syncafter; /* so many commits there is vmsync(), if it is not 0 */

/* So many commits of a list that is n longer each time, by a process that dies then. */
static void live(int commits, int safety)
{
    int status;
    pid_t child = fork();
    if (child == 0) {
        Vmimgopt_t opt = {.safety = safety};
        Vmalloc_t *vm = vmimage(file, &opt);
        int bad = vm == NULL;
        for (int i = 0; i < commits && !bad; i++) {
            push(vm, 3);
            bad = vmcommit(vm) != 0 || (i + 1 == syncafter && vmsync(vm) != 0);
        }
        _exit(bad);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

static vmi_record_t header(uint64_t at)
{
    vmi_record_t r;
    int fd = open(file, O_RDONLY);
    assert_int_equal(pread(fd, &r, sizeof r, (off_t)at), sizeof r);
    close(fd);
    return r;
}

/* Where record n is: the first is that of the first commit, of the empty region. */
static uint64_t record(int n)
{
    vmi_super_t s[2];
    uint64_t at;
    int fd = open(file, O_RDONLY);
    assert_int_equal(pread(fd, &s[0], sizeof s[0], 0), sizeof s[0]);
    assert_int_equal(pread(fd, &s[1], sizeof s[1], (off_t)VMI_SUPER1), sizeof s[1]);
    close(fd);
    at = s[s[0].seq < s[1].seq].journal;
    while (n-- > 0) {
        assert_int_equal(header(at).magic, VMI_RECORD);
        at += header(at).size;
        if (header(at).magic != VMI_RECORD) /* it begins with a sector */
            at = VMB_UP(at, VMI_SECTOR);
    }
    return at;
}

static void flip(uint64_t at)
{
    char c;
    int fd = open(file, O_RDWR);
    assert_int_equal(pread(fd, &c, 1, (off_t)at), 1);
    c ^= 0x10;
    assert_int_equal(pwrite(fd, &c, 1, (off_t)at), 1);
    close(fd);
}

static long opened(unsigned flags)
{
    Vmalloc_t *vm = open_image(file, flags, NULL);
    long n = vm != NULL ? length(vm) : -errno;
    if (vm != NULL)
        assert_int_equal(vmclose(vm), 0);
    return n;
}

static void damage_in_the_middle_is_told(void **state)
{
    char why[160];
    vmi_record_t h;
    (void)state;
    for (int n = 1; n < COMMITS; n++) { /* a byte of the header, of the list, of the lines or what is last there */
        unlink(file);
        live(COMMITS, VM_IMGPOWER);
        h = header(record(n));
        flip(record(n) + (n % 3 == 0 ? 40 : n % 3 == 1 ? h.list + 2 : h.list + h.count * 16 + h.lines - 1));
        assert_int_equal(opened(VM_IMGEXIST), -EUCLEAN);
        vmimagewhy(why, sizeof why);
        assert_non_null(strstr(why, "damaged in the journal"));
        errno = 0;
        assert_int_equal(vmimagecheck(file, NULL, NULL), -1);
        assert_int_equal(errno, EUCLEAN);
        assert_int_equal(opened(VM_IMGEXIST | VM_IMGREAD), 3 * (n - 1));
        assert_int_equal(opened(VM_IMGEXIST | VM_IMGCUT), 3 * (n - 1));
        assert_int_equal(opened(VM_IMGEXIST), 3 * (n - 1));
    }
    assert_int_equal(vmimagecheck(file, NULL, NULL), 0);
}

static void the_last_commit_was_cut_off(void **state)
{
    (void)state;
    live(COMMITS, VM_IMGPOWER);
    flip(record(COMMITS) + 40);
    assert_int_equal(vmimagecheck(file, NULL, NULL), 0);
    assert_int_equal(opened(VM_IMGEXIST), 3 * (COMMITS - 1));
}

/* Without syncs, what came later may be on the disk when what came before is not. */
static void without_syncs_any_commit_may_be_cut_off(void **state)
{
    (void)state;
    live(COMMITS, VM_IMGPROCESS);
    flip(record(3) + 40);
    assert_int_equal(vmimagecheck(file, NULL, NULL), 0);
    assert_int_equal(opened(VM_IMGEXIST), 6);
}

static void *no_window(int fd, uint64_t off, size_t n)
{
    (void)fd, (void)off, (void)n;
    errno = ENOTSUP;
    return NULL;
}

static int no_zeros(int fd, const void *buf, size_t n, uint64_t off)
{
    const char *p = buf;
    return n >= VMI_SECTOR && p[0] == 0 && memcmp(p, p + 1, n - 1) == 0 ? 0 : vmi_system.write(fd, buf, n, off);
}

/* A reader keeps the journal from being started anew, and the new record is as long as the one that was cut
 * off: the next one fits behind it, by its place and number. */
static void what_was_cut_off_does_not_come_back(void **state)
{
    vmi_io_t io = vmi_system;
    uint64_t size;
    int status, to[2], from[2];
    pid_t child;
    char c;
    (void)state;
    io.window = no_window; /* a window is filled with zeros first, */
    io.write = no_zeros;
    vmi_io = &io; /* and then nothing is there that could come back */
    syncafter = 2; /* so record 3 begins with a sector, and another can be in its place */
    live(COMMITS, VM_IMGPROCESS);
    syncafter = 0;
    size = header(record(3)).size;
    flip(record(3) + 40);
    assert_int_equal(pipe(to) | pipe(from), 0);
    child = fork();
    if (child == 0) {
        Vmalloc_t *reader = open_image(file, VM_IMGREAD | VM_IMGEXIST, NULL);
        close(to[1]);
        if (write(from[1], "x", 1) != 1 || read(to[0], &c, 1) != 0) /* until the other end is closed */
            _exit(2);
        _exit(reader == NULL || length(reader) != 6);
    }
    assert_int_equal(read(from[0], &c, 1), 1);
    live(1, VM_IMGPROCESS);
    close(to[0]), close(to[1]), close(from[0]), close(from[1]);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_int_equal(header(record(3)).size, size);
    assert_int_equal(header(record(4)).magic, VMI_RECORD); /* it is there, and says that it follows */
    assert_int_equal(header(record(4)).seq, 4);
    assert_int_equal(opened(VM_IMGEXIST | VM_IMGREAD), 9);
    assert_int_equal(opened(VM_IMGEXIST), 9);
    vmi_io = &vmi_system;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(damage_in_the_middle_is_told, setup, teardown),
        cmocka_unit_test_setup_teardown(the_last_commit_was_cut_off, setup, teardown),
        cmocka_unit_test_setup_teardown(without_syncs_any_commit_may_be_cut_off, setup, teardown),
        cmocka_unit_test_setup_teardown(what_was_cut_off_does_not_come_back, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
