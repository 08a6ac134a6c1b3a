/* SPDX-License-Identifier: MIT */
/* Files of the process may not be longer than so (`ulimit -f`): an error, and no SIGXFSZ, which would end it. */
#include "_share.h"

#include <vmalloc/image.h>
#include <sys/resource.h>

#define MIB ((size_t)1 << 20)

static const char *path;

static int limit(size_t bytes)
{
    struct rlimit r = {bytes, bytes};
    return setrlimit(RLIMIT_FSIZE, &r);
}

/* Exit statuses are lines. */
#define NEED(x) \
    do \
        if (!(x)) \
            return __LINE__ % 250 + 1; \
    while (0)

static int commits(void *arg)
{
    Vmalloc_t *vm = vmimage(path, NULL);
    char *p, *q;
    (void)arg;
    NEED(vm != NULL && (p = vmalloc(vm, 100)) != NULL);
    strcpy(p, "before");
    NEED(vmrootset(vm, "p", p, 0, 0) == 0 && vmcommit(vm) == 0);
    NEED(limit(16 * MIB) == 0);
    NEED((q = vmalloc(vm, 32 * MIB)) != NULL);
    memset(q, 7, 32 * MIB);
    strcpy(p, "between");
    NEED(vmcommit(vm) == -1 && errno == EFBIG);
    NEED(vmcommit(vm) == -1 && errno == EFBIG);
    NEED(vmrollback(vm) == 0);
    NEED(strcmp(p, "before") == 0);
    strcpy(p, "after");
    NEED(vmcommit(vm) == 0);
    return vmclose(vm);
}

static void a_commit(void **state)
{
    Vmalloc_t *vm;
    (void)state;
    path = tempname();
    assert_int_equal(inprocess(commits, NULL), 0);
    vm = vmimage(path, NULL);
    assert_non_null(vm);
    assert_string_equal(vmrootget(vm, "p", NULL), "after");
    assert_int_equal(vmdbcheck(vm), 0);
    assert_int_equal(vmclose(vm), 0);
    assert_int_equal(unlink(path), 0);
}

/* In a process of its own, with a file that is there at the end. */
static void alone(int (*f)(void *))
{
    path = tempname();
    assert_int_equal(inprocess(f, NULL), 0);
    assert_int_equal(unlink(path), 0);
}

/* The journal cannot go farther behind, but need not: it starts anew where it is, as often as it is full. */
static int rewrites(void *arg)
{
    Vmimgopt_t opt = {.safety = VM_IMGPROCESS, .journal = 256 << 10};
    Vmalloc_t *vm = vmimage(path, &opt);
    Vmimgstat_t st;
    char *p;
    int i;
    (void)arg;
    NEED(vm != NULL && (p = vmalloc(vm, MIB)) != NULL);
    memset(p, 1, MIB);
    NEED(vmrootset(vm, "p", p, 0, 0) == 0 && vmcommit(vm) == 0);
    NEED(limit(8 * MIB) == 0); /* of which a quarter of the pages and two MiB would be behind */
    for (i = 0; i < 50; i++) {
        memset(p + i * 16384, 2 + i, 128 << 10);
        NEED(vmcommit(vm) == 0);
    }
    NEED(vmimgstat(vm, &st) == 0 && st.checkpoints > 5);
    return vmclose(vm);
}

static void many_commits(void **state)
{
    (void)state;
    alone(rewrites);
}

/* What cannot be committed keeps the image open, unless it is dropped. */
static int closes(void *arg)
{
    Vmimgopt_t opt = {.flags = VM_IMGCLOSE};
    Vmalloc_t *vm = vmimage(path, &opt);
    char *p;
    (void)arg;
    NEED(vm != NULL && vmrootset(vm, "kept", vm, 0, 0) == 0 && vmcommit(vm) == 0);
    NEED(limit(16 * MIB) == 0);
    NEED((p = vmalloc(vm, 32 * MIB)) != NULL);
    memset(p, 7, 32 * MIB);
    NEED(vmclose(vm) == -1);
    NEED(vmregion(p) == vm);
    NEED(vmdrop(vm) == 0);
    NEED(vmregion(p) == NULL);
    NEED(vmdrop(Vmheap) == -1 && errno == EINVAL);
    NEED((vm = vmimage(path, NULL)) != NULL && vmrootget(vm, "kept", NULL) != NULL);
    return vmdrop(vm);
}

static void a_closing(void **state)
{
    (void)state;
    alone(closes);
}

static int opens(void *arg)
{
    Vmimgopt_t opt = {0};
    Vmshare_t share = {0};
    (void)arg;
    NEED(limit(4096) == 0);
    NEED(vmimage(path, &opt) == NULL && errno == EFBIG && strstr(opt.why, "long") != NULL);
    unlink(path);
    NEED(vmmshare(path, &share) == NULL && errno == EFBIG && share.why[0] != '\0');
    return 0;
}

static void an_opening(void **state)
{
    (void)state;
    path = tempname();
    assert_int_equal(inprocess(opens, NULL), 0);
    unlink(path);
}

static int grows(void *arg)
{
    Vmshare_t share = {0};
    Vmalloc_t *vm = vmmshare(path, &share);
    char *p;
    (void)arg;
    NEED(vm != NULL && vmalloc(vm, 100) != NULL);
    NEED(limit(64 * MIB) == 0);
    NEED(vmalloc(vm, 256 * MIB) == NULL);
    NEED((p = vmalloc(vm, 1000)) != NULL && vmfree(vm, p) == 0);
    NEED(vmdbcheck(vm) == 0);
    return vmclose(vm);
}

static void growth(void **state)
{
    (void)state;
    alone(grows);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_commit),
        cmocka_unit_test(many_commits),
        cmocka_unit_test(a_closing),
        cmocka_unit_test(an_opening),
        cmocka_unit_test(growth),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
