/* SPDX-License-Identifier: MIT */
/*
 * Processes share a region and die: by SIGKILL at random moments, at each step of their calls, while they
 * make the region, after a fork.  The others go on, and find everything in order.
 */
#define _GNU_SOURCE 1
#include "_share.h"

#include <sched.h>
#include <time.h>

#define ROOM 512 /* blocks that all see */

/* What the processes share: blocks that anybody may free. */
typedef struct table {
    unsigned char *block[ROOM]; /* the first byte says what fills it, the next four its size */
    long rounds;
} table_t;

static char *name;
static Vmshare_t none;

static table_t *tableof(Vmalloc_t *vm)
{
    return vmuserdata(vm, 1, sizeof(table_t));
}

static void fill(unsigned char *p, unsigned size, unsigned char with)
{
    memset(p, with, size);
    memcpy(p + 1, &size, 4);
}

/* Whether it holds what was filled in; nobody else has it. */
static int filled(const unsigned char *p)
{
    unsigned size, i;

    memcpy(&size, p + 1, 4);
    if (size < 5 || size > 200000)
        return 0;
    for (i = 5; i < size; i++)
        if (p[i] != p[0])
            return 0;
    return 1;
}

/* Take a block out of the table, look at it, free it; put a new one in.  0, or what went wrong. */
static int turn(Vmalloc_t *vm, table_t *t, unsigned *seed)
{
    unsigned i = (unsigned)rand_r(seed) % ROOM, size = 5 + (unsigned)rand_r(seed) % 2000;
    unsigned char *p = __atomic_exchange_n(&t->block[i], NULL, __ATOMIC_ACQ_REL), *q;

    if (size % 50 == 0)
        size *= 40;
    if (p != NULL && (!filled(p) || vmfree(vm, p) != 0))
        return 2;
    p = vmalloc(vm, size);
    if (p == NULL)
        return 3;
    fill(p, size, (unsigned char)rand_r(seed));
    if (size % 7 == 0) {
        q = vmresize(vm, p, size * 2, VM_RSCOPY | VM_RSMOVE);
        if (q == NULL)
            return 4;
        fill(p = q, size * 2, q[0]);
    }
    p = __atomic_exchange_n(&t->block[i], p, __ATOMIC_ACQ_REL);
    if (p != NULL && (!filled(p) || vmfree(vm, p) != 0))
        return 5;
    __atomic_fetch_add(&t->rounds, 1, __ATOMIC_RELAXED);
    return 0;
}

static int work(unsigned seed, int turns)
{
    Vmalloc_t *vm = vmmshare(name, &none);
    table_t *t = vm != NULL ? tableof(vm) : NULL;
    int r = 0, i;

    if (t == NULL)
        return 1;
    for (i = 0; i != turns && r == 0; i++)
        r = turn(vm, t, &seed);
    return r != 0 ? r : vmclose(vm) != 0;
}

static pid_t worker(unsigned seed, int turns)
{
    pid_t pid = fork();

    if (pid == 0) {
        alarm(60);
        _exit(work(seed, turns));
    }
    assert_true(pid > 0);
    return pid;
}

static int ended(pid_t pid)
{
    int status = 0;

    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

static int freeit(Vmalloc_t *vm, Void_t *addr, size_t size, Void_t *handle)
{
    table_t *t = handle;
    int i;

    (void)size;
    for (i = 0; i < ROOM; i++)
        if (t->block[i] == addr)
            return 1;
    return vmfree(vm, addr) == 0 ? 1 : -1;
}

/* Everything is in order; what was lost with its processes is freed.  A process that dies may have one
 * block in hand that it was about to free, and one that it was moving: no more than that is left. */
static void inorder(size_t deaths)
{
    Vmalloc_t *vm = vmmshare(name, &none);
    table_t *t;
    Vmstat_t st;
    size_t n = 0, i;

    assert_non_null(vm);
    t = tableof(vm);
    assert_int_equal(vmdbcheck(vm), 0);
    assert_true(vmmlost(vm, freeit, t) >= 0);
    for (i = 0; i < ROOM; i++)
        if (t->block[i] != NULL) {
            n++;
            assert_true(filled(t->block[i]));
            assert_true(vmsize(vm, t->block[i]) > 0);
        }
    assert_int_equal(vmstat(vm, &st), 0);
    assert_in_range(st.n_busy, n + 1, n + 1 + 2 * deaths);
    assert_int_equal(vmdbcheck(vm), 0);
    assert_int_equal(vmclose(vm), 0);
}

static void fresh(void)
{
    free(name);
    name = strdup(tempname());
}

static void many_at_once(void **state)
{
    pid_t pid[8];
    int i;

    (void)state;
    fresh();
    for (i = 0; i < 8; i++)
        pid[i] = worker((unsigned)i, 3000);
    for (i = 0; i < 8; i++)
        assert_int_equal(ended(pid[i]), 0);
    inorder(0);
    unlink(name);
}

static void killed_at_random(void **state)
{
    pid_t pid[3];
    unsigned seed = 11;
    int i, k;

    (void)state;
    fresh();
    for (i = 0; i < 3; i++)
        pid[i] = worker((unsigned)i, -1);
    for (k = 0; k < 120; k++) {
        struct timespec t = {0, (long)(rand_r(&seed) % 4000) * 1000};
        i = k % 3;
        nanosleep(&t, NULL);
        kill(pid[i], SIGKILL);
        assert_int_equal(ended(pid[i]), -SIGKILL);
        pid[i] = worker((unsigned)k, -1);
    }
    for (i = 0; i < 3; i++) {
        kill(pid[i], SIGKILL);
        assert_int_equal(ended(pid[i]), -SIGKILL);
    }
    inorder(123);
    unlink(name);
}

/* ---- at each step ---- */

static long countdown = -1;

static void onstep(int step, const void *p, size_t n)
{
    (void)step, (void)p, (void)n;
    if (countdown >= 0 && countdown-- == 0)
        kill(getpid(), SIGKILL);
}

static int dieat(void *arg)
{
    Vmalloc_t *vm = vmmshare(name, &none);
    unsigned seed = 3;
    int r = 0, i;

    countdown = *(long *)arg;
    vmr_onstep = onstep;
    for (i = 0; i < 3 && r == 0; i++)
        r = turn(vm, tableof(vm), &seed);
    return r;
}

/* One process goes on all the time, and another dies one step later each time. */
static void killed_at_each_step(void **state)
{
    pid_t other;
    long at;
    int r = -SIGKILL;

    (void)state;
    fresh();
    other = worker(5, -1);
    for (at = 0; r == -SIGKILL && at < 400; at++)
        r = inprocess(dieat, &at);
    assert_true(r == 0 || at == 400);
    kill(other, SIGKILL);
    assert_int_equal(ended(other), -SIGKILL);
    inorder((size_t)at + 1);
    unlink(name);
}

/* ---- clearing, making, forking ---- */

static int clearandadd(void *arg)
{
    Vmalloc_t *vm = vmmshare(name, &none);

    countdown = *(long *)arg;
    vmr_onstep = onstep;
    vmclear(vm);
    return vmmvalue(vm, 9, (Void_t *)1, VM_MMSET) == (Void_t *)1 ? 0 : 1;
}

static void killed_while_clearing(void **state)
{
    Vmalloc_t *vm;
    Vmstat_t st;
    long at;
    int i, r = -SIGKILL;

    (void)state;
    fresh();
    vm = vmmshare(name, &none);
    for (at = 0; r == -SIGKILL; at++) {
        for (i = 0; i < 100; i++)
            assert_non_null(vmalloc(vm, 100));
        r = inprocess(clearandadd, &at);
        assert_int_equal(vmdbcheck(vm), 0);
        assert_int_equal(vmstat(vm, &st), 0);
        assert_true(st.n_busy <= 2 || st.n_busy >= 100);
    }
    assert_true(at > 5);
    assert_int_equal(r, 0);
    assert_ptr_equal(vmmvalue(vm, 9, NULL, VM_MMGET), (Void_t *)1);
    vmmrelease(vm, 1);
    assert_int_equal(vmclose(vm), 0);
}

/* Dies in its n-th call of memoryf or event, at which the region is not made yet. */
static int makeanddie(void *arg)
{
    countdown = *(long *)arg;
    vmr_onstep = onstep;
    return vmmshare(name, &none) == NULL;
}

static void killed_while_making(void **state)
{
    long at;
    int r = -SIGKILL;

    (void)state;
    for (at = 0; r == -SIGKILL; at++) {
        Vmalloc_t *vm;
        fresh();
        r = inprocess(makeanddie, &at);
        vm = vmmshare(name, &none);
        assert_non_null(vm);
        assert_int_equal(vmdbcheck(vm), 0);
        assert_non_null(vmalloc(vm, 10));
        vmmrelease(vm, 1);
        assert_int_equal(vmclose(vm), 0);
    }
    assert_true(at > 1);
}

/* At any moment: whoever comes next makes it, or makes it anew. */
static void killed_anywhere_while_making(void **state)
{
    unsigned seed = 7;
    int i;

    (void)state;
    for (i = 0; i < 60; i++) {
        struct timespec t = {0, (long)(rand_r(&seed) % 800) * 1000};
        Vmalloc_t *vm;
        pid_t pid;
        fresh();
        pid = fork();
        if (pid == 0)
            _exit(vmmshare(name, &none) == NULL);
        nanosleep(&t, NULL);
        kill(pid, SIGKILL);
        ended(pid);
        vm = vmmshare(name, &none);
        assert_non_null(vm);
        assert_int_equal(vmdbcheck(vm), 0);
        assert_non_null(vmalloc(vm, 10));
        vmmrelease(vm, 1);
        assert_int_equal(vmclose(vm), 0);
    }
}

static int child(void *arg)
{
    Vmalloc_t *vm = arg;
    Vmshstat_t st;
    int i;

    for (i = 0; i < 1000; i++)
        if (vmfree(vm, vmalloc(vm, 1000)) != 0)
            return 1;
    if (vmmshstat(vm, &st) != 0 || st.nproc != 2)
        return 2;
    return vmmvalue(vm, 2, (Void_t *)1, VM_MMADD) == NULL;
}

/* The child is a process of its own: when it dies in a call it does not look like its parent. */
static void forked(void **state)
{
    Vmalloc_t *vm;
    Vmshstat_t st;
    long at;
    int i;

    (void)state;
    fresh();
    vm = vmmshare(name, &none);
    for (i = 0; i < 5; i++)
        assert_int_equal(inprocess(child, vm), 0);
    assert_ptr_equal(vmmvalue(vm, 2, NULL, VM_MMGET), (Void_t *)5);
    for (at = 0; at < 30; at++) {
        vmr_onstep = onstep;
        countdown = -1;
        if (fork() == 0) {
            countdown = at;
            child(vm);
            _exit(0);
        }
        wait(NULL);
        vmr_onstep = NULL;
        assert_int_equal(vmdbcheck(vm), 0);
    }
    assert_int_equal(vmmshstat(vm, &st), 0);
    assert_int_equal(st.nproc, 1);
    assert_true(st.ndead > 0);
    assert_true(st.died > 0);
    vmmrelease(vm, 1);
    assert_int_equal(vmclose(vm), 0);
}

/* ---- what the dead leave ---- */

static int leave(void *arg)
{
    Vmalloc_t *vm = vmmshare(name, &none);
    char *p = vmalloc(vm, 100), *q = vmalloc(vm, 200);

    (void)arg;
    strcpy(p, "lost");
    vmfree(vm, q);
    kill(getpid(), SIGKILL);
    return 0;
}

static int seen(Vmalloc_t *vm, Void_t *addr, size_t size, Void_t *handle)
{
    (void)vm;
    assert_string_equal(addr, "lost");
    assert_int_equal(size, 112);
    *(void **)handle = addr;
    return 0;
}

static int freelost(Vmalloc_t *vm, Void_t *addr, size_t size, Void_t *handle)
{
    (void)size, (void)handle;
    return vmfree(vm, addr) == 0;
}

static void lost_blocks_are_told(void **state)
{
    Vmalloc_t *vm;
    void *p = NULL;

    (void)state;
    fresh();
    vm = vmmshare(name, &none);
    assert_non_null(vmalloc(vm, 50));
    assert_int_equal(vmmlost(vm, seen, &p), 0);
    assert_int_equal(inprocess(leave, NULL), -SIGKILL);
    assert_int_equal(vmmlost(vm, seen, &p), 1);
    assert_int_equal(vmmlost(vm, seen, &p), 1);
    assert_int_equal(vmsize(vm, p), 112);
    assert_int_equal(vmmlost(vm, freelost, NULL), 1);
    assert_int_equal(vmmlost(vm, seen, &p), 0);
    assert_int_equal(vmsize(vm, p), -1);
    assert_int_equal(vmmlost(Vmheap, seen, &p), -1);
    vmmrelease(vm, 1);
    assert_int_equal(vmclose(vm), 0);
}

static int leaveone(void *arg)
{
    Vmalloc_t *vm = vmmshare(name, &none);

    (void)arg;
    if (vm != NULL && vmalloc(vm, 100) != NULL)
        kill(getpid(), SIGKILL);
    return 1;
}

/* Dies at a step of the call that frees the only block that it got. */
static int diefreeing(void *arg)
{
    Vmalloc_t *vm = vmmshare(name, &none);
    void *p = vm != NULL ? vmalloc(vm, 100) : NULL;

    if (p == NULL)
        return 1;
    countdown = *(long *)arg;
    vmr_onstep = onstep;
    return vmfree(vm, p) != 0;
}

/* A block that its process died freeing is freed, or told: also when nobody has called the region in between. */
static void half_freed_are_told(void **state)
{
    Vmalloc_t *vm;
    Vmstat_t before, after;
    long at;
    int r = -SIGKILL;

    (void)state;
    fresh();
    vm = vmmshare(name, &none);
    assert_non_null(vm);
    assert_int_equal(vmstat(vm, &before), 0);
    for (at = 0; r == -SIGKILL; at++) {
        r = inprocess(diefreeing, &at);
        assert_in_range(vmmlost(vm, freelost, NULL), 0, 1);
        assert_int_equal(vmstat(vm, &after), 0);
        assert_int_equal(after.n_busy, before.n_busy);
    }
    assert_int_equal(r, 0);
    assert_in_range(at, 5, 1000);
    vmmrelease(vm, 1);
    assert_int_equal(vmclose(vm), 0);
}

/* More die than there are slots: those of the first are forgotten, and once the others are asked for there is nothing
 * left of any. */
static void many_dead_are_told(void **state)
{
    Vmalloc_t *vm;
    Vmshstat_t st;
    Vmstat_t before, after;
    int i, n = VMR_SLOTS + 4;
    const char *with = getenv("LD_PRELOAD");

    (void)state;
    if (with != NULL && strstr(with, "vgpreload") != NULL)
        skip(); /* so many processes take minutes under Valgrind, and do nothing that others here do not */
    fresh();
    vm = vmmshare(name, &none);
    assert_non_null(vm);
    assert_int_equal(vmstat(vm, &before), 0);
    for (i = 0; i < n; i++)
        assert_int_equal(inprocess(leaveone, NULL), -SIGKILL);
    assert_int_equal(vmmshstat(vm, &st), 0);
    assert_int_equal(st.ndead, VMR_SLOTS - 1);
    assert_int_equal(vmmlost(vm, freelost, NULL), VMR_SLOTS - 1);
    assert_int_equal(vmmshstat(vm, &st), 0);
    assert_int_equal(st.ndead, 0);
    assert_int_equal(st.nproc, 1);
    assert_int_equal(inprocess(leaveone, NULL), -SIGKILL);
    assert_int_equal(vmmlost(vm, freelost, NULL), 1);
    assert_int_equal(vmstat(vm, &after), 0);
    assert_int_equal(after.n_busy - before.n_busy, n - (VMR_SLOTS - 1));
    assert_int_equal(vmdbcheck(vm), 0);
    vmmrelease(vm, 1);
    assert_int_equal(vmclose(vm), 0);
}

/* ---- growth is seen by those who were there before ---- */

static int growmuch(void *arg)
{
    Vmalloc_t *vm = vmmshare(name, &none);
    char *p = vmalloc(vm, 20 << 20);

    (void)arg;
    if (p == NULL)
        return 1;
    p[(20 << 20) - 1] = 'x';
    return vmmvalue(vm, 1, p, VM_MMSET) != p;
}

static void grown_by_another(void **state)
{
    Vmalloc_t *vm;
    char *p;

    (void)state;
    fresh();
    vm = vmmshare(name, &none);
    assert_non_null(vmalloc(vm, 10));
    assert_int_equal(inprocess(growmuch, NULL), 0);
    p = vmmvalue(vm, 1, NULL, VM_MMGET);
    assert_non_null(p);
    assert_int_equal(p[(20 << 20) - 1], 'x');
    assert_ptr_equal(vmregion(p + (20 << 20) - 1), vm);
    assert_int_equal(vmfree(vm, p), 0);
    assert_int_equal(vmdbcheck(vm), 0);
    vmmrelease(vm, 1);
    assert_int_equal(vmclose(vm), 0);
}

/* Whoever comes while another one makes it longer finds it in order. */
static int grow(void *arg)
{
    Vmalloc_t *vm = vmmshare(name, &none);
    int i;

    (void)arg;
    if (vm == NULL)
        return 2;
    for (i = 0; i < 4000; i++)
        if (vmalloc(vm, 20000) == NULL)
            return 1;
    return vmclose(vm);
}

static void opened_while_it_grows(void **state)
{
    int status = 0, n = 0;
    Vmalloc_t *vm;
    pid_t pid;

    (void)state;
    fresh();
    assert_int_equal(vmclose(vmmshare(name, &none)), 0);
    pid = fork();
    if (pid == 0)
        _exit(grow(NULL));
    for (; waitpid(pid, &status, WNOHANG) == 0; n++) {
        vm = vmmshare(name, &none);
        assert_non_null(vm);
        assert_int_equal(vmfree(vm, vmalloc(vm, 30000)), 0);
        assert_int_equal(vmclose(vm), 0);
    }
    assert_int_equal(status, 0);
    assert_true(n > 0);
    vm = vmmshare(name, &none);
    assert_int_equal(vmdbcheck(vm), 0);
    vmmrelease(vm, 1);
    assert_int_equal(vmclose(vm), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(many_at_once),          cmocka_unit_test(killed_at_random),
        cmocka_unit_test(killed_at_each_step),   cmocka_unit_test(killed_while_clearing),
        cmocka_unit_test(killed_while_making),   cmocka_unit_test(killed_anywhere_while_making),
        cmocka_unit_test(forked),
        cmocka_unit_test(lost_blocks_are_told),  cmocka_unit_test(many_dead_are_told),
        cmocka_unit_test(half_freed_are_told),
        cmocka_unit_test(grown_by_another),
        cmocka_unit_test(opened_while_it_grows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
