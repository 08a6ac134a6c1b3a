/* SPDX-License-Identifier: MIT */
/*
 * What is refused, with which errno and reason: each field of the header wrong, files of other kinds,
 * addresses that are taken, an image that is open already.
 */
#include "_test.h"

#include <sys/mman.h>

#include "format.h"

static void refused(const char *path, unsigned flags, Vmethod_t *meth, int e, const char *reason)
{
    Vmimgopt_t opt;
    char why[160];
    Vmalloc_t *vm;
    memset(&opt, 0, sizeof opt);
    opt.flags = flags;
    opt.meth = meth;
    errno = 0;
    vm = vmimage(path, &opt);
    if (vm != NULL)
        fail_msg("opened, though: %s", reason);
    if (e != EADDRINUSE || errno != ENOMEM) /* valgrind's word for it */
        assert_int_equal(errno, e);
    if (strstr(opt.why, reason) == NULL)
        fail_msg("\"%s\" says nothing of \"%s\"", opt.why, reason);
    assert_int_equal(vmimagewhy(why, sizeof why), strlen(opt.why));
    assert_string_equal(why, opt.why);
}

static vmi_super_t readsuper(int i)
{
    vmi_super_t s;
    int fd = open(file, O_RDONLY);
    assert_int_equal(pread(fd, &s, sizeof s, i ? VMI_SUPER1 : 0), sizeof s);
    close(fd);
    return s;
}

static void writesuper(int i, vmi_super_t s, int sign)
{
    int fd = open(file, O_WRONLY);
    if (sign)
        s.sum = vmi_sum(&s, offsetof(vmi_super_t, sum), VMI_MAGIC);
    assert_int_equal(pwrite(fd, &s, sizeof s, i ? VMI_SUPER1 : 0), sizeof s);
    close(fd);
}

static void make(void)
{
    Vmalloc_t *vm = must_open(file, 0, NULL);
    push(vm, 1000);
    assert_int_equal(vmcommit(vm), 0);
    assert_int_equal(vmclose(vm), 0);
}

/* Both headers get a field changed, with a right sum. */
#define FIELD(member, value, e, reason)                                                            \
    do {                                                                                           \
        vmi_super_t a = good[0], b = good[1];                                                      \
        a.member = b.member = (value);                                                             \
        writesuper(0, a, 1), writesuper(1, b, 1);                                                  \
        refused(file, 0, NULL, e, reason);                                                         \
        refused(file, VM_IMGREAD, NULL, e, reason);                                                \
    } while (0)

static void fields(void **state)
{
    vmi_super_t good[2];
    Vmalloc_t *vm;
    (void)state;
    make();
    good[0] = readsuper(0), good[1] = readsuper(1);
    FIELD(magic, 0x1234, EPROTO, "no image");
    FIELD(magic, __builtin_bswap64(VMI_MAGIC), EPROTO, "byte order");
    FIELD(order, 0x04030201, EPROTO, "byte order");
    FIELD(version, VMI_OLDEST - 1, EPROTO, "older version");
    FIELD(version, VMI_VERSION + 1, EPROTO, "newer version");
    FIELD(word, 12, EPROTO, "word size");
    FIELD(page, 12288, EPROTO, "page size");
    FIELD(base, 0, EUCLEAN, "addresses");
    FIELD(base, good[0].base + 4096, EUCLEAN, "addresses");
    FIELD(base, UINT64_MAX << 30, EUCLEAN, "addresses");
    FIELD(limit, 0, EUCLEAN, "addresses");
    FIELD(limit, UINT64_MAX, EUCLEAN, "addresses");
    FIELD(npages, UINT64_MAX / 2, EUCLEAN, "sizes");
    FIELD(npages, (uint64_t)1 << (sizeof(void *) > 4 ? 20 : 18), EUCLEAN, "cut");
    FIELD(journal, 0, EUCLEAN, "sizes");
    FIELD(journal, UINT64_MAX & ~(uint64_t)511, EUCLEAN, "sizes");
    FIELD(journal, good[0].journal + 1, EUCLEAN, "sizes");
    writesuper(0, good[0], 0), writesuper(1, good[1], 0);
    vm = must_open(file, 0, NULL);
    assert_int_equal(length(vm), 1000);
    assert_int_equal(vmclose(vm), 0);
}

/* One damaged header does not matter, two do. */
static void damaged(void **state)
{
    vmi_super_t s, good[2];
    int i, k;
    Vmalloc_t *vm;
    (void)state;
    make();
    good[0] = readsuper(0), good[1] = readsuper(1);
    i = good[0].seq > good[1].seq ? 1 : 0; /* the older one */
    for (k = 0; k < 504; k++) {
        s = good[i];
        ((unsigned char *)&s)[k] ^= 0x55;
        writesuper(i, s, 0);
        if (k % 50 == 0) {
            vm = must_open(file, VM_IMGREAD, NULL);
            assert_int_equal(length(vm), 1000);
            assert_int_equal(vmclose(vm), 0);
        }
        s = good[!i];
        ((unsigned char *)&s)[k] ^= 0x55;
        writesuper(!i, s, 0);
        refused(file, 0, NULL, k < 24 ? EPROTO : EUCLEAN, "");
        writesuper(!i, good[!i], 0);
    }
}

static void other_files(void **state)
{
    int fd;
    (void)state;
    refused(folder, 0, NULL, EISDIR, "refuses");
    refused("/dev/null", 0, NULL, EINVAL, "no regular file");
    refused("/nowhere/at/all", 0, NULL, ENOENT, "not there");
    refused(file, VM_IMGEXIST, NULL, ENOENT, "not there");
    refused(file, VM_IMGREAD, NULL, ENOENT, "not there");
    refused(NULL, 0, NULL, EINVAL, "no path");
    fd = open(other, O_CREAT | O_WRONLY, 0600);
    assert_int_equal(write(fd, "a file of somebody", 18), 18);
    close(fd);
    refused(other, 0, NULL, EPROTO, "no image");
    make();
    refused(file, VM_IMGNEW, NULL, EEXIST, "already");
    refused(file, 0, Vmlast, EPROTO, "another method");
    assert_int_equal(truncate(file, 200000), 0);
    refused(file, 0, NULL, EUCLEAN, "cut");
}

static void twice(void **state)
{
    Vmalloc_t *vm = must_open(file, 0, NULL), *vm2;
    char path[120];
    (void)state;
    push(vm, 10);
    assert_int_equal(vmcommit(vm), 0);
    refused(file, 0, NULL, EBUSY, "has it open");
    refused(file, VM_IMGREAD, NULL, EBUSY, "has it open");
    snprintf(path, sizeof path, "%s/link", folder);
    assert_int_equal(symlink(file, path), 0);
    refused(path, 0, NULL, EBUSY, "has it open");
    assert_int_equal(vmsnapshot(vm, other), 0);
    refused(other, 0, NULL, EADDRINUSE, "addresses");
    assert_int_equal(vmclose(vm), 0);
    vm = must_open(path, 0, NULL); /* by a link, and moved */
    assert_int_equal(length(vm), 10);
    assert_int_equal(vmclose(vm), 0);
    assert_int_equal(rename(other, path), 0);
    vm = must_open(path, 0, NULL);
    assert_int_equal(length(vm), 10);
    snprintf(path, sizeof path, "%s/third", folder);
    vm2 = must_open(path, 0, NULL); /* two at once */
    push(vm2, 3);
    assert_int_equal(vmcommit(vm2), 0);
    assert_int_equal(length(vm) + length(vm2), 13);
    assert_int_equal(vmclose(vm2), 0);
    assert_int_equal(vmclose(vm), 0);
}

static void taken(void **state)
{
    Vmalloc_t *vm = must_open(file, 0, NULL);
    Vmimgstat_t st;
    void *p;
    (void)state;
    assert_int_equal(vmimgstat(vm, &st), 0);
    assert_int_equal(vmclose(vm), 0);
    p = mmap((char *)st.base + 65536, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    assert_true(p != MAP_FAILED);
    refused(file, 0, NULL, EADDRINUSE, "addresses");
    munmap(p, 4096);
    vm = must_open(file, 0, NULL);
    assert_int_equal(vmclose(vm), 0);
}

static void no_image(void **state)
{
    Vmalloc_t *vm = vmopen(Vmdcsystem, Vmbest, 0);
    Vmimgstat_t st;
    (void)state;
    assert_int_equal(vmcommit(vm), -1);
    assert_int_equal(errno, EINVAL);
    assert_int_equal(vmrollback(NULL), -1);
    assert_int_equal(vmsync(vm), -1);
    assert_int_equal(vmsnapshot(vm, other), -1);
    assert_int_equal(vmturn(vm, 1), -1);
    assert_int_equal(vmimgstat(vm, &st), -1);
    assert_null(vmrootget(vm, "x", NULL));
    assert_int_equal(errno, EINVAL);
    assert_int_equal(vmclose(vm), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(fields, setup, teardown),
        cmocka_unit_test_setup_teardown(damaged, setup, teardown),
        cmocka_unit_test_setup_teardown(other_files, setup, teardown),
        cmocka_unit_test_setup_teardown(twice, setup, teardown),
        cmocka_unit_test_setup_teardown(taken, setup, teardown),
        cmocka_unit_test_setup_teardown(no_image, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
