/* SPDX-License-Identifier: MIT */
/*
 * Processes that share nothing but a name: what one of them made in a file the next one finds, at the same time or
 * later, with each method that can be shared.  Without fork(), so that it holds on Windows too; share_open.c and
 * share_die.c have more, and fork.
 */
#define _GNU_SOURCE 1
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <vmalloc/share.h>

enum { LIST = 1, TURNS, READY, GO }; /* numbers of values */
enum { NODES = 300, ROUNDS = 300, CHILDREN = 4 };

typedef struct node {
    struct node *next;
    long value;
    char more[1000];
} node_t;

static const char *self;
static char file[300], other[310];

static Vmethod_t *method(const char *name)
{
    return strcmp(name, "best") == 0 ? Vmbest : strcmp(name, "last") == 0 ? Vmlast : Vmpool;
}

static Vmalloc_t *open_as(const char *name, const char *meth)
{
    Vmshare_t opt = {.size = 1 << 20, .limit = (size_t)1 << 28};
    Vmalloc_t *vm;

    opt.meth = method(meth);
    vm = vmmshare(name, &opt);
    if (vm == NULL)
        fprintf(stderr, "%s: %s, errno %d\n", name, opt.why, errno);
    return vm;
}

/* ---- what a second process does ---- */

static int add(Vmalloc_t *vm, int n)
{
    for (int i = 1; i <= n; i++) {
        node_t *node = vmalloc(vm, sizeof *node);
        if (node == NULL)
            return 1;
        memset(node->more, i, sizeof node->more);
        node->value = i;
        node->next = vmmvalue(vm, LIST, NULL, VM_MMGET);
        vmmvalue(vm, LIST, node, VM_MMSET);
    }
    return 0;
}

static int turns(Vmalloc_t *vm)
{
    char *p[8] = {0};

    for (int i = 0; i < ROUNDS; i++) {
        size_t size = 1 + (size_t)i * 37 % 5000;
        if (p[i % 8] != NULL && vmfree(vm, p[i % 8]) != 0)
            return 2;
        p[i % 8] = vmalloc(vm, size);
        if (p[i % 8] == NULL)
            return 3;
        memset(p[i % 8], i, size);
        vmmvalue(vm, TURNS, (Void_t *)1, VM_MMADD);
    }
    for (int i = 0; i < 8; i++)
        if (vmfree(vm, p[i]) != 0)
            return 4;
    return 0;
}

static int appears(Vmalloc_t *vm, int key)
{
    for (int i = 0; i < 60000; i++) {
        if (vmmvalue(vm, key, NULL, VM_MMGET) != NULL)
            return 1;
        usleep(1000);
    }
    return 0;
}

static int child(const char *what, const char *name, const char *meth)
{
    Vmalloc_t *vm = open_as(name, meth);
    int r = 0;

    if (vm == NULL)
        return 20;
    if (strcmp(what, "turns") == 0)
        r = turns(vm);
    else if (strcmp(what, "stay") == 0)
        r = vmmvalue(vm, READY, (Void_t *)1, VM_MMSET) == NULL || !appears(vm, GO);
    else
        r = add(vm, NODES);
    if (strcmp(what, "die") == 0)
        kill(getpid(), SIGKILL);
    return vmclose(vm) != 0 ? 21 : r;
}

/* ---- the first process ---- */

static pid_t start(const char *what, const char *meth)
{
    char *args[] = {(char *)(uintptr_t)self, (char *)(uintptr_t)what, file, (char *)(uintptr_t)meth, NULL};
    pid_t pid = 0;

    assert_int_equal(posix_spawn(&pid, self, NULL, NULL, args, environ), 0);
    return pid;
}

/* Where this process can have it: a tool that it runs under may keep some addresses, and is not in its children. */
static void make(const char *meth)
{
    Vmalloc_t *vm = open_as(file, meth);

    assert_non_null(vm);
    assert_int_equal(vmclose(vm), 0);
}

static int ended(pid_t pid)
{
    int status = -1;

    assert_int_equal(waitpid(pid, &status, 0), pid);
    return status;
}

static void run(const char *what, const char *meth)
{
    assert_int_equal(ended(start(what, meth)), 0);
}

static int begin(void **state)
{
    static int n;
    const char *folder = getenv("TEMP"); /* as Windows has it */

    (void)state;
    snprintf(file, sizeof file, "%.200s/vmalloc-spawn-%ld-%d", folder != NULL ? folder : "/tmp", (long)getpid(), n++);
    snprintf(other, sizeof other, "%s.other", file);
    unlink(file);
    return 0;
}

static int end(void **state)
{
    (void)state;
    unlink(file);
    unlink(other);
    return 0;
}

static int count(Vmalloc_t *vm, Void_t *addr, size_t size, int busy, Void_t *handle)
{
    const node_t *n = addr;

    (void)vm;
    if (busy && size >= sizeof *n) {
        assert_int_equal(n->more[0], (char)n->value);
        assert_int_equal(n->more[sizeof n->more - 1], (char)n->value);
        *(long *)handle += n->value;
    }
    return 0;
}

/* All blocks, and those of the list: a pool has blocks of one size, and no others for values. */
static long listed(Vmalloc_t *vm)
{
    long sum = 0, all = 0;

    for (node_t *n = vmmvalue(vm, LIST, NULL, VM_MMGET); n != NULL; n = n->next)
        sum += n->value;
    assert_true(vmblkwalk(vm, count, &all) >= 0);
    if (vm->meth.meth != VM_MTPOOL)
        assert_int_equal(sum, all);
    return all;
}

/* One after the other, the last killed with the region open. */
static void runs(const char *meth)
{
    const long each = NODES * (NODES + 1L) / 2;
    Vmalloc_t *vm;
    Vmshstat_t st;
    int status;

    make(meth);
    run("add", meth);
    run("add", meth);
    status = ended(start("die", meth));
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    vm = open_as(file, meth);
    assert_non_null(vm);
    assert_int_equal(listed(vm), 3 * each);
    assert_int_equal(vmdbcheck(vm), 0);
    assert_int_equal(vmmshstat(vm, &st), 0);
    assert_int_equal(st.nproc, 1);
    assert_int_equal(add(vm, NODES), 0);
    assert_int_equal(listed(vm), 4 * each);
    assert_int_equal(vmclose(vm), 0);
    vm = open_as(file, meth);
    assert_non_null(vm);
    assert_int_equal(listed(vm), 4 * each);
    assert_int_equal(vmclear(vm), 0);
    assert_int_equal(vmdbcheck(vm), 0);
    vmmrelease(vm, 1);
    assert_int_equal(vmclose(vm), 0);
    assert_int_equal(access(file, F_OK), -1);
}

static void one_after_the_other_best(void **state)
{
    (void)state;
    runs("best");
}

static void one_after_the_other_last(void **state)
{
    (void)state;
    runs("last");
}

static void one_after_the_other_pool(void **state)
{
    (void)state;
    runs("pool");
}

static void at_the_same_time(void **state)
{
    pid_t pid[CHILDREN];
    Vmalloc_t *vm;

    (void)state;
    make("best");
    for (int i = 0; i < CHILDREN; i++)
        pid[i] = start("turns", "best");
    for (int i = 0; i < CHILDREN; i++)
        assert_int_equal(ended(pid[i]), 0);
    vm = open_as(file, "best");
    assert_non_null(vm);
    assert_int_equal((intptr_t)vmmvalue(vm, TURNS, NULL, VM_MMGET), CHILDREN * ROUNDS);
    assert_int_equal(vmdbcheck(vm), 0);
    assert_int_equal(vmclose(vm), 0);
}

/* Its stores are seen, and that it lives. */
static void who_lives(void **state)
{
    Vmalloc_t *vm = open_as(file, "best");
    Vmshstat_t st;
    pid_t pid;

    (void)state;
    assert_non_null(vm);
    pid = start("stay", "best");
    assert_true(appears(vm, READY));
    assert_int_equal(vmmshstat(vm, &st), 0);
    assert_int_equal(st.nproc, 2);
    vmmvalue(vm, GO, (Void_t *)1, VM_MMSET);
    assert_int_equal(ended(pid), 0);
    assert_int_equal(vmmshstat(vm, &st), 0);
    assert_int_equal(st.nproc, 1);
    assert_int_equal(st.ndead, 0);
    assert_int_equal(vmclose(vm), 0);
}

static void by_another_name(void **state)
{
    Vmalloc_t *vm = open_as(file, "best"), *again;
    char *p;

    (void)state;
    assert_non_null(vm);
    again = open_as(file, "best");
    assert_ptr_equal(again, vm);
    assert_int_equal(vmclose(again), 0);
    p = vmalloc(vm, 20 << 20); /* beyond what was expected */
    assert_non_null(p);
    p[0] = 1;
    p[(20 << 20) - 1] = 2;
    errno = 0;
    assert_null(vmalloc(vm, (size_t)1 << 30));
    assert_int_equal(errno, ENOMEM);
    assert_int_equal(vmclose(vm), 0);
    assert_int_equal(rename(file, other), 0);
    vm = open_as(other, "best");
    assert_non_null(vm);
    assert_ptr_equal(vmregion(p), vm);
    assert_true(p[0] == 1 && p[(20 << 20) - 1] == 2);
    assert_int_equal(vmfree(vm, p), 0);
    assert_int_equal(vmcompact(vm), 0);
    assert_int_equal(vmdbcheck(vm), 0);
    assert_int_equal(vmclose(vm), 0);
}

static void memory_by_name(void **state)
{
    Vmalloc_t *vm = vmmopen("vmalloc spawn", (int)getpid(), 1 << 20);
    char *p;

    (void)state;
    assert_non_null(vm);
    p = vmstrdup(vm, "kept");
    assert_non_null(p);
    assert_int_equal(vmclose(vm), 0);
    vm = vmmopen("vmalloc spawn", (int)getpid(), 1 << 20);
    assert_non_null(vm);
    assert_string_equal(p, "kept");
    vmmrelease(vm, 1);
    assert_int_equal(vmclose(vm), 0);
    vm = vmmopen("vmalloc spawn", (int)getpid(), 1 << 20);
    assert_non_null(vm);
    assert_int_equal(vmsize(vm, p), -1);
    vmmrelease(vm, 1);
    assert_int_equal(vmclose(vm), 0);
}

/* ---- refused ---- */

static void expect(const char *name, unsigned flags, Vmethod_t *meth, int e)
{
    Vmshare_t opt = {.flags = flags, .meth = meth};

    errno = 0;
    assert_null(vmmshare(name, &opt));
    assert_int_equal(errno, e);
}

static void refused(void **state)
{
    Vmalloc_t *vm = open_as(file, "best");
    char folder[300];
    FILE *f = fopen(other, "wb");

    (void)state;
    assert_non_null(vm);
    assert_int_equal(vmclose(vm), 0);
    expect(file, VM_SHNEW, NULL, EEXIST);
    expect(file, 0, Vmlast, EPROTO);
    assert_non_null(f);
    assert_true(fputs("a file of somebody else", f) >= 0);
    assert_int_equal(fclose(f), 0);
    expect(other, 0, NULL, EPROTO);
    assert_int_equal(unlink(other), 0);
    expect(other, VM_SHEXIST, NULL, ENOENT);
    expect("a/b", VM_SHMEMORY, NULL, EINVAL);
    snprintf(folder, sizeof folder, "%s", file);
    *strrchr(folder, '/') = '\0';
    expect(folder, 0, NULL, EISDIR);
}

/* Nothing is mapped over another region that lies there. */
static void taken(void **state)
{
    Vmshare_t opt = {.limit = (size_t)1 << 26};
    Vmalloc_t *vm = vmmshare(file, &opt), *in;
    Vmshstat_t st;
    char *p;

    (void)state;
    assert_non_null(vm);
    assert_int_equal(vmmshstat(vm, &st), 0);
    assert_int_equal(vmclose(vm), 0);
    opt.addr = st.base;
    in = vmmshare(other, &opt);
    assert_non_null(in);
    p = vmstrdup(in, "here");
    errno = 0;
    assert_null(vmmshare(file, &opt));
    assert_int_equal(errno, EADDRINUSE);
    assert_string_equal(p, "here");
    assert_int_equal(vmclose(in), 0);
    vm = vmmshare(file, &opt);
    assert_non_null(vm);
    assert_int_equal(vmclose(vm), 0);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, begin, end)

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        CASE(one_after_the_other_best), CASE(one_after_the_other_last), CASE(one_after_the_other_pool),
        CASE(at_the_same_time),         CASE(who_lives),                CASE(by_another_name),
        CASE(memory_by_name),           CASE(refused),                  CASE(taken),
    };
    if (argc == 4)
        return child(argv[1], argv[2], argv[3]);
    self = argv[0];
    return cmocka_run_group_tests(tests, NULL, NULL);
}
