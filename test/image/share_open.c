/* SPDX-License-Identifier: MIT */
/* Shared images are made, found again, moved, refused; see share_die.c for processes that die. */
#define _GNU_SOURCE 1
#include "_share.h"

static void made_and_found_again(void **state)
{
    const char *name = tempname();
    Vmalloc_t *vm = vmmopen(name, -1, 1 << 20);
    struct stat st;
    char *p;

    (void)state;
    assert_non_null(vm);
    assert_int_equal(stat(name, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    p = vmalloc(vm, 100);
    assert_non_null(p);
    strcpy(p, "still there");
    assert_ptr_equal(vmmvalue(vm, 7, p, VM_MMSET), p);
    assert_ptr_equal(vmmvalue(vm, 8, (Void_t *)3, VM_MMADD), (Void_t *)3);
    assert_int_equal(vmclose(vm), 0);
    vm = vmmopen(name, -1, 1);
    assert_non_null(vm);
    assert_ptr_equal(vmmvalue(vm, 7, NULL, VM_MMGET), p);
    assert_string_equal(p, "still there");
    assert_ptr_equal(vmmvalue(vm, 8, (Void_t *)4, VM_MMADD), (Void_t *)7);
    assert_null(vmmvalue(vm, 9, NULL, VM_MMGET));
    errno = 0;
    assert_null(vmmvalue(vm, 8, NULL, 3));
    assert_int_equal(errno, EINVAL);
    assert_null(vmmvalue(Vmheap, 8, NULL, VM_MMGET));
    assert_ptr_equal(vmregion(p), vm);
    assert_int_equal(vmsize(vm, p), 112);
    assert_int_equal(vmfree(vm, p), 0);
    assert_int_equal(vmfree(vm, p), -1);
    assert_int_equal(vmdbcheck(vm), 0);
    vmmrelease(vm, 1);
    assert_int_equal(vmclose(vm), 0);
    assert_int_equal(access(name, F_OK), -1);
    assert_null(vmregion(p));
}

/* Blocks of all sizes, far beyond the size that was asked for. */
static void grows(void **state)
{
    Vmshare_t opt = {.flags = VM_SHONCE, .size = 1 << 20, .limit = (size_t)1 << 30};
    Vmalloc_t *vm = vmmshare(tempname(), &opt);
    size_t i, n = 0;
    char *p;

    (void)state;
    assert_non_null(vm);
    for (i = 0; i < 3000; i++, n++) {
        size_t size = 1 + i * i % 70000;
        p = vmalloc(vm, size);
        assert_non_null(p);
        memset(p, (int)i, size);
    }
    assert_int_equal(vmdbcheck(vm), 0);
    p = vmalloc(vm, 300 << 20);
    assert_non_null(p);
    p[(300 << 20) - 1] = 1;
    assert_int_equal(vmfree(vm, p), 0);
    errno = 0;
    assert_null(vmalloc(vm, (size_t)1 << 31));
    assert_int_equal(errno, ENOMEM);
    assert_int_equal(vmcompact(vm), 0);
    assert_int_equal(vmdbcheck(vm), 0);
    assert_int_equal(vmclear(vm), 0);
    assert_int_equal(vmdbcheck(vm), 0);
    assert_non_null(vmalloc(vm, 10));
    assert_int_equal(vmclose(vm), 0);
}

/* Pages of free blocks leave the file. */
static void compacts(void **state)
{
    const char *name = tempname();
    Vmalloc_t *vm = vmmopen(name, -1, 1 << 20);
    struct stat full, less;
    char *p = vmalloc(vm, 8 << 20);

    (void)state;
    assert_non_null(p);
    memset(p, 1, 8 << 20);
    assert_int_equal(stat(name, &full), 0);
    assert_int_equal(vmfree(vm, p), 0);
    assert_int_equal(vmcompact(vm), 0);
    assert_int_equal(stat(name, &less), 0);
    assert_true(less.st_blocks < full.st_blocks - (7 << 11));
    p = vmalloc(vm, 8 << 20);
    assert_non_null(p);
    memset(p, 2, 8 << 20);
    vmmrelease(vm, 1);
    assert_int_equal(vmclose(vm), 0);
}

/* Twice in one process: one region, closed when it was closed as often. */
static void opened_twice(void **state)
{
    const char *name = tempname();
    char other[80];
    Vmalloc_t *vm = vmmopen(name, -1, 1 << 20), *again;
    Vmdisc_t *disc;

    (void)state;
    snprintf(other, sizeof other, "%s.link", name);
    assert_int_equal(symlink(name, other), 0);
    again = vmmopen(other, -1, 1 << 20);
    assert_ptr_equal(again, vm);
    assert_int_equal(vmclose(again), 0);
    assert_non_null(vmalloc(vm, 1));
    disc = vmdcshare(name, -1, 1 << 20, 0);
    errno = 0;
    assert_null(vmopen(disc, Vmbest, 0));
    assert_int_equal(errno, EBUSY);
    assert_int_equal(vmdcfree(disc), 0);
    vmmrelease(vm, 1);
    assert_int_equal(vmclose(vm), 0);
    unlink(other);
}

static int openmoved(void *arg)
{
    Vmalloc_t *vm = vmmopen(arg, -1, 1 << 20);
    char *p = vm != NULL ? vmmvalue(vm, 1, NULL, VM_MMGET) : NULL;

    return p == NULL || strcmp(p, "here") != 0 || vmclose(vm) != 0;
}

static void moved_copied_and_linked(void **state)
{
    const char *name = tempname();
    char to[80], command[256];
    Vmalloc_t *vm = vmmopen(name, -1, 1 << 20);

    (void)state;
    vmmvalue(vm, 1, vmstrdup(vm, "here"), VM_MMSET);
    assert_int_equal(vmclose(vm), 0);
    snprintf(to, sizeof to, "%s.moved", name);
    assert_int_equal(rename(name, to), 0);
    assert_int_equal(inprocess(openmoved, to), 0);
    snprintf(command, sizeof command, "cp %s %s", to, name);
    assert_int_equal(system(command), 0);
    unlink(to);
    assert_int_equal(inprocess(openmoved, (void *)name), 0);
    assert_int_equal(chdir("/tmp"), 0);
    assert_int_equal(inprocess(openmoved, (void *)(strrchr(name, '/') + 1)), 0);
    unlink(name);
}

static void by_name_of_memory(void **state)
{
    Vmalloc_t *vm = vmmopen("vmalloc test", getpid(), 1 << 20), *again;

    (void)state;
    assert_non_null(vm);
    assert_ptr_equal(vmmvalue(vm, 1, (Void_t *)5, VM_MMSET), (Void_t *)5);
    assert_int_equal(vmclose(vm), 0);
    again = vmmopen("vmalloc other test", getpid(), 1 << 20);
    vm = vmmopen("vmalloc test", getpid(), 1 << 20);
    assert_non_null(vm);
    assert_non_null(again);
    assert_ptr_not_equal(vm, again);
    assert_ptr_equal(vmmvalue(vm, 1, NULL, VM_MMGET), (Void_t *)5);
    assert_null(vmmvalue(again, 1, NULL, VM_MMGET));
    vmmrelease(vm, 1);
    vmmrelease(again, 1);
    assert_int_equal(vmclose(vm), 0);
    assert_int_equal(vmclose(again), 0);
}

static void by_descriptor(void **state)
{
    int fd = memfd_create("vmalloc", MFD_CLOEXEC);
    Vmshare_t opt = {.flags = VM_SHFD, .fd = fd, .meth = Vmlast};
    Vmalloc_t *vm = vmmshare(NULL, &opt);
    char *p;

    (void)state;
    assert_non_null(vm);
    p = vmalloc(vm, 10);
    strcpy(p, "memory");
    assert_int_equal(vmclose(vm), 0);
    vm = vmmshare(NULL, &opt);
    assert_non_null(vm);
    assert_string_equal(p, "memory");
    assert_int_equal(vmsize(vm, p), 16);
    assert_int_equal(vmclose(vm), 0);
    opt.meth = NULL;
    assert_null(vmmshare(NULL, &opt));
    assert_int_equal(errno, EPROTO);
    opt.meth = Vmdebug;
    assert_null(vmmshare(NULL, &opt));
    assert_int_equal(errno, ENOTSUP);
    opt.meth = NULL;
    assert_null(vmmshare(NULL, &opt));
    assert_string_equal(opt.why, "it was made with another method");
    opt.flags = VM_SHFD | VM_SHNEW;
    assert_null(vmmshare(NULL, &opt));
    assert_int_equal(errno, EEXIST);
    close(fd);
}

static void address_taken(void **state)
{
    const char *name = tempname();
    Vmshare_t opt = {.addr = vmmaddress((size_t)64 << 30)};
    Vmalloc_t *vm = vmmshare(name, &opt);
    void *base, *mine;

    (void)state;
    assert_non_null(vm);
    base = (void *)((uintptr_t)vmdata(vm) & ~(uintptr_t)0xffffff);
    assert_int_equal(vmclose(vm), 0);
    mine = mmap(base, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    assert_ptr_equal(mine, base);
    *(int *)mine = 42;
    errno = 0;
    assert_null(vmmshare(name, &opt));
    assert_int_equal(errno, EADDRINUSE);
    assert_int_equal(*(int *)mine, 42);
    munmap(mine, 4096);
    vm = vmmshare(name, &opt);
    assert_non_null(vm);
    vmmrelease(vm, 1);
    assert_int_equal(vmclose(vm), 0);
}

/* ---- refused ---- */

static void expect(const char *name, unsigned flags, int e)
{
    Vmshare_t opt = {.flags = flags};

    errno = 0;
    assert_null(vmmshare(name, &opt));
    assert_int_equal(errno, e);
}

static void refused(void **state)
{
    const char *name = tempname();
    int fd = open(name, O_CREAT | O_RDWR, 0600);
    char text[100];

    (void)state;
    memset(text, 'x', sizeof text);
    assert_int_equal(write(fd, text, sizeof text), sizeof text);
    expect(name, 0, EPROTO);
    expect("/tmp", 0, EISDIR);
    expect("/dev/null", 0, EINVAL);
    expect("/nowhere/at/all", 0, ENOENT);
    expect("", 0, EINVAL);
    expect("a/b", VM_SHMEMORY, EINVAL);
    unlink(name);
    expect(name, VM_SHEXIST, ENOENT);
    assert_null(vmmopen(NULL, -1, 100));
    assert_null(vmmopen(NULL, 1, 100));
    assert_null(vmdcshare("", -1, 100, 0));
    assert_null(vmdcshare(name, -1, 0, 0));
    assert_int_equal(ftruncate(fd, 0), 0);
    close(fd);
    if (geteuid() == 0) {
        Vmalloc_t *vm = vmmopen(name, -1, 100);
        assert_non_null(vm);
        vmclose(vm);
        assert_int_equal(chown(name, 12345, 12345), 0);
        expect(name, 0, EPERM);
        vm = vmmshare(name, &(Vmshare_t){.flags = VM_SHFOREIGN});
        assert_non_null(vm);
        vmclose(vm);
        unlink(name);
    }
}

/* Each byte of the head is changed; the region is refused, or as it was. */
static int openany(void *arg)
{
    Vmshare_t opt = {.flags = VM_SHEXIST};
    Vmalloc_t *vm = vmmshare(arg, &opt);

    if (vm == NULL)
        return errno == EPROTO || errno == EUCLEAN || errno == EINVAL || errno == EADDRINUSE ||
                       errno == ENOENT
                   ? 1
                   : 99;
    return vmalloc(vm, 10) == NULL || vmdbcheck(vm) != 0 ? 98 : 0;
}

static void damaged_heads(void **state)
{
    const char *name = tempname();
    Vmalloc_t *vm = vmmopen(name, -1, 1 << 20);
    size_t i, fixed = offsetof(vmi_shead_t, sum) + 8;
    unsigned char byte, was;
    int fd, r;

    (void)state;
    assert_int_equal(vmclose(vm), 0);
    fd = open(name, O_RDWR);
    for (i = 0; i < offsetof(vmi_shead_t, slot) + 64; i++) {
        assert_int_equal(pread(fd, &was, 1, (off_t)i), 1);
        byte = (unsigned char)(was ^ (1 << i % 8));
        assert_int_equal(pwrite(fd, &byte, 1, (off_t)i), 1);
        r = inprocess(openany, (void *)name);
        if (i < fixed)
            assert_int_equal(r, 1);
        assert_in_range(r, 0, 1);
        assert_int_equal(pwrite(fd, &was, 1, (off_t)i), 1);
    }
    assert_int_equal(ftruncate(fd, lseek(fd, 0, SEEK_END) - 4096), 0);
    assert_int_equal(inprocess(openany, (void *)name), 1);
    close(fd);
    unlink(name);
}

static void addresses_differ(void **state)
{
    const int shift = sizeof(size_t) > 4 ? 26 : 18, most = sizeof(size_t) > 4 ? 64 : 8; /* for which there is room */
    char *at[64];
    int i, j;

    (void)state;
    for (i = 0; i < most; i++) {
        size_t size = (size_t)(i + 1) << shift;
        at[i] = vmmaddress(size);
        assert_non_null(at[i]);
        for (j = 0; j < i; j++)
            assert_true(at[i] + size <= at[j] || at[j] + ((size_t)(j + 1) << shift) <= at[i]);
    }
    errno = 0;
    assert_null(vmmaddress(0));
    assert_int_equal(errno, EINVAL);
}

static void offset_pointers(void **state)
{
    struct node {
        vmoff_t next;
        int value;
    } n[2] = {{0, 1}, {0, 2}}, moved[2];

    (void)state;
    VMOFF_SET(n[0].next, &n[1]);
    assert_ptr_equal(VMOFF_GET(struct node, n[0].next), &n[1]);
    assert_null(VMOFF_GET(struct node, n[1].next));
    memcpy(moved, n, sizeof n);
    assert_ptr_equal(VMOFF_GET(struct node, moved[0].next), &moved[1]);
    VMOFF_SET(moved[0].next, (struct node *)NULL);
    assert_null(VMOFF_GET(struct node, moved[0].next));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(made_and_found_again), cmocka_unit_test(grows),
        cmocka_unit_test(compacts),             cmocka_unit_test(opened_twice),
        cmocka_unit_test(moved_copied_and_linked), cmocka_unit_test(by_name_of_memory),
        cmocka_unit_test(by_descriptor),        cmocka_unit_test(address_taken),
        cmocka_unit_test(refused),              cmocka_unit_test(damaged_heads),
        cmocka_unit_test(addresses_differ),     cmocka_unit_test(offset_pointers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
